"""Rows of text in one file that only its owner can have written. A file that is not valid counts as absent."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hookctl.files import PRIVATE, replace_file

_MAGIC = b"hookctl cache 2 "
_DIGITS = 64
_MAX_BYTES = 256 * 1024 * 1024


class Rows:
    """Rows of text. Each starts with a SHA-256 in hex, by which it is found."""

    def __init__(self, path: Path, key: str) -> None:
        """Read the rows of a file.

        ``key`` is the fingerprint of everything else that a row depends on. Rows under another key count as absent.
        """
        self._path = path
        self._key = key
        self._found = self._read()
        self._kept: dict[str, str] = {}

    def get(self, digest: str) -> str | None:
        """The row that starts with a digest, which is then kept; None if there is none."""
        row = self._found.get(digest)
        if row is not None:
            self._kept[digest] = row
        return row

    def add(self, row: str) -> None:
        """Keep a row. It must not contain line breaks."""
        self._kept[row[:_DIGITS]] = row

    def save(self) -> None:
        """Write the rows that were requested or added, completely or not at all, unless nothing changed.

        If it fails, the next run only takes longer.
        """
        if self._kept.keys() == self._found.keys():
            return
        rows = "\n".join([self._key, *self._kept.values()]).encode()
        with suppress(OSError):  # a directory that cannot be written, or a full disk
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path, _MAGIC + hashlib.sha256(rows).hexdigest().encode() + b"\n" + rows, PRIVATE)

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
    """The file's content, if only this user can have written it. A file that came with a checkout is not trusted."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if (
            not stat.S_ISREG(about.st_mode)
            or about.st_uid != os.geteuid()
            or about.st_mode & 0o077
            or about.st_size > _MAX_BYTES
        ):
            return b""
        return file.read()
