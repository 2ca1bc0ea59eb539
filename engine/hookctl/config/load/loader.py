"""Loads webhooks from a directory file by file, with a finding for everything that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hookctl.config.load.composer import compose
from hookctl.config.load.construct import Construction
from hookctl.config.load.documents import split_documents
from hookctl.config.load.files import (
    MAX_FILES,
    ReadFile,
    decode,
    find_files,
    outside,
    read_bytes,
    too_many,
)
from hookctl.config.load.ignores import find_ignores
from hookctl.config.load.positions import DocumentPositions, Lines
from hookctl.errors import FileError
from hookctl.files import resolve_given
from hookctl.model import Finding, Problem, SourceFile, Webhook
from hookctl.model.rules import files as rules

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_PLAIN = bytes((0x09, 0x0A, *range(0x20, 0x7F)))
"""ASCII bytes that are always allowed."""
_LINE_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Webhooks in the order of their files, and the findings about their YAML."""

    webhooks: tuple[Webhook, ...]
    findings: tuple[Finding, ...]


def load_directory(directory: Path) -> Loaded:
    """Every document in the ``*.yaml`` and ``*.yml`` files of ``directory`` and its subdirectories.

    Invalid input is a finding, never an exception.
    """
    webhooks: list[Webhook] = []
    findings: list[Finding] = []
    for path in list_files(directory):
        content = path if isinstance(path, Finding) else read_bytes(path, directory)
        if isinstance(content, Finding):
            findings.append(content)
        else:
            loaded = load_bytes(str(path), content)
            webhooks += loaded.webhooks
            findings += loaded.findings
    return Loaded(tuple(webhooks), tuple(findings))


def list_files(directory: Path) -> list[str | Finding]:
    """The paths of the files that :func:`load_directory` reads, in order.

    The list contains a finding in place of each path that cannot be read. It contains only a finding if the directory
    is missing, leads out of the working directory, or has no webhook files.
    """
    try:
        resolve_given(directory)
    except FileError:
        return [outside(str(directory))]
    if not directory.is_dir():
        return [
            rules.DIRECTORY_MISSING.finding("file" if directory.exists() else "", file=SourceFile(str(directory), ""))
        ]
    found = [*islice(find_files(directory), MAX_FILES + 1)]
    if len(found) > MAX_FILES:
        found[MAX_FILES] = too_many(str(directory))
    return found or [is_empty(directory)]


def is_empty(directory: Path) -> Finding:
    """The finding for a directory that has no webhook files."""
    return rules.DIRECTORY_EMPTY.finding(file=SourceFile(str(directory), ""))


def load_text(path: str, text: str) -> Loaded:
    """Every document in the text of a file. ``path`` is the file name in findings."""
    return _joined(_each(path, ReadFile(text)))


def load_bytes(path: str, data: bytes) -> Loaded:
    """Every document in the bytes of a file. ``path`` is the file name in findings."""
    return _joined(load_each(path, data))


def load_each(path: str, data: bytes) -> Iterator[Loaded]:
    """The same as :func:`load_bytes`, one document at a time, so that the caller can stop early."""
    read = decode(path, data)
    return iter((Loaded((), (read,)),)) if isinstance(read, Finding) else _each(path, read)


def _joined(parts: Iterable[Loaded]) -> Loaded:
    parts = [*parts]
    return Loaded(
        tuple(webhook for part in parts for webhook in part.webhooks),
        tuple(finding for part in parts for finding in part.findings),
    )


def _each(path: str, read: ReadFile) -> Iterator[Loaded]:
    file = SourceFile(path, read.text)
    lines = Lines(file)
    is_empty, count = True, 0
    if read.problem:
        is_empty = False
        yield Loaded((), (_finding(lines, read.problem),))
    for start, end in split_documents(read.text):
        webhook, problems = _load_document(lines, start, end, count + 1)
        webhooks = (webhook,) if webhook else ()
        count += len(webhooks)
        if webhooks or problems:
            is_empty = False
            yield Loaded(webhooks, tuple(_finding(lines, problem, start, webhook) for problem in problems))
    if is_empty:
        yield Loaded((), (rules.FILE_EMPTY.finding(file=file),))


def _load_document(lines: Lines, start: int, end: int, number: int) -> tuple[Webhook | None, list[Problem]]:
    text = lines.file.text[start:end]
    problem = _find_forbidden(text)
    root = problem or compose(text)
    if isinstance(root, Problem):
        return None, [root]
    if root is None:
        return None, []
    construction = Construction(text, root, lambda offset: lines.span(start + offset, start + offset).line)
    fields, problems, unread = construction.value, construction.problems, construction.unread
    if isinstance(fields, dict):
        positions, ignores = DocumentPositions(lines, start, end), find_ignores(lines, start, end, root)
        return Webhook(lines.file, number, fields, positions, unread=tuple(unread), ignores=ignores), problems
    if fields is None and not problems:
        return None, []  # an empty document
    if not problems:
        what = "a list" if isinstance(fields, list) else "a single value"
        problem = rules.YAML_NOT_A_MAPPING.problem(root.start_mark.index, root.end_mark.index, what=what)
        return None, [problem]
    return None, problems


def _find_forbidden(text: str) -> Problem | None:
    """The problem of the first character that YAML forbids, or that readers interpret differently."""
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return None
    if match := _CONTROL.search(text):
        return rules.FILE_NOT_TEXT.problem(*match.span(), "control", code=ord(match[0]))
    if match := _LINE_BREAK.search(text):
        return rules.YAML_LINE_BREAK.problem(*match.span(), code=ord(match[0]))
    if (index := text.find("\ufeff")) >= 0:
        return rules.YAML_BYTE_ORDER.problem(index, index + 1, "inside")
    return None


def _finding(lines: Lines, problem: Problem, start: int = 0, webhook: Webhook | None = None) -> Finding:
    return Finding(
        rule=problem.rule,
        severity=problem.severity,
        message=problem.message,
        hint=problem.hint,
        file=lines.file,
        span=lines.span(start + problem.start, start + problem.end),
        suggestions=problem.suggestions,
        webhook=webhook.name if webhook else "",
    )
