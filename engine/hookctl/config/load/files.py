"""Finds and reads the files in a directory of webhooks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hookctl.errors import FileError, FileOutsideError, FileTooLargeError
from hookctl.files import read_file, read_plain, resolve
from hookctl.model import Finding, Problem, SourceFile
from hookctl.model.rules.files import (
    DIRECTORY_TOO_LARGE,
    FILE_NOT_TEXT,
    FILE_OUTSIDE,
    FILE_TOO_LARGE,
    FILE_UNREADABLE,
    YAML_BYTE_ORDER,
)

MAX_BYTES = 1024 * 1024
"""Maximum size of one file."""
MAX_TOTAL_BYTES = 256 * 1024 * 1024
"""Maximum total size of the files in a directory; enough for more than 100,000 webhooks."""
MAX_FILES = 100_000
MAX_DEPTH = 32
"""Maximum nesting of directories."""
SUFFIXES = (".yaml", ".yml")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte-order marks and their encodings, longest first, because a short mark can be the start of a long one."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The text of a file, and the problem with its encoding, if any."""

    text: str
    problem: Problem | None = None


def find_files(directory: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[str | Finding]:
    """The sorted paths of the files with these suffixes in a directory and its subdirectories, except hidden ones.

    A link that leads out of the directory is a finding. A link is followed only if its target is hidden, as in a
    ConfigMap that Kubernetes mounts, or has another suffix. Any other target is found under its own name.
    """
    return _Walk(directory, suffixes).enter("" if directory == Path() else str(directory), 1)


class _Walk:
    """One walk through a directory and its subdirectories."""

    def __init__(self, root: Path, suffixes: tuple[str, ...]) -> None:
        self._root, self._suffixes = root, suffixes
        self._linked: set[str] = set()
        """The targets of the links that were followed."""

    def enter(self, current: str, depth: int) -> Iterator[str | Finding]:
        """The files in one directory and below it. ``depth`` is 1 for the root."""
        if depth > MAX_DEPTH:
            yield DIRECTORY_TOO_LARGE.finding("depth", file=SourceFile(current, ""), limit=MAX_DEPTH)
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
                if name.endswith(self._suffixes):
                    yield path
            elif entry.is_symlink():
                yield from self._follow(path, depth)
            elif entry.is_dir(follow_symlinks=False):
                yield from self.enter(path, depth + 1)
            elif name.endswith(self._suffixes):
                yield _special(path)

    def _follow(self, path: str, depth: int) -> Iterator[str | Finding]:
        try:
            real = resolve(path, self._root)
        except FileError:
            yield outside(path)
            return
        try:
            kind = Path(path).stat().st_mode
        except OSError as error:
            if path.endswith(self._suffixes):
                yield _unreadable(path, error.strerror or str(error))
            return
        if not stat.S_ISDIR(kind) and not path.endswith(self._suffixes):
            return
        if stat.S_ISDIR(kind) or real.endswith(self._suffixes):
            hidden = any(
                part.startswith(".") for part in Path(os.path.relpath(real, os.path.realpath(self._root))).parts
            )
            if not hidden or real in self._linked:
                return  # found under its own name, or through another link
            self._linked.add(real)
        if stat.S_ISDIR(kind):
            yield from self.enter(path, depth + 1)
        else:
            yield path if stat.S_ISREG(kind) else _special(path)


def read_bytes(path: str, directory: Path) -> bytes | Finding:
    """The content of a file that :func:`find_files` returned for ``directory``, or a finding if it cannot be read."""
    try:
        try:
            return read_plain(path, MAX_BYTES)
        except FileOutsideError:  # a link: rare, so it costs a second attempt
            return read_file(path, directory, limit=MAX_BYTES)
    except FileTooLargeError:
        return too_large(path)
    except FileOutsideError:
        return outside(path)
    except FileError as error:
        return _unreadable(path, error.message)


def outside(name: str) -> Finding:
    """The finding for a link that leads out of the directory of webhooks. It does not reveal the target."""
    return FILE_OUTSIDE.finding(file=SourceFile(name, ""))


def too_large(name: str) -> Finding:
    """The finding for a file that is larger than ``MAX_BYTES``."""
    return FILE_TOO_LARGE.finding(file=SourceFile(name, ""), limit=MAX_BYTES)


def too_many(name: str) -> Finding:
    """The finding for a directory with too many files, or with files that are too large in total."""
    mebibytes = MAX_TOTAL_BYTES // 1024**2
    return DIRECTORY_TOO_LARGE.finding(file=SourceFile(name, ""), files=MAX_FILES, mebibytes=mebibytes)


def decode(name: str, data: bytes) -> ReadFile | Finding:
    """The text of a file, or a finding if ``data`` is not text. ``name`` is the file name in findings."""
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if not mark and 0 in data[:2] and data[:2].strip(b"\0").isascii() and len(data.strip(b"\0")) > 1:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        file = SourceFile(name, "")
        if encoding != "utf-8":
            return FILE_NOT_TEXT.finding("encoding", file=file, encoding=encoding.upper())
        offset = error.start + len(mark)
        return FILE_NOT_TEXT.finding(file=file, offset=offset, byte=data[offset])
    if encoding != "utf-8":
        return ReadFile(text, YAML_BYTE_ORDER.problem(0, 1, "encoding", encoding=encoding.upper()))
    return ReadFile(text, YAML_BYTE_ORDER.problem(0, 1) if mark else None)


def _special(path: str) -> Finding:
    return FILE_UNREADABLE.finding("special", file=SourceFile(path, ""))


def _unreadable(path: str, reason: str) -> Finding:
    return FILE_UNREADABLE.finding(file=SourceFile(path, ""), reason=reason)
