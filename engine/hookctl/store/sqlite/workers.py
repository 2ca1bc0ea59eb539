"""Which workers on this machine are alive: each locks a file of its own, and the kernel unlocks it when one dies.

So the deliveries that a dead worker had claimed are free at once, and not only when its lease ends.

Every process that claims deliveries is a worker, even a ``send`` that soon ends. Runners, to which processes may leave
deliveries, are fewer: see :mod:`hookctl.store.sqlite.runners`.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

NAME = re.compile("[0-9a-f]{16}")
"""The form of a worker's name."""


class Worker:
    """Proves that this process is alive, by a locked file beside the store at ``path``.

    The proof holds from :meth:`start` until :meth:`close` or until the process ends.
    """

    def __init__(self, path: Path) -> None:
        self.name = secrets.token_hex(8)
        self._path = path
        self._file: int | None = None

    def start(self) -> None:
        """Take the lock, unless it is held already, and delete the files of dead workers.

        The worker must claim nothing before this.
        """
        if self._file is not None:
            return
        lock_file = _lock_file(self._path, self.name)
        # Renamed once it is locked, so that others never see it unlocked.
        unlocked = lock_file.with_name(f".{lock_file.name}")
        self._file = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(lock_file)
        count_alive(self._path)

    def close(self) -> None:
        """Drop the lock and its file."""
        if self._file is not None:
            with suppress(OSError):  # its directory may be gone; the next worker deletes a file that is left behind
                _lock_file(self._path, self.name).unlink()
            os.close(self._file)
            self._file = None


def is_alive(path: Path, name: str) -> bool:
    """Whether the worker with this name, at the store at ``path``, still runs. Deletes the file of a dead one.

    A name of another form, from a damaged row, counts as a dead worker's.
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


def count_alive(path: Path) -> int:
    """How many workers at the store at ``path``, its links resolved, still run. Deletes the files of the others."""
    prefix = _lock_file(path, "").name
    names = [file.name.removeprefix(prefix) for file in path.parent.iterdir() if file.name.startswith(prefix)]
    return sum(is_alive(path, name) for name in names)


def _lock_file(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}-worker-{name}")
