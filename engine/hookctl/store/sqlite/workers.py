"""Which workers on this machine are alive: each holds a lock on a file of its own, which the kernel drops when it dies.

So the deliveries in a dead worker's hands are free at once, and not only when its lease ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

NAME = re.compile("[0-9a-f]{16}")
"""What a worker calls itself."""


class Worker:
    """A proof that this process lives, beside the store at ``path``: taken by :meth:`start`, gone after :meth:`close` or death."""

    def __init__(self, path: Path) -> None:
        self.name = secrets.token_hex(8)
        self._path = path
        self._file: int | None = None

    def start(self) -> None:
        """Take the lock, unless it is held already, and tidy up after the dead. Before this, the worker must own nothing."""
        if self._file is not None:
            return
        lock_file = _lock_file(self._path, self.name)
        unlocked = lock_file.with_name(
            f".{lock_file.name}"
        )  # under the name that others look for it is locked from the start
        self._file = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(lock_file)
        prefix = _lock_file(self._path, "").name
        for other in self._path.parent.iterdir():
            if other.name.startswith(prefix):
                is_alive(self._path, other.name.removeprefix(prefix))

    def close(self) -> None:
        """Drop the lock and its file."""
        if self._file is not None:
            with suppress(
                OSError
            ):  # its directory may be gone; a file that stays behind is tidied up by the next worker
                _lock_file(self._path, self.name).unlink()
            os.close(self._file)
            self._file = None


def is_alive(path: Path, name: str) -> bool:
    """Whether the worker of that name, at the store at ``path``, still runs. The file of one that is dead is removed.

    A name that no worker gives itself, from a damaged row, is that of a dead one.
    """
    if not NAME.fullmatch(str(name)):
        return False
    lock_file = _lock_file(path, name)
    try:
        file = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        lock_file.unlink(missing_ok=True)
        return False
    finally:
        os.close(file)


def _lock_file(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}-worker-{name}")
