"""Finds and reads the files of a directory of webhooks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hookctl.errors import FileError, FileOutsideError, FileTooLargeError
from hookctl.files import read_file, read_plain, resolve

MAX_BYTES = 1024 * 1024
"""Of one file."""
MAX_TOTAL_BYTES = 256 * 1024 * 1024
"""Of all files of a directory together; a hundred thousand webhooks are smaller."""
MAX_FILES = 100_000
MAX_DEPTH = 32
"""Directories inside one another."""
SUFFIXES = (".yaml", ".yml")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte-order marks and the encodings that they stand for; the longer ones first."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a file or directory cannot be read as it is. ``start`` is where in the text, None for the whole file."""

    path: str
    rule: str
    message: str
    hint: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file's text as far as it could be read, and what is wrong with its bytes."""

    text: str
    problem: FileProblem | None = None


def find_files(directory: Path) -> Iterator[str | FileProblem]:
    """The path of every ``*.yaml`` and ``*.yml`` of a directory and its subdirectories, sorted; hidden ones are left out.

    A link that leads out of the directory is a problem. One inside is passed over where what it leads to is found by
    its own name, and followed where it is not, as in a configuration that Kubernetes mounts.
    """
    return _Walk(directory).enter("" if directory == Path() else str(directory), 1)


class _Walk:
    """One look at a directory and all below it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._linked: set[str] = set()
        """Where the links that were followed lead."""

    def enter(self, current: str, depth: int) -> Iterator[str | FileProblem]:
        """What is in one directory; ``depth`` counts those around it and itself."""
        if depth > MAX_DEPTH:
            hint = "Put the files nearer to the directory of webhooks."
            yield FileProblem(
                current, "directory-too-large", f"more than {MAX_DEPTH} directories inside one another", hint
            )
            return
        try:
            with os.scandir(current or ".") as scan:
                entries = {entry.name: entry for entry in scan}
        except OSError as error:
            yield _unreadable(current or ".", error.strerror or str(error))
            return
        for name in sorted(entries):
            if name.startswith("."):
                continue
            entry = entries[name]
            path = entry.path if current else name
            if entry.is_file(follow_symlinks=False):
                if name.endswith(SUFFIXES):
                    yield path
            elif entry.is_symlink():
                yield from self._follow(path, depth)
            elif entry.is_dir(follow_symlinks=False):
                yield from self.enter(path, depth + 1)
            elif name.endswith(SUFFIXES):
                yield _special(path)

    def _follow(self, path: str, depth: int) -> Iterator[str | FileProblem]:
        try:
            real = resolve(path, self._root)
        except FileError:
            yield outside(path)
            return
        try:
            kind = Path(path).stat().st_mode
        except OSError as error:
            if path.endswith(SUFFIXES):
                yield _unreadable(path, error.strerror or str(error))
            return
        if not stat.S_ISDIR(kind) and not path.endswith(SUFFIXES):
            return
        if stat.S_ISDIR(kind) or real.endswith(SUFFIXES):
            hidden = any(
                part.startswith(".") for part in Path(os.path.relpath(real, os.path.realpath(self._root))).parts
            )
            if not hidden or real in self._linked:
                return  # found by its own name, or by another link
            self._linked.add(real)
        if stat.S_ISDIR(kind):
            yield from self.enter(path, depth + 1)
        else:
            yield path if stat.S_ISREG(kind) else _special(path)


def read_bytes(path: str, directory: Path) -> bytes | FileProblem:
    """The content of a file of at most 1 MiB that :func:`find_files` gave for ``directory``, or why it cannot be had."""
    try:
        try:
            return read_plain(path, MAX_BYTES)
        except FileOutsideError:  # a link, which is rare
            return read_file(path, directory, limit=MAX_BYTES)
    except FileTooLargeError:
        return too_large(path)
    except FileOutsideError:
        return outside(path)
    except FileError as error:
        return _unreadable(path, error.message)


def outside(name: str) -> FileProblem:
    """The problem of a link that leads out of the directory of webhooks. It says nothing of where to."""
    message = "a link that leads out of the directory of webhooks, or to a hidden file"
    return FileProblem(name, "file-outside", message, "Put a plain file or directory in its place.")


def too_large(name: str) -> FileProblem:
    """The problem of a file over the limit."""
    return FileProblem(
        name,
        "file-too-large",
        f"larger than {MAX_BYTES} bytes",
        "Split it: webhooks may stand in as many files as you like.",
    )


def too_many(name: str) -> FileProblem:
    """The problem of a directory with more files, or more in them, than are read."""
    message = f"more than {MAX_FILES:,} files, or {MAX_TOTAL_BYTES // 1024**2} MiB in them; the rest is not read"
    return FileProblem(name, "directory-too-large", message, "Split it into directories, each with a store of its own.")


def decode(name: str, data: bytes) -> ReadFile | FileProblem:
    """The text of a file's content; a FileProblem alone where it is none."""
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if not mark and 0 in data[:2] and data[:2].strip(b"\0").isascii() and len(data.strip(b"\0")) > 1:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            return FileProblem(name, "file-not-text", f"neither UTF-8 nor {encoding.upper()}", "Save it as UTF-8 text.")
        where = f"byte {error.start + len(mark)} (0x{data[error.start + len(mark)]:02x})"
        return FileProblem(
            name,
            "file-not-text",
            f"not UTF-8 text: {where} belongs to no character",
            "Save it as UTF-8 text, or move it out of this directory.",
        )
    if encoding == "utf-8" and not mark:
        return ReadFile(text)
    what = "begins with a byte-order mark" if encoding == "utf-8" else f"encoded in {encoding.upper()}"
    return ReadFile(
        text, FileProblem(name, "yaml-byte-order", what, "Save it as UTF-8 without a byte-order mark.", start=0)
    )


def _special(path: str) -> FileProblem:
    return FileProblem(path, "file-unreadable", "not a regular file", "Put a plain file there, or rename this one.")


def _unreadable(path: str, reason: str) -> FileProblem:
    return FileProblem(
        path, "file-unreadable", f"cannot be read: {reason}", "Check that it is there and that you may read it."
    )
