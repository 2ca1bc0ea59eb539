"""Which file a store is: its device and inode, and those of the two files that SQLite keeps beside it.

A process goes on writing to a file that was deleted, renamed or replaced, and nobody would ever find what it wrote. So after each commit, and
before anything is acknowledged, the name that the store was opened by is looked at again, and so is the number of names that the file has.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hookctl.errors import StoreError, StoreGoneError

BESIDE = ("-wal", "-shm")
"""What SQLite appends to a store's name for its log, which holds the newest commits, and for the log's index, which holds its locks."""
FileId = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of one open store."""

    given: Path
    """The name that the store was opened by: absolute, links not resolved."""
    files: tuple[tuple[Path, FileId], ...]
    """The store and the files beside it, by the names that every process finds them by."""

    def check(self) -> None:
        """Raise StoreGoneError unless each name still leads to the file that is open, and the store has no other name.

        Takes three calls of ``stat``, about 5 us.
        """
        for path, file in self.files:
            status = _status(path)
            found = _id_of(status)
            if path == self.given and found == file and status is not None and status.st_nlink > 1:
                message, hint = _second_names(path, status.st_nlink)
                raise StoreGoneError(message, hint=hint)
            if found != file:
                became = (
                    "was replaced by another file"
                    if found
                    else "no longer exists: it, or a directory above it, was deleted or renamed"
                )
                what = f"the store {path}" if path == self.given else f"the file {path} of the store {self.given}"
                raise StoreGoneError(
                    f"{what} {became}",
                    hint="Stop every hookctl that uses the store, put its files back in place, then start again.",
                )


def identify(given: Path, real: Path, opened: FileId | None) -> Identity:
    """The identity of a store that is open and has been read from, so that the files beside it exist.

    ``given`` is the name that it was opened by, ``real`` the same with all links resolved, ``opened`` what the name led to before it was opened.
    Raises StoreGoneError when it leads elsewhere now, or one of the files is missing.
    """
    found: list[tuple[Path, FileId]] = []
    for path in (given.absolute(), *(real.with_name(f"{real.name}{suffix}") for suffix in BESIDE)):
        file = file_id(path)
        if file is None:
            raise StoreGoneError(
                f"the file {path} disappeared while the store was opened", hint="Run the command again."
            )
        found.append((path, file))
    if found[0][1] != opened:
        raise StoreGoneError(f"the store {given} was replaced while it was opened", hint="Run the command again.")
    return Identity(given.absolute(), tuple(found))


def file_id(path: Path) -> FileId | None:
    """Device and inode of what the path leads to, links followed; None where there is nothing. Raises StoreError when it cannot be looked at."""
    return _id_of(_status(path))


def _id_of(status: os.stat_result | None) -> FileId | None:
    return None if status is None else (status.st_dev, status.st_ino)


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  # Path.stat takes twice as long, and this is done after each commit
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(
            f"the store's file {path} cannot be looked at: {error.strerror}",
            hint="Check the permissions of its directory.",
        ) from error


def refuse_second_names(real: Path) -> None:
    """Refuse a file that has a second name which resolving links does not reveal: a hard link, or a mount of the file alone.

    SQLite puts its log beside the name that it is given. Under two names there are two logs and two sets of locks for one file: each process
    overwrites what the other has committed. Nothing can be done about it from inside, so such a file is not opened under any of its names.

    Raises:
        StoreError: the file has a second name.
    """
    links = real.stat().st_nlink
    if links > 1:
        message, hint = _second_names(real, links)
        raise StoreError(message, hint=hint)
    if _mount_id(real) != _mount_id(real.parent):
        raise StoreError(
            f"the store {real} is a mount point of its own, and SQLite's log beside it would not be part of the mount",
            hint="Mount the directory that holds the store, not the file.",
        )


def _second_names(path: Path, links: int) -> tuple[str, str]:
    """The message and the hint for a file with so many names."""
    return (
        f"the store {path} has {links} names (hard links), and SQLite would keep a separate log for each",
        f"Find the others with `find / -xdev -samefile {path}` and delete them, or copy the file. A symbolic link is fine.",
    )


def _mount_id(path: Path) -> str:
    """The kernel's number of the mount that the path is on; empty where it does not say (only Linux does)."""
    if not hasattr(os, "O_PATH"):
        return ""
    file = os.open(
        path, os.O_PATH | os.O_CLOEXEC
    )  # an ordinary file descriptor would drop SQLite's locks when it is closed
    try:
        lines = Path(f"/proc/self/fdinfo/{file}").read_text(encoding="ascii").splitlines()
    except OSError:  # no /proc here
        return ""
    finally:
        os.close(file)
    return next((line for line in lines if line.startswith("mnt_id:")), "")
