"""Annotations, read as the runner of GitHub Actions reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.model import Finding, Severity, SourceFile, Span
from hookctl.model.rules.plans import AGAINST, DRIFT, PROTECTED, REMOVALS
from hookctl.report.formats.annotations import Annotation, in_repository, of_findings, of_plan
from hookctl.report.formats.github import annotation_lines, notice_line
from hookctl.report.text.printable import printable

COMMAND = re.compile(r"::(error|warning|notice) ([^\n\r]*?)::([^\n\r]*)")


def unescaped(text: str, *, in_property: bool = False) -> str:
    """As the runner does: each escape once, the percent sign last."""
    for escape, character in [
        ("%0D", "\r"),
        ("%0A", "\n"),
        *([("%3A", ":"), ("%2C", ",")] if in_property else []),
        ("%25", "%"),
    ]:
        text = text.replace(escape, character)
    return text


def read(line: str) -> tuple[str, dict[str, str], str]:
    found = COMMAND.fullmatch(line)
    assert found, line
    kind, properties, message = found.groups()
    pairs = [pair.split("=", 1) for pair in properties.split(",")]
    return kind, {name: unescaped(value, in_property=True) for name, value in pairs}, unescaped(message)


def annotation(
    message: str = "m", path: str = "webhooks.d/a.yaml", span: Span | None = None, **fields: object
) -> Annotation:
    whole = {"rule": "wrong-value", "is_error": True, "advice": ("Do it.",)} | fields
    return Annotation(message=message, path=path, span=span, **whole)  # type: ignore[arg-type]


def test_an_error_with_its_place() -> None:
    assert annotation_lines([annotation(span=Span(2, 9, 2, 14))]) == (
        "::error file=webhooks.d/a.yaml,line=2,endLine=2,col=9,endColumn=14,title=wrong-value::"
        "webhooks.d/a.yaml:2:9: m%0ADo it.\n"
    )


def test_columns_are_left_out_over_several_lines() -> None:
    _, properties, _ = read(annotation_lines([annotation(span=Span(2, 9, 4, 1))]).rstrip("\n"))
    assert properties == {"file": "webhooks.d/a.yaml", "line": "2", "endLine": "4", "title": "wrong-value"}


def test_errors_come_before_warnings() -> None:
    lines = annotation_lines([annotation("one", is_error=False), annotation("two")]).splitlines()
    assert [read(line)[::2] for line in lines] == [
        ("error", "webhooks.d/a.yaml: two\nDo it."),
        ("warning", "webhooks.d/a.yaml: one\nDo it."),
    ]


@given(st.text(), st.text(), st.text())
def test_whatever_it_says_it_is_one_command(message: str, path: str, rule: str) -> None:
    lines = annotation_lines([annotation(printable(message), path, Span(1, 1, 1, 2), rule=rule, advice=())])
    assert lines.count("\n") == 1
    kind, properties, said = read(lines.removesuffix("\n"))
    assert (kind, properties["file"], properties["title"], properties["col"]) == ("error", printable(path), rule, "1")
    assert said == f"{printable(path)}:1:1: {printable(message)}"


def test_a_notice() -> None:
    assert read(notice_line("hookctl plan", "Plan: 100 % of 2").rstrip("\n")) == (
        "notice",
        {"title": "hookctl plan"},
        "Plan: 100 % of 2",
    )


def test_what_is_wrong_in_a_file() -> None:
    finding = Finding(
        rule="unknown-field",
        severity=Severity.WARNING,
        message="unknown field\n`x`",
        hint="Remove it.",
        file=SourceFile("webhooks.d/a.yaml", "x: 1\n"),
        span=Span(1, 1, 1, 2),
        suggestions=("url", "when"),
    )
    (made,) = of_findings([finding], Path.cwd())
    assert (made.is_error, made.message, made.advice) == (
        False,
        "unknown field\\n`x`",
        ("Did you mean url or when?", "Remove it."),
    )
    assert made.path == "webhooks.d/a.yaml"


def test_what_a_policy_says() -> None:
    file = SourceFile("webhooks.d/a.yaml", "name: A\n")
    findings = [
        Finding(
            source="owner_label", webhook="A", message="no owner", hint="Add it.", file=file, span=Span(1, 7, 1, 8)
        ),
        Finding(source="freeze", message="no", severity=Severity.WARNING),
    ]
    placed, general = of_plan(findings, Path("webhooks.d"), Path.cwd())
    assert (placed.rule, placed.message, placed.path, placed.span) == (
        "policy/owner_label",
        "A: no owner",
        "webhooks.d/a.yaml",
        Span(1, 7, 1, 8),
    )
    assert (general.rule, general.message, general.path, general.span, general.is_error) == (
        "policy/freeze",
        "no",
        "webhooks.d",
        None,
        False,
    )


def test_what_hookctl_itself_says_of_a_plan_is_no_policy() -> None:
    named = {rule.id for rule in (AGAINST, DRIFT, REMOVALS, PROTECTED)}
    made = of_plan(
        [Finding(rule=name, message="m", hint="h") for name in sorted(named)], Path("webhooks.d"), Path.cwd()
    )
    assert [one.rule for one in made] == sorted(named)


@pytest.mark.parametrize(
    ("written", "below"),
    [
        ("webhooks.d/a.yaml", "sub/webhooks.d/a.yaml"),
        ("../a.yaml", "a.yaml"),
        ("../../a.yaml", None),
        ("./x/../a b.yaml", "sub/a b.yaml"),
    ],
)
def test_paths_begin_at_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, below: str | None
) -> None:
    root = tmp_path / "repository"
    (root / "sub").mkdir(parents=True)
    monkeypatch.chdir(root / "sub")
    assert in_repository(written, root) == (below or (tmp_path / "a.yaml").as_posix())
