"""YAML documents: what is found in them, where, and what stays readable beside it."""

from __future__ import annotations

import pytest

from hookctl.config.load import Loaded, load_text
from hookctl.config.load.composer import MAX_DEPTH

TOO_DEEP = MAX_DEPTH + 1


def load(text: str) -> Loaded:
    return load_text("a.yaml", text)


def found(text: str) -> list[tuple[str, int, int]]:
    """Rule, line and column of each finding."""
    return [(finding.rule, finding.span.line, finding.span.column) for finding in load(text).findings if finding.span]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: A\nheaders:\n\tX: y\n", ("yaml-tab", 3, 1)),
        ("name: A\nheaders:\n  \tX: y\n  Y: z\n", ("yaml-tab", 3, 3)),
        ("name: A\nbody_template: |\n\t{}\n", ("yaml-tab", 3, 1)),
        ("name: A\nurl: [\n", ("yaml-syntax", 2, 6)),
        ("name: A\nurl: 'https://a\n", ("yaml-syntax", 2, 6)),
        ('name: A\nurl: "\\q"\n', ("yaml-syntax", 2, 7)),
        ("name: A\ndescription: a: b\n", ("yaml-syntax", 2, 15)),
        ("name: A\nurl: @x\n", ("yaml-syntax", 2, 6)),
        ("name: A\n url: x\n", ("yaml-syntax", 2, 5)),
        ("%YAML 2.0\n---\nname: A\n", ("yaml-syntax", 1, 1)),
        ("name: A\nname: B\n", ("yaml-duplicate-key", 2, 1)),
        ("name: A\nheaders: {X: y, X: z}\n", ("yaml-duplicate-key", 2, 17)),
        ("name: A\nlabels: &l\n  a: b\n", ("yaml-anchor", 2, 9)),
        ("name: A\nurl: *nowhere\n", ("yaml-anchor", 2, 6)),
        ("name: A\ndescription: !!binary aGk=\n", ("yaml-tag", 2, 14)),
        ("name: A\nlabels: !local {a: b}\n", ("yaml-tag", 2, 9)),
        ("name: A\n!!str url: x\n", ("yaml-tag", 2, 1)),
        ("name: A\ntimeout_seconds: 012\n", ("yaml-ambiguous-number", 2, 18)),
        ("- name: A\n", ("yaml-not-a-mapping", 1, 1)),
        ("just text\n", ("yaml-not-a-mapping", 1, 1)),
        ("42\n", ("yaml-not-a-mapping", 1, 1)),
        ("name: A\n1: b\n", ("yaml-key-type", 2, 1)),
        ("name: A\n? [a]\n: b\n", ("yaml-key-type", 2, 3)),
        ("name: A\nurl: {{ x }}\n", ("yaml-key-type", 2, 7)),
        ("name: A\ndescription: a\u2028b\n", ("yaml-line-break", 2, 15)),
        ("name: A\rurl: b\n", ("yaml-line-break", 1, 8)),
        ("name: A\n---\n\ufeffname: B\n", ("yaml-byte-order", 3, 1)),
        ("name: \x1b[31mA\n", ("file-not-text", 1, 7)),
        ("name: \ud800\n", ("file-not-text", 1, 7)),
    ],
)
def test_each_problem_is_found_once_at_its_place(text: str, expected: tuple[str, int, int]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("labels: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH, (1, 8 + MAX_DEPTH)),
        ("labels: " + "[" * 100_000, (1, 8 + MAX_DEPTH)),
        ("[" * 1_000_000, (1, TOO_DEEP)),
        ("- " * 100_000, (1, 2 * MAX_DEPTH + 1)),
        ("{a: " * 100_000, (1, 4 * MAX_DEPTH + 1)),
        ("? " * 50_000, (1, 2 * MAX_DEPTH + 1)),
        ("".join(f"{' ' * level}a:\n" for level in range(400)), (TOO_DEEP, TOO_DEEP)),
    ],
    ids=["just over", "brackets", "a mebibyte of them", "dashes", "braces", "question marks", "indentation"],
)
def test_deep_nesting_is_a_finding(text: str, place: tuple[int, int]) -> None:
    assert found(text) == [("yaml-depth", *place)]


def test_nesting_up_to_the_limit_is_read() -> None:
    loaded = load("labels: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    assert loaded.findings == ()
    value, depth = loaded.webhooks[0].fields["labels"], 0
    while isinstance(value, list):
        value, depth = next(iter(value), None), depth + 1
    assert depth == MAX_DEPTH - 1


def test_many_indicators_are_not_deep() -> None:
    body = "".join(f'  {{"a{number}": [1]}}\n' for number in range(1000))
    assert load(f"name: A\nbody_template: |\n{body}").findings == ()


def test_aliases_of_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 40)
    ]
    loaded = load("\n".join(lines))
    assert {finding.rule for finding in loaded.findings} == {"yaml-anchor"}
    assert len(loaded.findings) == 40


def test_an_alias_to_what_is_around_it_ends() -> None:
    assert [rule for rule, *_ in found("labels: &l\n  a: *l\n")] == ["yaml-anchor"]


def test_problems_of_one_document_are_all_found() -> None:
    text = "name: A\nname: B\ntimeout_seconds: 1_000\nlabels: &x {a: 1}\ndescription: !!str b\n2: c\n"
    assert [rule for rule, *_ in found(text)] == [
        "yaml-duplicate-key",
        "yaml-ambiguous-number",
        "yaml-anchor",
        "yaml-tag",
        "yaml-key-type",
    ]


@pytest.mark.parametrize(
    "bad", ["name: [", "name: 'x", "\tname: x", "- x", "name: \x01", "name: \u2028", "name: *x", "[" * 70]
)
def test_one_bad_document_hides_nothing_in_the_others(bad: str) -> None:
    loaded = load(f"name: A\n---\n{bad}\n---\nname: C\nname: D\n--- # comment\nname: E\n...\n# end\n")
    assert [webhook.name for webhook in loaded.webhooks] == ["A", "C", "E"]
    assert [webhook.number for webhook in loaded.webhooks] == [1, 2, 3]
    assert len(loaded.findings) == 2
    assert loaded.findings[0].span is not None
    assert loaded.findings[0].span.line == 3
    assert loaded.findings[1].rule == "yaml-duplicate-key"


def test_markers_inside_a_block_are_text_when_they_are_indented() -> None:
    (webhook,) = load("name: A\nbody_template: |\n  ---\n  a\n  ...\n").webhooks
    assert webhook.fields["body_template"] == "---\na\n...\n"


def test_comments_and_directives_before_a_document_belong_to_it() -> None:
    loaded = load("# licence\n%YAML 1.2\n---\nname: A\n...\n# next\n---\nname: B\n")
    assert [webhook.name for webhook in loaded.webhooks] == ["A", "B"]
    assert loaded.findings == ()


def test_windows_line_ends_are_read() -> None:
    loaded = load("name: A\r\nbody_template: |\r\n  {\r\n  }\r\ntimeout_seconds: 010\r\n")
    assert loaded.webhooks[0].fields["body_template"] == "{\n}\n"
    assert found("name: A\r\ntimeout_seconds: 010\r\n") == [("yaml-ambiguous-number", 2, 18)]


def test_what_could_not_be_read_is_marked_for_the_check() -> None:
    loaded = load("name: A\ntimeout_seconds: 012\nlabels: &x {a: b}\nheaders: *x\nurl: {{ x }}\n")
    assert set(loaded.webhooks[0].unread) == {("timeout_seconds",), ("headers",), ("url",)}


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    (finding,) = load("name: A\n---\nname: B\nurl: x\nname: C\n").findings
    assert "line 3" in finding.message
    assert finding.webhook == "B"


def test_a_python_without_libyaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from hookctl.config.load import composer

    text = (
        "name: A\nbody_template: |\n  {a: [1, '2', 0x3]}\n---\nlabels: "
        + "[" * 1000
        + "\n---\na: 'b\n---\nc: [1, 2.5, on, ~]\n"
    )
    fast = load(text)
    monkeypatch.setattr(composer, "ComposerType", composer._PureComposer)
    slow = load(text)
    assert [webhook.fields for webhook in slow.webhooks] == [webhook.fields for webhook in fast.webhooks]
    assert [(finding.rule, finding.span) for finding in slow.findings] == [
        (finding.rule, finding.span) for finding in fast.findings
    ]
    assert [finding.rule for finding in slow.findings] == ["yaml-depth", "yaml-syntax"]
