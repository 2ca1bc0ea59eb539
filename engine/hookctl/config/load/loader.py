"""Loads webhooks from a directory, a file at a time: everything that can be read, and a finding for everything that cannot."""

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
    FileProblem,
    ReadFile,
    decode,
    find_files,
    outside,
    read_bytes,
    too_many,
)
from hookctl.config.load.positions import DocumentPositions, Lines
from hookctl.config.load.problem import Problem
from hookctl.errors import FileError
from hookctl.files import resolve_given
from hookctl.model import Finding, Severity, SourceFile, Webhook

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_PLAIN = bytes((0x09, 0x0A, *range(0x20, 0x7F)))
"""Bytes of ASCII that need no further look."""
_LINE_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The webhooks of a directory in the order of its files, and what is wrong with their YAML."""

    webhooks: tuple[Webhook, ...]
    findings: tuple[Finding, ...]


def load_directory(directory: Path) -> Loaded:
    """Every document of every ``*.yaml`` and ``*.yml`` below ``directory``. Bad input is a finding, never an exception."""
    webhooks: list[Webhook] = []
    findings: list[Finding] = []
    for path in list_files(directory):
        content = path if isinstance(path, FileProblem) else read_bytes(path, directory)
        if isinstance(content, FileProblem):
            findings.append(file_finding(content))
        else:
            loaded = load_bytes(str(path), content)
            webhooks += loaded.webhooks
            findings += loaded.findings
    return Loaded(tuple(webhooks), tuple(findings))


def list_files(directory: Path) -> list[str | FileProblem]:
    """The path of every file that :func:`load_directory` reads, in order; a problem in the place of what cannot be, and for a directory without any."""
    try:
        resolve_given(directory)
    except FileError:
        return [outside(str(directory))]
    if not directory.is_dir():
        message = "not a directory" if directory.exists() else "there is no such directory"
        return [
            FileProblem(str(directory), "directory-missing", message, "Name another with --dir, or run `hookctl init`.")
        ]
    hint = "Write a webhook file, or run `hookctl init` for a first one."
    found = [*islice(find_files(directory), MAX_FILES + 1)]
    if len(found) > MAX_FILES:
        found[MAX_FILES] = too_many(str(directory))
    return found or [FileProblem(str(directory), "directory-empty", "no *.yaml or *.yml file in it", hint)]


def load_text(path: str, text: str) -> Loaded:
    """Every document of one file's text; ``path`` is what findings call it."""
    return _joined(_each(path, ReadFile(text)))


def load_bytes(path: str, data: bytes) -> Loaded:
    """Every document of one file's content, as it is on disk."""
    return _joined(load_each(path, data))


def load_each(path: str, data: bytes) -> Iterator[Loaded]:
    """What :func:`load_bytes` gives, a document at a time: whoever has seen enough reads no further."""
    read = decode(path, data)
    return iter((Loaded((), (file_finding(read),)),)) if isinstance(read, FileProblem) else _each(path, read)


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
        yield Loaded((), (_finding(lines, Problem(read.problem.rule, read.problem.message, read.problem.hint, 0, 1)),))
    for start, end in split_documents(read.text):
        webhook, problems = _load_document(lines, start, end, count + 1)
        webhooks = (webhook,) if webhook else ()
        count += len(webhooks)
        if webhooks or problems:
            is_empty = False
            yield Loaded(webhooks, tuple(_finding(lines, problem, start, webhook) for problem in problems))
    if is_empty:
        yield Loaded(
            (),
            (
                file_finding(
                    FileProblem(path, "file-empty", "no webhook in it", "Write a webhook, or remove the file."), file
                ),
            ),
        )


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
        return Webhook(lines.file, number, fields, DocumentPositions(lines, start, end), unread=tuple(unread)), problems
    if fields is None and not problems:
        return None, []  # nothing between two markers
    if not problems:
        what = "a list" if isinstance(fields, list) else "a single value"
        problem = Problem(
            "yaml-not-a-mapping",
            f"{what}, not a webhook",
            "Write `key: value` lines, beginning with `name:`.",
            root.start_mark.index,
            root.end_mark.index,
        )
        return None, [problem]
    return None, problems


def _find_forbidden(text: str) -> Problem | None:
    """The first character that YAML forbids, or that its versions (and terminals) read differently."""
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return None
    if match := _CONTROL.search(text):
        message = f"the control character U+{ord(match[0]):04X}"
        return Problem(
            "file-not-text",
            message,
            'Remove it; in text write it as an escape in double quotes, such as "\\x1b".',
            match.start(),
            match.end(),
        )
    if match := _LINE_BREAK.search(text):
        message = f"the line break U+{ord(match[0]):04X}, which readers disagree about"
        return Problem(
            "yaml-line-break",
            message,
            "End lines with a line feed; in text write it as an escape in double quotes.",
            match.start(),
            match.end(),
        )
    if (index := text.find("\ufeff")) >= 0:
        return Problem(
            "yaml-byte-order",
            "a byte-order mark inside the file",
            "Remove the invisible character U+FEFF.",
            index,
            index + 1,
        )
    return None


def _finding(lines: Lines, problem: Problem, start: int = 0, webhook: Webhook | None = None) -> Finding:
    return Finding(
        rule=problem.rule,
        severity=Severity.ERROR,
        message=problem.message,
        hint=problem.hint,
        file=lines.file,
        span=lines.span(start + problem.start, start + problem.end),
        webhook=webhook.name if webhook else "",
    )


def file_finding(problem: FileProblem, file: SourceFile | None = None) -> Finding:
    """What is wrong with a whole file or directory."""
    return Finding(
        rule=problem.rule,
        severity=Severity.ERROR,
        message=problem.message,
        hint=problem.hint,
        file=file or SourceFile(problem.path, ""),
    )
