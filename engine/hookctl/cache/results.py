"""The results of one directory's files in one file of text. What does not look right in it is as good as not there."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from hookctl.model import Finding, Severity, SourceFile, Span

_MAGIC = b"hookctl cache 2 "
_DIGITS = 64
_MAX_BYTES = 256 * 1024 * 1024


class Result(NamedTuple):
    """What checking a file without errors came to."""

    names: Sequence[str]
    """Of the file's webhooks, in order."""
    digests: Sequence[str]
    """Of their delivery plans."""
    warnings: Sequence[Finding] = ()


class Cache:
    """The results of one directory.

    Found by a file's content, so that a renamed file is found and an edited one is not. Only results that were asked for or added
    are kept by :meth:`save`, so that it never grows beyond the directory.
    """

    def __init__(self, folder: Path, directory: Path, key: str) -> None:
        """``folder`` is where cache files are; ``key`` is the fingerprint of all that results depend on besides a file's content."""
        self._path = folder / hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
        self._key = key
        self._found = self._read()
        self._kept: dict[str, str] = {}

    def get(self, path: str, content: bytes) -> Result | None:
        """The result for a file with this content, its warnings about the file ``path``; None where there is none."""
        digest = hashlib.sha256(content).hexdigest()
        row = self._found.get(digest)
        if row is None:
            return None
        self._kept[digest] = row
        parts = row.split("\t")
        if len(parts) % 2:
            return Result(parts[1::2], parts[2::2])
        return Result(parts[1:-1:2], parts[2:-1:2], _warnings(parts[-1], path, content))

    def add(self, content: bytes, result: Result) -> None:
        """Keep a result for a file with this content."""
        digest = hashlib.sha256(content).hexdigest()
        self._kept[digest] = _row(digest, result)

    def save(self) -> None:
        """Write the cache, all of it or nothing, if anything in it has changed. Where that cannot be done, the next run takes longer."""
        if self._kept.keys() == self._found.keys():
            return
        rows = "\n".join([self._key, *self._kept.values()]).encode()
        with suppress(OSError):  # a directory that cannot be written, or a full disk
            _make_folder(self._path.parent)
            _replace(self._path, _MAGIC + hashlib.sha256(rows).hexdigest().encode() + b"\n" + rows)

    def _read(self) -> Mapping[str, str]:
        try:
            head, _, rows = _content(self._path).partition(b"\n")
        except OSError:
            return {}
        if head != _MAGIC + hashlib.sha256(rows).hexdigest().encode():
            return {}
        key, *lines = rows.decode().split("\n")
        return {line[:_DIGITS]: line for line in lines} if key == self._key else {}


def _content(path: Path) -> bytes:
    """The file's content, if nobody but this user can have written it: one that came with a checkout is not believed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o077 or about.st_size > _MAX_BYTES:
            return b""
        return file.read()


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads meanwhile reads the old one or the new one."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _row(digest: str, result: Result) -> str:
    """The digest of the content, then names and digests by turns, then the warnings, if there are any; tabs between, which stand in none of them."""
    webhooks = chain.from_iterable(zip(result.names, result.digests, strict=True))
    warnings = [[one.rule, one.message, one.hint, _bounds(one.span), one.suggestions, one.webhook] for one in result.warnings]
    return "\t".join([digest, *webhooks, *([json.dumps(warnings)] if warnings else [])])


def _warnings(text: str, path: str, content: bytes) -> Sequence[Finding]:
    file = SourceFile(path, content.decode())
    return [_warning(file, warning) for warning in json.loads(text)]


def _bounds(span: Span | None) -> list[int] | None:
    return [span.line, span.column, span.end_line, span.end_column] if span else None


def _warning(file: SourceFile, row: Any) -> Finding:
    rule, message, hint, bounds, suggestions, webhook = row
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        file=file,
        span=Span(*bounds) if bounds else None,
        suggestions=tuple(suggestions),
        webhook=webhook,
    )
