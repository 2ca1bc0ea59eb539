"""Findings as people and machines read them. Snapshots beside this file hold the whole texts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import click
import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.model import Finding, Severity, SourceFile, Span
from hookctl.report.text.findings import findings_json, findings_json_text, findings_text


def finding(text: str = "", span: Span | None = None, **fields: object) -> Finding:
    defaults = {
        "rule": "wrong-value",
        "severity": Severity.ERROR,
        "message": "`status` must be active or inactive",
        "hint": "Write active.",
    }
    return Finding(**defaults | fields, file=SourceFile("webhooks.d/a.yaml", text), span=span)  # type: ignore[arg-type]


TWO = [
    finding("name: A\nstatus: actve\n", Span(2, 9, 2, 14), suggestions=("active", "inactive"), webhook="A"),
    finding(rule="file-empty", severity=Severity.WARNING, message="the file contains no webhook", hint="Write one."),
]


def source_and_caret(one: Finding) -> tuple[str, str]:
    """The source line and the line under it, without their gutters."""
    lines = findings_text([one]).split("\n")
    return lines[1].split(" | ", 1)[1], lines[2].split(" | ", 1)[1]


def test_text(snapshot: SnapshotAssertion) -> None:
    assert findings_text(TWO) == snapshot


def test_color_adds_nothing_but_color() -> None:
    colored = findings_text(TWO, color=True)
    assert "\x1b[" in colored
    assert click.unstyle(colored) == findings_text(TWO)


def test_json(snapshot: SnapshotAssertion) -> None:
    assert findings_json_text(TWO) == snapshot


def test_json_counts_bytes_and_characters() -> None:
    told = cast("dict[str, Any]", findings_json([finding("a: \u65e5\r\nb: \U0001f600x\n", Span(2, 5, 2, 6))]))
    (diagnostic,) = told["diagnostics"]
    assert diagnostic["range"]["start"] == {"line": 2, "column": 5, "byte": 15}
    assert diagnostic["range"]["end"] == {"line": 2, "column": 6, "byte": 16}
    assert diagnostic["snippet"]["code"] == "b: \U0001f600x"


def test_no_finding_is_valid() -> None:
    assert findings_json([]) == {
        "format_version": "1.1",
        "valid": True,
        "error_count": 0,
        "warning_count": 0,
        "diagnostics": [],
        "ignored": [],
    }


def test_an_ignored_warning_stands_apart_with_its_reason() -> None:
    ignored = replace(TWO[1], ignored="it is a draft")
    document: Any = findings_json([TWO[0]], [ignored])
    assert (document["warning_count"], len(document["diagnostics"])) == (0, 1)
    assert [(one["code"], one["reason"]) for one in document["ignored"]] == [("file-empty", "it is a draft")]
    assert findings_text([TWO[0]], 2).endswith("1 error in 1 file; 2 warnings ignored.\n")


def test_warnings_alone_are_valid() -> None:
    document = findings_json([TWO[1]])
    assert (document["valid"], document["error_count"], document["warning_count"]) == (True, 0, 1)


@pytest.mark.parametrize(
    ("line", "start", "end", "expected"),
    [
        ("status: actve", 9, 14, ("status: actve", "        ^^^^^")),
        ("\ta: b", 5, 6, ("    a: b", "       ^")),
        ("\u65e5\u672c: x", 5, 6, ("\u65e5\u672c: x", "      ^")),
        ("a: \u65e5\u672c", 4, 6, ("a: \u65e5\u672c", "   ^^^^")),
        ("e\u0301: x", 5, 6, ("e\u0301: x", "   ^")),
        ("a: \x1b[31mred", 4, 5, ("a: \\u001b[31mred", "   ^^^^^^")),
        ("a: \u202ered", 5, 8, ("a: \\u202ered", "         ^^^")),
        ("a:", 3, 3, ("a:", "  ^")),
    ],
)
def test_the_caret_stands_under_its_span(line: str, start: int, end: int, expected: tuple[str, str]) -> None:
    assert source_and_caret(finding(f"{line}\n", Span(1, start, 1, end))) == expected


@pytest.mark.parametrize("start", [1, 150, 380, 399])
def test_a_long_line_is_cut_around_its_span(start: int) -> None:
    line = "".join(chr(ord("a") + index % 26) for index in range(400))
    source, caret = source_and_caret(finding(line, Span(1, start + 1, 1, start + 2)))
    assert len(source) <= 120
    assert caret.index("^") < len(source)
    assert source[caret.index("^")] == line[start]
    assert caret.count("^") == 1
    assert source.startswith("...") == (start > 110)


def test_a_long_span_is_cut(snapshot: SnapshotAssertion) -> None:
    source, caret = source_and_caret(finding("x" * 500, Span(1, 11, 1, 500)))
    assert len(source) <= 120
    assert len(caret) <= 120
    assert (source, caret) == snapshot


def test_a_span_of_several_lines_shows_the_first() -> None:
    assert source_and_caret(finding("a: |\n  b\n", Span(1, 4, 2, 4))) == ("a: |", "   ^")


def test_a_written_out_secret_is_not_repeated() -> None:
    secret = finding("token: hunter2\n", Span(1, 8, 1, 15), rule="secret-literal", message="a secret is written out")
    assert source_and_caret(secret) == ("token: *******", "       ^^^^^^^")
    assert "hunter2" not in findings_json_text([secret])


def test_a_secret_is_not_repeated_for_another_finding_in_its_line() -> None:
    text = "x: {a: b, token: hunter2}\n"
    other = finding(text, Span(1, 5, 1, 6), rule="unknown-field")
    secret = finding(text, Span(1, 18, 1, 25), rule="secret-literal")
    report = findings_text([other, secret])
    assert report.count("x: {a: b, token: *******}") == 2
    assert "hunter2" not in report + findings_json_text([other, secret])


def test_nothing_of_a_file_reaches_the_terminal_raw() -> None:
    one = finding("a: b\n", Span(1, 1, 1, 2), message="\x1b]0;title\x07", hint="\x9b2J", suggestions=("\r\n",))
    text = findings_text(
        [
            Finding(
                **{field: getattr(one, field) for field in one.__slots__}
                | {"file": SourceFile("\x1b[2J\udcff.yaml", "a: b\n")}
            )
        ]
    )
    assert all(character.isprintable() or character == "\n" for character in text)
    assert findings_json_text([one]).isascii()


def test_the_last_line_counts() -> None:
    assert findings_text(TWO).splitlines()[-1] == "1 error and 1 warning in 1 file."
    assert findings_text([TWO[0], TWO[0]]).splitlines()[-1] == "2 errors in 1 file."
    assert findings_text([replace(TWO[0], rule="directory-missing")]).splitlines()[-1] == "1 error."
    assert json.loads(findings_json_text(TWO))["error_count"] == 1
