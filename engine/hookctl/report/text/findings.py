"""Findings as text for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from hookctl.model import Finding, Json, Severity, Span
from hookctl.model.quantities import counted
from hookctl.model.rules.fields import SECRET_LITERAL
from hookctl.model.rules.files import DIRECTORY_EMPTY, DIRECTORY_MISSING, DIRECTORY_TOO_LARGE
from hookctl.model.rules.plans import TEST_FIELD
from hookctl.report.style import heading, styled
from hookctl.report.text.columns import columns
from hookctl.report.text.printable import json_text, printable

_WIDTH = 120
"""Columns of a source line that are shown; longer lines are cut around the span."""
_NARROWEST = 20
"""Columns of a source line that are shown at least."""
_TAB = 4
_OF_NO_FILE = frozenset({DIRECTORY_MISSING.id, DIRECTORY_EMPTY.id, DIRECTORY_TOO_LARGE.id})
_NOWHERE = {TEST_FIELD.id: "--set"}
"""What stands in place of a file where that is not the plan, by rule."""
_HIDDEN = frozenset({SECRET_LITERAL.id})
"""Rules whose spans no source line shows: they are secrets, and reports end up in logs."""


def findings_text(findings: Sequence[Finding], ignored: int = 0, *, width: int = 0, color: bool = False) -> str:
    """Each finding with its place, its source line and a caret, what to do, and a last line that counts them.

    ``ignored`` is the number of warnings that comments in the files ignore. ``width`` is in columns; source lines are
    cut to it. 0 for unlimited.
    """
    sources = _sources(findings)
    blocks = ["\n".join(_lines(finding, sources[finding.path], width=width, color=color)) for finding in findings]
    return "\n\n".join([*blocks, summary_line(findings, ignored)]) + "\n"


def finding_lines(finding: Finding, findings: Sequence[Finding]) -> list[str]:
    """One of ``findings`` as :func:`findings_text` shows it, without color."""
    return _lines(finding, _sources(findings)[finding.path], width=0, color=False)


def ignored_text(count: int, *, before: str = "", after: str = "") -> str:
    """Such as: 2 warnings ignored; empty if there are none. ``before`` and ``after`` are put around it."""
    return f"{before}{counted(count, 'warning')} ignored{after}" if count else ""


def summary_line(findings: Sequence[Finding], ignored: int = 0) -> str:
    """Such as: 2 errors and 1 warning in 2 files; 3 warnings ignored."""
    errors = sum(finding.is_error for finding in findings)
    files = len({finding.file.path for finding in findings if finding.file and finding.rule not in _OF_NO_FILE})
    counts = [counted(errors, "error")] if errors else []
    if warnings := len(findings) - errors:
        counts.append(counted(warnings, "warning"))
    where = f" in {counted(files, 'file')}" if files else ""
    return f"{' and '.join(counts) or 'No findings'}{where}{ignored_text(ignored, before='; ')}."


def findings_json(findings: Sequence[Finding], ignored: Sequence[Finding] = ()) -> dict[str, Json]:
    """The findings as ``tofu validate -json`` writes them, plus ``code``, ``hint``, ``suggestions`` and ``webhook``.

    ``ignored`` are warnings that comments in the files ignore. They are listed apart, with their reasons. Lines and
    columns count from 1, columns in Unicode characters, ends are exclusive; ``byte`` counts from 0, in UTF-8.
    """
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    sources = _sources([*findings, *ignored])
    return {
        "format_version": "1.1",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": len(findings) - errors,
        "diagnostics": [_diagnostic(finding, sources[finding.path]) for finding in findings],
        "ignored": [_diagnostic(finding, sources[finding.path]) | {"reason": finding.ignored} for finding in ignored],
    }


@dataclass(frozen=True, slots=True)
class _Source:
    """A file's lines, cut once for all of its findings."""

    lines: list[str]
    starts: list[int]
    """Where each line begins, in bytes of UTF-8."""
    secrets: list[Span] = field(default_factory=list)
    """Where secrets are written out."""


def _sources(findings: Sequence[Finding]) -> dict[str, _Source]:
    """The source of each finding's file, by its path."""
    sources: dict[str, _Source] = {}
    for finding in findings:
        text = finding.file.text if finding.file else ""
        if finding.path not in sources or (text and not any(sources[finding.path].lines)):
            lines = text.split("\n")
            sources[finding.path] = _Source(lines, [0, *accumulate(_bytes(line) + 1 for line in lines)])
    for finding in findings:
        if finding.rule in _HIDDEN and finding.span:
            sources[finding.path].secrets.append(finding.span)
    return sources


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _lines(finding: Finding, source: _Source, *, width: int, color: bool) -> list[str]:
    tone = "red" if finding.severity is Severity.ERROR else "yellow"
    span = finding.span
    place = (printable(finding.path) or _NOWHERE.get(finding.rule, "plan")) + (
        f":{span.line}:{span.column}" if span else ""
    )
    severity = styled(finding.severity.value, color, fg=tone, bold=True)
    lines = [f"{heading(place, color)}: {severity}[{finding.label}]: {printable(finding.message)}"]
    if span:
        gutter = " " * len(str(span.line))
        room = min(_WIDTH, max(width - len(gutter) - len("   | "), _NARROWEST)) if width else _WIDTH
        code, offset, marked = _excerpt(span, source, room)
        lines += [
            f"  {span.line} | {code}",
            f"  {gutter} | {' ' * offset}{styled('^' * marked, color, fg=tone, bold=True)}",
        ]
    if finding.suggestions:
        lines.append(f"  did you mean {' or '.join(printable(suggestion) for suggestion in finding.suggestions)}?")
    if finding.hint:
        lines.append(f"  hint: {printable(finding.hint)}")
    return lines


def _excerpt(span: Span, source: _Source, width: int) -> tuple[str, int, int]:
    """At most ``width`` columns of the source line, and the column and the width of the caret under it."""
    line, start, end = _line(span, source)
    before, marked, after = _cells(line[:start]), _cells(line[start:end]), _cells(line[end:])
    room = width - min(columns(marked), width)
    if columns(before) + columns(marked) + columns(after) > width:
        before = _cut(before, max(room * 2 // 3, room - columns(after)), at_start=True)
        marked = _cut(marked, width, at_start=False)
        after = _cut(after, max(0, width - columns(before) - columns(marked)), at_start=False)
    return (before + marked + after).rstrip(), columns(before), max(1, columns(marked))


def _line(span: Span, source: _Source) -> tuple[str, int, int]:
    """The span's first line, and where in it the span starts and ends; secrets in it are hidden."""
    line = source.lines[span.line - 1].rstrip("\r")
    start, end = _in_line(span, span.line, len(line))
    for secret in source.secrets:
        if secret.line <= span.line <= secret.end_line:
            first, last = _in_line(secret, span.line, len(line))
            line = line[:first] + "*" * (last - first) + line[last:]
    return line, start, end


def _in_line(span: Span, line: int, length: int) -> tuple[int, int]:
    """The offsets of the part of a span that is in a line of ``length`` characters."""
    return (
        span.column - 1 if span.line == line else 0,
        min(span.end_column - 1, length) if span.end_line == line else length,
    )


def _cut(text: str, room: int, *, at_start: bool) -> str:
    if columns(text) <= room:
        return text
    kept = ""
    for character in reversed(text) if at_start else text:
        if columns(kept) + columns(character) > room - 3:
            break
        kept = character + kept if at_start else kept + character
    return ("..." + kept if at_start else kept + "...")[: max(room, 0)]


def _cells(text: str) -> str:
    """``text`` as it is shown: tabs as spaces, and nothing that a terminal would obey."""
    return printable(text.replace("\t", " " * _TAB))


def _diagnostic(finding: Finding, source: _Source) -> dict[str, Json]:
    diagnostic: dict[str, Json] = {
        "severity": finding.severity.value,
        "code": finding.rule,
        "summary": finding.message,
        "detail": finding.hint,
        "hint": finding.hint,
        "suggestions": list(finding.suggestions),
        "webhook": finding.webhook or None,
    }
    span = finding.span
    if span is None:
        start_of_file: Json = {"line": 1, "column": 1, "byte": 0}
        return diagnostic | {"range": {"filename": finding.path, "start": start_of_file, "end": start_of_file}}
    line, start, end = _line(span, source)
    diagnostic["range"] = {
        "filename": finding.path,
        "start": _position(source, span.line, span.column),
        "end": _position(source, span.end_line, span.end_column),
    }
    diagnostic["snippet"] = {
        "context": finding.webhook or None,
        "code": line,
        "start_line": span.line,
        "highlight_start_offset": start,
        "highlight_end_offset": end,
        "values": [],
    }
    return diagnostic


def _position(source: _Source, line: int, column: int) -> dict[str, Json]:
    return {
        "line": line,
        "column": column,
        "byte": source.starts[line - 1] + _bytes(source.lines[line - 1][: column - 1]),
    }


def findings_json_text(findings: Sequence[Finding], ignored: Sequence[Finding] = ()) -> str:
    """:func:`findings_json`, indented; ASCII alone, so that no terminal or log reads anything into it."""
    return json_text(findings_json(findings, ignored)) + "\n"
