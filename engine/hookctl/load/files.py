"""Finds and reads the files of a directory of webhooks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 1024 * 1024
_BLOCK = 8192
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""Should a pipe take a file's place at the last moment, nobody waits for its writer."""
SUFFIXES = (".yaml", ".yml")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
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

    Links are followed, and each directory is entered once, so a loop of links ends.
    """
    entered: set[tuple[int, int]] = set()

    def walk(current: str) -> Iterator[str | FileProblem]:
        try:
            about = Path(current).stat()
            if (about.st_dev, about.st_ino) in entered:
                return
            entered.add((about.st_dev, about.st_ino))
            with os.scandir(current or ".") as scan:
                entries = {entry.name: entry for entry in scan}
        except OSError as error:
            yield _unreadable(current or ".", error)
            return
        for name in sorted(entries):
            if name.startswith("."):
                continue
            entry = entries[name]
            path = entry.path if current else name
            if entry.is_file(follow_symlinks=False):
                if name.endswith(SUFFIXES):
                    yield path
            elif os.path.isdir(path):  # noqa: PTH112 - raises nothing, and thousands of Paths cost more than all the rest
                yield from walk(path)
            elif name.endswith(SUFFIXES):
                yield FileProblem(path, "file-unreadable", "not a regular file", "Put a plain file there, or rename this one.") if _is_special(path) else path

    yield from walk("" if directory == Path() else str(directory))


def read_bytes(path: str) -> bytes | FileProblem:
    """The content of a file of at most 1 MiB, or why it cannot be had."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            data = os.read(descriptor, _BLOCK)
            if len(data) == _BLOCK:  # rarely: a buffer for the limit would cost more than the read
                while len(data) <= MAX_BYTES and (more := os.read(descriptor, len(data))):
                    data += more
        finally:
            os.close(descriptor)
    except OSError as error:
        return _unreadable(path, error)
    return too_large(path) if len(data) > MAX_BYTES else data


def too_large(name: str) -> FileProblem:
    """The problem of a file over the limit."""
    return FileProblem(name, "file-too-large", f"larger than {MAX_BYTES} bytes", "Split it: webhooks may stand in as many files as you like.")


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
            name, "file-not-text", f"not UTF-8 text: {where} belongs to no character", "Save it as UTF-8 text, or move it out of this directory."
        )
    if encoding == "utf-8" and not mark:
        return ReadFile(text)
    what = "begins with a byte-order mark" if encoding == "utf-8" else f"encoded in {encoding.upper()}"
    return ReadFile(text, FileProblem(name, "yaml-byte-order", what, "Save it as UTF-8 without a byte-order mark.", start=0))


def _is_special(path: str) -> bool:
    """True for a pipe, a socket or a device, also at the end of a link; they are never opened."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False  # a broken link: reading says what is wrong with it


def _unreadable(path: str, error: OSError) -> FileProblem:
    return FileProblem(path, "file-unreadable", f"cannot be read: {error.strerror or error}", "Check that it is there and that you may read it.")
