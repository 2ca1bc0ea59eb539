"""Positions: where keys, values and parts of texts stand."""

from __future__ import annotations

import pytest

from hookctl.config.load import load_text
from hookctl.model import Pointer, Span, Webhook

TEXT = """\
# a comment
name: Siem
url: 'https://siem.example.com/'
description: "tab\\there"
headers: {X-A: one, X-B: two}
auth:
  - type: bearer
    token: ${env:T}
  - type: oauth2
body_template: |-
  {

    "a": "{{ data.x }}"
  }
when: >
  data.x ==
  'y'
labels:
response_validators:
- json_path: $.data
  expected_values:
  - a
  - b
"""


@pytest.fixture(scope="module")
def webhook() -> Webhook:
    (webhook,) = load_text("a.yaml", TEXT).webhooks
    return webhook


def text_at(span: Span) -> str:
    lines = TEXT.split("\n")
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    return "\n".join(
        [
            lines[span.line - 1][span.column - 1 :],
            *lines[span.line : span.end_line - 1],
            lines[span.end_line - 1][: span.end_column - 1],
        ]
    )


@pytest.mark.parametrize(
    ("pointer", "key", "value"),
    [
        ((), "name", "name"),
        (("name",), "name", "Siem"),
        (("url",), "url", "'https://siem.example.com/'"),
        (("headers",), "headers", "{X-A: one, X-B: two}"),
        (("headers", "X-B"), "X-B", "two"),
        (("auth",), "auth", "type"),
        (("auth", 0), "type", "type"),
        (("auth", 0, "token"), "token", "${env:T}"),
        (("auth", 1, "type"), "type", "oauth2"),
        (("body_template",), "body_template", "|-"),
        (("labels",), "labels", "labels"),
        (("response_validators", 0, "expected_values", 1), "b", "b"),
        (("auth", 0, "missing"), "type", "type"),
        (("missing",), "name", "name"),
        (("auth", 7, "missing"), "auth", "type"),
    ],
)
def test_keys_and_values(webhook: Webhook, pointer: Pointer, key: str, value: str) -> None:
    assert text_at(webhook.positions.key(pointer)) == key
    assert text_at(webhook.positions.value(pointer)) == value


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("url", "siem.example"),
        ("name", "S"),
        ("body_template", "{{ data.x }}"),
        ("body_template", "{\n\n  "),
        ("body_template", "\n}"),
    ],
)
def test_parts_of_texts(webhook: Webhook, field: str, part: str) -> None:
    text = str(webhook.fields[field])
    start = text.index(part)
    span = webhook.positions.within((field,), start, start + len(part))
    assert "".join(text_at(span).split()) == "".join(part.split())
    assert text_at(webhook.positions.within((field,), start, start)) == ""


def test_a_part_of_a_text_with_escapes_or_folds_is_the_whole_value(webhook: Webhook) -> None:
    assert text_at(webhook.positions.within(("description",), 4, 8)) == '"tab\\there"'
    assert text_at(webhook.positions.within(("when",), 0, 4)) == ">"


def test_offsets_past_the_end_stay_in_the_file(webhook: Webhook) -> None:
    span = webhook.positions.within(("body_template",), 0, 10_000)
    assert (span.line, span.column) == (11, 3)
    assert (span.end_line, span.end_column) == (14, 4)


def test_columns_count_characters_and_lines_count_over_documents() -> None:
    _, second = load_text("a.yaml", "name: A\n---\n\u65e5\u672c\U0001f600: {b: c}\n").webhooks
    assert second.positions.value(("\u65e5\u672c\U0001f600", "b")) == Span(3, 10, 3, 11)


@pytest.mark.parametrize("header", ["|", "|+", "|2", "|2-  # why", "|-"])
def test_every_header_of_a_literal_block(header: str) -> None:
    first, second = ("     one", "  two") if "2" in header else ("    one", "      two")
    text = f"name: A\nbody_template: {header}\n{first}\n\n{second}\n"
    (webhook,) = load_text("a.yaml", text).webhooks
    value = str(webhook.fields["body_template"])
    for part, line in (("one", 3), ("two", 5)):
        start = value.index(part)
        column = text.split("\n")[line - 1].index(part) + 1
        assert webhook.positions.within(("body_template",), start, start + 3) == Span(line, column, line, column + 3)
