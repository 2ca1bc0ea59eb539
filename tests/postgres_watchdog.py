"""Stops a server and deletes its data when the process that started it has ended, however that was.

``postgres_watchdog.py DATA``: waits for the end of its input, of which that process holds the other end.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path


def remove(data: Path) -> None:
    """Stop the server with this data, if it runs, and delete all that it has."""
    with suppress(OSError, ValueError):  # it does not run, or not any more
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline")
        if os.fsencode(data) in command.read_bytes():
            os.kill(pid, signal.SIGQUIT)
            while command.exists() and command.read_bytes():
                time.sleep(0.01)
    forget(data)
    shutil.rmtree(data, ignore_errors=True)


def forget(data: Path) -> None:
    """Delete what a server that was killed leaves outside of its data, and its claim to be running."""
    with suppress(OSError):
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), 0, None)
        (data / "postmaster.pid").unlink()


if __name__ == "__main__":
    sys.stdin.read()
    remove(Path(sys.argv[1]))
