"""A process with hookctl loaded that forks a process for each command it reads, which starts fast and can be killed.

Reads one JSON object per line. ``{"argv": [...], "cwd": ..., "env": {...}, "output": FILE}`` starts ``hookctl``, or the
script that ``argv`` begins with, and answers its process id. ``"limits": [MORE_BYTES, SECONDS]`` limits its memory, to
so much more than this process has, and its CPU time. ``{"wait": PID}`` answers ``[STATUS, PEAK]`` when it has ended:
the status as in ``subprocess``, and its memory in KiB.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

import pycurl  # noqa: F401  # loaded once, for all

from hookctl.cli import running  # noqa: F401  # as above
from hookctl.cli.commands import deliveries, send  # noqa: F401  # as above
from hookctl.cli.main import main
from hookctl.delivery.attempt import engine as attempts  # noqa: F401  # as above
from hookctl.delivery.events import intake  # noqa: F401  # as above
from hookctl.delivery.runner import runner, sending  # noqa: F401  # as above
from hookctl.plugin.host import load_plugins
from hookctl.report.text import progress  # noqa: F401  # as above
from hookctl.store.postgres import store  # noqa: F401  # as above
from hookctl.store.sqlite.queue import SqliteQueue  # noqa: F401  # as above


def serve() -> None:
    """Until the input ends."""
    load_plugins()
    gc.collect()
    gc.freeze()  # so the collections of the processes look only at what they have made
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            _, status, usage = os.wait4(command["wait"], 0)
            answer: Any = [os.waitstatus_to_exitcode(status), usage.ru_maxrss]
        else:
            answer = os.fork()
            if answer == 0:
                os._exit(run(**command))
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def limit(more_bytes: int, seconds: int) -> None:
    """Have the kernel refuse this process more address space, and end it after so much processor time."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def run(argv: list[str], cwd: str, env: dict[str, str], output: str, limits: list[int] | None = None) -> int:
    """Become the command; gives its exit code."""
    if limits:
        limit(*limits)
    null, file = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for source, number in ((null, 0), (file, 1), (file, 2)):
        os.dup2(source, number)
    os.chdir(cwd)
    os.environ.update(env)
    sys.argv = argv
    try:
        if argv[0] == "hookctl":
            main()
        else:
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001  # whatever it is: the parent's loop must not be entered
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    serve()
