"""Processes of hookctl and of ``python -c`` that start warm: ``warm.run``, ``warm.Popen`` and ``warm.commands``.

A process takes 0.3 s of processor time to load hookctl, which was a fifth of that of all tests. These
are forked from one that has loaded it. They have their own process id, directory, environment, streams and end, as
those of :mod:`subprocess`. What they have not: Python's own options, limits set before they start, streams that are
closed, a session or terminal of their own, and the start itself. Tests about these use :mod:`subprocess`.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Sequence
from functools import cache
from inspect import signature
from pathlib import Path
from socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket
from typing import Any


@cache
def _server() -> str:
    """The path of the socket of the process that forks, which ends with this one."""
    folder = tempfile.mkdtemp(prefix="warm")
    place = f"{folder}/socket"
    command = [sys.executable, str(Path(__file__).with_name("warm_server.py")), place]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.read(1) == b"\n"

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return place


@cache
def commands() -> str:
    """A directory for ``PATH`` with a ``hookctl`` that starts warm, for shells. It passes SIGINT and SIGTERM on."""
    file = Path(_server()).with_name("bin") / "hookctl"
    file.parent.mkdir()
    text = Path(__file__).with_name("warm_client.py").read_text(encoding="utf-8")
    file.write_text(f"#!{sys.executable} -IS\nPLACE = {_server()!r}\n{text}", encoding="utf-8")
    file.chmod(0o755)
    return str(file.parent)


PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
"""The file descriptors that :mod:`subprocess` has opened; -1 where the process shares that of this one."""
ENDS = ("p2cread", "c2pwrite", "errwrite")
"""Those of them that are the streams of the new process."""


class Popen(subprocess.Popen[Any]):
    """As that of :mod:`subprocess`; the first word of the command, the Python, is not looked at."""

    def _execute_child(self, *given: Any) -> None:
        names = signature(super()._execute_child).parameters  # type: ignore[misc]
        asked = dict(zip(names, given, strict=True))
        unknown = {"executable", "preexec_fn", "pass_fds", "shell", "start_new_session", "umask", "user"} & asked.keys()
        assert not [name for name in unknown if asked[name] not in {None, False, (), -1}]
        args, cwd, env = asked["args"], asked["cwd"], asked["env"]
        assert args[1] in {"-m", "-c"}
        pipes = [asked[name] for name in PIPES]
        ends = [asked[name] for name in ENDS]
        self.connection = socket(AF_UNIX)
        self.connection.connect(_server())
        fields = {
            "argv": [str(word) for word in args[1:]],
            "cwd": str(cwd or Path.cwd()),
            "env": dict(os.environ if env is None else env),
        }
        streams = [number if end == -1 else end for number, end in enumerate(ends)]
        text = json.dumps(fields).encode() + b"\n"
        sent = self.connection.sendmsg([text], [(SOL_SOCKET, SCM_RIGHTS, array("i", streams))])
        self.connection.sendall(text[sent:])
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self.answers = self.connection.makefile("rb")
        self.pid = int(self.answers.readline())
        self._child_created = True

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if wait_flags & os.WNOHANG and not select.select([self.connection], [], [], 0)[0]:
            return 0, 0
        status = int(self.answers.readline())
        self.answers.close()
        self.connection.close()
        return self.pid, status

    def _internal_poll(self, *_: object, **__: object) -> int | None:
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def run(
    command: Sequence[str | Path],
    *,
    input: Any = None,  # noqa: A002  # as in subprocess
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """As ``subprocess.run``."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(command, **options) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done
