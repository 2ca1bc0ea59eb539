"""A process with hookctl loaded that forks one process for each connection to its socket. See ``warm.py``.

A client sends one line of JSON, ``{"argv": [...], "cwd": ..., "env": {...}}``, and the three standard streams of the
process with its first byte. ``argv`` begins with ``-m`` or ``-c``, as that of Python. The answers are two lines: the
process id, and the status with which it ended, as ``waitpid`` has it.
"""

from __future__ import annotations

import array
import atexit
import gc
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

import hookctl
import hookctl_plugins

LEFT_OUT = ("hookctl.__main__", "hookctl.kit", "hookctl.serve", "hookctl_plugins.observer")
"""What most commands do not import."""


def preload() -> None:
    """Import hookctl."""
    for package in (hookctl, hookctl_plugins):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(LEFT_OUT):
                import_module(found.name)
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> None:
    """Until standard input ends, which it does with the tests."""
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                """One that has ended is forgotten."""
        if os.fork() == 0:
            listener.close()
            supervise(connection)
            os._exit(0)
        connection.close()


def supervise(connection: socket.socket) -> None:
    """Start one process, and say how it ended. It is killed if the client leaves before."""
    streams = array.array("i")
    text, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_LEN(3 * streams.itemsize))
    for _, _, data in ancillary:
        streams.frombytes(data)
    while not text.endswith(b"\n"):
        more = connection.recv(1 << 20)
        if not more:  # the client has left
            return
        text += more
    pid = os.fork()
    if pid == 0:
        connection.close()
        become(**json.loads(text), streams=list(streams))
    for stream in streams:
        os.close(stream)
    connection.sendall(b"%d\n" % pid)
    ended = os.pidfd_open(pid)
    select.select([connection.fileno(), ended], [], [])
    if not select.select([ended], [], [], 0)[0]:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # the client has left
        connection.sendall(b"%d\n" % status)


def become(argv: list[str], cwd: str, env: dict[str, str], streams: list[int]) -> None:
    """Be Python with these arguments. It never returns."""
    status = 1
    try:
        settle(cwd, env, streams)
        kind, what = argv[:2]
        sys.path.insert(0, "" if kind == "-c" else cwd)
        sys.argv = [kind, *argv[2:]]
        sys.modules["__main__"] = main = ModuleType("__main__")
        if kind == "-c":
            exec(compile(what, "<string>", "exec"), vars(main))  # noqa: S102  # that is what it is for
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001  # as Python does
        traceback.print_exc()
    finally:
        end(status)


def settle(cwd: str, env: dict[str, str], streams: list[int]) -> None:
    """Take the directory, the environment and the streams of the new process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        if stream > 2:
            os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    encoding, _, errors = env.get("PYTHONIOENCODING", "utf-8").partition(":")
    unbuffered = "PYTHONUNBUFFERED" in env
    kept: dict[str, Any] = {"encoding": encoding, "write_through": unbuffered}
    given, out, err = (
        open(number, mode, buffering=0 if unbuffered and number else -1, closefd=False)  # noqa: SIM115
        for number, mode in enumerate(("rb", "wb", "wb"))
    )
    sys.stdin = io.TextIOWrapper(given, encoding=encoding)
    sys.stdout = io.TextIOWrapper(out, errors=errors or "strict", line_buffering=os.isatty(1), **kept)
    sys.stderr = io.TextIOWrapper(err, errors="backslashreplace", line_buffering=True, **kept)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    sys.path[:0] = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]


def end(status: int) -> None:
    """End as Python does, but without taking every object apart."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  # as Python does
        traceback.print_exc()
        status = 120
    os._exit(status & 255)


if __name__ == "__main__":
    warnings.resetwarnings()
    preload()
    place = socket.socket(socket.AF_UNIX)
    place.bind(sys.argv[1])
    place.listen(64)
    os.write(1, b"\n")
    serve(place)
