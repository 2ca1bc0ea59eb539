"""Which file a store is: its device and inode, and those of the two files that SQLite keeps beside it.

A process can still write to a file that was deleted, renamed or replaced, but nobody would ever find what it wrote. So
after each commit, and before anything is acknowledged, the path that the store was opened with is checked again, and
so is the number of names that the file has.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hookctl.errors import StoreError, StoreGoneError

BESIDE = ("-wal", "-shm")
"""What follows the store's name in two others: of the log, with the newest commits, and of its index, with locks."""
FileId = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of one open store."""

    given: Path
    """The path that the store was opened with: absolute, links not resolved."""
    files: tuple[tuple[Path, FileId], ...]
    """The store and the files beside it, by the paths at which every process finds them."""

    def check(self) -> None:
        """Raise StoreGoneError unless each path still leads to the file that is open, and the store has no other name.

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

    Args:
        given: the path that it was opened with.
        real: the same path with all links resolved.
        opened: the file that the path led to before it was opened.

    Raises:
        StoreGoneError: the path leads elsewhere now, or one of the files is missing.
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
    """Device and inode of the file that the path leads to; links are followed. None if there is no file.

    Raises StoreError when the system refuses to look.
    """
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
            f"the store's file {path} cannot be checked: {error.strerror}",
            hint="Check the permissions of its directory.",
        ) from error


def refuse_second_names(real: Path) -> None:
    """Refuse a file with a second name that resolving links does not reveal: a hard link, or a mount of only the file.

    SQLite puts its log beside the name that it is given. Under two names, one file has two logs and two sets of locks,
    and each process overwrites what the other has committed. hookctl cannot prevent this, so it does not open such a
    file under any of its names.

    Raises:
        StoreError: the file has a second name.
    """
    links = real.stat().st_nlink
    if links > 1:
        message, hint = _second_names(real, links)
        raise StoreError(message, hint=hint)
    if _mount_id(real) != _mount_id(real.parent):
        raise StoreError(
            f"the store {real} is itself a mount point, so SQLite's log next to it would not be on the same mount",
            hint="Mount the directory that holds the store, not the file.",
        )


def _second_names(path: Path, links: int) -> tuple[str, str]:
    """The message and the hint for a file with more than one name."""
    return (
        f"the store {path} has {links} names (hard links), and SQLite would keep a separate log for each",
        (
            f"Find the others with `find / -xdev -samefile {path}` and delete them, or copy the file. "
            "A symbolic link is fine."
        ),
    )


def _mount_id(path: Path) -> str:
    """The kernel's number of the mount that the path is on; empty on other systems than Linux."""
    if not hasattr(os, "O_PATH"):
        return ""
    # Closing an ordinary file descriptor would drop SQLite's locks.
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        lines = Path(f"/proc/self/fdinfo/{file}").read_text(encoding="ascii").splitlines()
    except OSError:  # no /proc here
        return ""
    finally:
        os.close(file)
    return next((line for line in lines if line.startswith("mnt_id:")), "")
