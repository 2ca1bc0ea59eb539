"""A file of lines that several processes append to, and that is rotated when it has grown to a size."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

MODE = 0o600


class RotatingFile:
    """Appends lines. Each write holds a lock on the file, so no line of another process is torn or lost.

    The file at the path may be renamed or removed at any time: the next write then creates a new one.
    """

    def __init__(self, path: Path, limit: float, files: int) -> None:
        """``limit``: the size in bytes at which the file is rotated. ``files``: how many rotated files are kept."""
        self.path, self._limit, self._files = path, limit, files
        self._descriptor: int | None = None

    def write(self, lines: bytes) -> None:
        """Append complete lines: all of them or, if it raises OSError, none."""
        descriptor, size = self._locked()
        try:
            if size and size + len(lines) > self._limit:
                self._rotate()
                self.close()
                descriptor, size = self._locked()
            _append(descriptor, lines, size)
        finally:
            if self._descriptor is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, which releases the lock. The next write opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _locked(self) -> tuple[int, int]:
        """The descriptor of the file that is at the path, with the lock, and the size of the file."""
        while True:
            if self._descriptor is None:
                self._descriptor = _open(self.path)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            status = os.fstat(self._descriptor)
            if _is_at(status, self.path):
                return self._descriptor, status.st_size
            self.close()  # another process has rotated it since it was opened

    def _rotate(self) -> None:
        """Rename the files. The caller holds the lock of the newest, so no other process rotates at the same time."""
        for number in range(self._files, 1, -1):
            with suppress(FileNotFoundError):
                _numbered(self.path, number - 1).replace(_numbered(self.path, number))
        self.path.replace(_numbered(self.path, 1))


def _open(path: Path) -> int:
    """The file, open for appending. Raises OSError, also for anything but a regular file: another might block."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags, MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is not a regular file")
    return descriptor


def _is_at(status: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(status, os.lstat(path))
    except FileNotFoundError:
        return False


def _append(descriptor: int, lines: bytes, size: int) -> None:
    """Write everything after the first ``size`` bytes, or take back what was written."""
    left = memoryview(lines)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        with suppress(OSError):  # the first error says more
            os.ftruncate(descriptor, size)
        raise


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
