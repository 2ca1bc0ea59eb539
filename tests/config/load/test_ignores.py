"""Comments that ignore warnings: which of them are comments, and which lines each covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.load import composer, load_text
from hookctl.config.load.ignores import MAX_IGNORES
from hookctl.model import Ignore

FILE = """\
name: A # hookctl: ignore[end-of-line] a reason
# hookctl: ignore[one, two] the whole mapping
headers:
  X: 1
  # hookctl: ignore[inner] only Y
  Y: >
     # hookctl: ignore[no] text
     more
# hookctl: ignore[body] below it another comment
# which explains
body_template: | # hookctl: ignore[header] the line of the key
  # hookctl: ignore[no] text
  {}
   # hookctl: ignore[no] text
 # hookctl: ignore[less] indented less than the text
quoted: "a
  # hookctl: ignore[no] in quotes
  b" # hookctl: ignore[last-line] after the quotes
# hookctl: ignore[list] all items
items:
  # hookctl: ignore[item] the first item
  - type: x
    flow: [1,
     # hookctl: ignore[flow] inside of brackets
     2]
  - type: z
no: 'x # hookctl: ignore[no] z'
# hookctl: ignore[gap] a blank line follows

last: 1
# hookctl: ignore[nothing] the end
"""
COVERED = [
    (1, ("end-of-line",), 1, 1),
    (2, ("one", "two"), 3, 8),
    (5, ("inner",), 6, 8),
    (9, ("body",), 11, 14),
    (11, ("header",), 11, 11),
    (15, ("less",), 16, 18),
    (18, ("last-line",), 18, 18),
    (19, ("list",), 20, 26),
    (21, ("item",), 22, 25),
    (24, ("flow",), 25, 25),
    (28, ("gap",), None, None),
    (31, ("nothing",), None, None),
]
"""For each comment: its line, its ids, and the first and last line that it covers."""


def ignores(text: str) -> tuple[Ignore, ...]:
    return load_text("a.yaml", text).webhooks[0].ignores


def seen(ignore: Ignore) -> tuple[object, ...]:
    covered = (ignore.first, ignore.last) if ignore.first <= ignore.last else (None, None)
    return ignore.span.line, tuple(rule for rule, _ in ignore.rules), *covered


@pytest.mark.parametrize("parser", [composer.ComposerType, composer._PureComposer], ids=["installed", "pure"])
def test_comments_outside_of_scalars_cover_the_entry_below_them(parser: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "ComposerType", parser)
    assert [seen(ignore) for ignore in ignores(FILE)] == COVERED


def test_lines_are_those_of_the_file_in_every_document() -> None:
    text = "name: First\n---\n" + FILE
    later = load_text("a.yaml", text).webhooks[1].ignores
    assert [seen(ignore)[0] for ignore in later] == [line + 2 for line, *_ in COVERED]
    assert (later[1].first, later[1].last) == (5, 10)


@pytest.mark.parametrize(
    ("comment", "rules", "reason"),
    [
        ("# hookctl: ignore[a-b] why not", ["a-b"], "why not"),
        ("#hookctl:ignore[ a ,b ]: why", ["a", "b"], "why"),
        ("# hookctl: ignore[a]", ["a"], ""),
        ("# hookctl: ignore[] why", [], "why"),
        ("# hookctl: ignore a, because", [], ""),
        ("# hookctl: ignore[a", [], ""),
    ],
)
def test_ids_and_reason(comment: str, rules: list[str], reason: str) -> None:
    (ignore,) = ignores(f"name: A {comment}\n")
    assert ([rule for rule, _ in ignore.rules], ignore.reason) == (rules, reason)


@pytest.mark.parametrize("line", ["# hookctl: ignored", "# see hookctl: ignore[a] b", "x: a#hookctl:ignore[a]"])
def test_other_comments_ignore_nothing(line: str) -> None:
    assert ignores(f"name: A\n{line}\n") == ()


def test_an_id_has_its_own_place() -> None:
    (ignore,) = ignores("name: A # hookctl: ignore[one, two] why\n")
    assert [(span.column, span.end_column) for _, span in ignore.rules] == [(27, 30), (32, 35)]


def test_the_number_of_comments_and_ids_is_limited() -> None:
    many = "name: A # hookctl: ignore[" + "a," * 5_000 + "]\n" + "# hookctl: ignore[a] b\n" * 5_000
    found = ignores(many)
    assert len(found) == MAX_IGNORES + 1
    assert len(found[0].rules) == MAX_IGNORES + 1


PARTS = [" ", "  ", "# hookctl: ignore[a] b", "x: 1", "y: |", "- z", "'", '"', "{", "}", "\n"]


@given(st.lists(st.sampled_from(PARTS)))
def test_every_comment_that_is_found_is_one_to_yaml(parts: list[str]) -> None:
    text = "name: A\n" + "".join(parts)
    for number, webhook in enumerate(load_text("a.yaml", text).webhooks):
        lines = text.split("\n")
        for ignore in webhook.ignores:
            line = lines[ignore.span.line - 1]
            lines[ignore.span.line - 1] = line[: ignore.span.column - 1]
        assert load_text("a.yaml", "\n".join(lines)).webhooks[number].fields == webhook.fields
