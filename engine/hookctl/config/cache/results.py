"""The results of checking one directory's files, kept in one text file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from hookctl.config.cache.rows import Rows
from hookctl.model import Finding, Severity, SourceFile, Span


class Result(NamedTuple):
    """The result of checking a file without errors."""

    names: Sequence[str]
    """The names of the file's webhooks, in order."""
    digests: Sequence[str]
    """The digests of their delivery plans."""
    warnings: Sequence[Finding] = ()
    """Those that comments in the file ignore are among them."""


class Cache:
    """The results of one directory.

    Results are found by a file's content, so a renamed file is found and an edited file is not. :meth:`save` keeps only
    results that were requested or added, so the cache never outgrows the directory.
    """

    def __init__(self, folder: Path, directory: Path, key: str) -> None:
        """``folder`` contains cache files.

        ``key`` is the fingerprint of everything that results depend on besides the content.
        """
        self._rows = Rows(folder / hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16], key)

    def get(self, path: str, content: bytes) -> Result | None:
        """The result for this content, with warnings that name the file ``path``; None if there is none."""
        row = self._rows.get(hashlib.sha256(content).hexdigest())
        if row is None:
            return None
        parts = row.split("\t")
        if len(parts) % 2:
            return Result(parts[1::2], parts[2::2])
        return Result(parts[1:-1:2], parts[2:-1:2], _warnings(parts[-1], path, content))

    def add(self, content: bytes, result: Result) -> None:
        """Keep a result for a file with this content."""
        self._rows.add(_row(hashlib.sha256(content).hexdigest(), result))

    def save(self) -> None:
        """Write the results, as :meth:`Rows.save` does."""
        self._rows.save()


def _row(digest: str, result: Result) -> str:
    """The digest of the content, names and digests in turn, and any warnings, separated by tabs."""
    webhooks = chain.from_iterable(zip(result.names, result.digests, strict=True))
    warnings = [
        [one.rule, one.message, one.hint, _bounds(one.span), one.suggestions, one.webhook, one.ignored]
        for one in result.warnings
    ]
    return "\t".join([digest, *webhooks, *([json.dumps(warnings)] if warnings else [])])


def _warnings(text: str, path: str, content: bytes) -> Sequence[Finding]:
    file = SourceFile(path, content.decode())
    return [_warning(file, warning) for warning in json.loads(text)]


def _bounds(span: Span | None) -> list[int] | None:
    return [span.line, span.column, span.end_line, span.end_column] if span else None


def _warning(file: SourceFile, row: Any) -> Finding:
    rule, message, hint, bounds, suggestions, webhook, ignored = row
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        file=file,
        span=Span(*bounds) if bounds else None,
        suggestions=tuple(suggestions),
        webhook=webhook,
        ignored=ignored,
    )
