"""The quick way to a document's value takes no document that the careful way has something to say about."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookctl.config.load.composer import compose
from hookctl.config.load.construct import Construction, SpecialError, plain_value
from hookctl.config.load.problem import Problem

PIECES = [
    "a: ",
    "b: ",
    "\n",
    "  ",
    "- ",
    "? ",
    ": ",
    ":",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "|\n",
    "&a ",
    "&a",
    "!x ",
    "!",
    "!!str ",
    "x",
    "012",
    "7",
    "~",
    "yes",
]


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
@example("a: !x 1\n")
@example("a:\n  &b c\n")
@example('{"a":!x b}')
@example("{a: b, &c d: e}")
@example("- &a b\n- [!x c]\n")
@example("? &a b\n: !x c\n")
@example("a: 1\na: 2\n")
@example("when: x && y != 'z'\n")
def test_the_quick_way_gives_what_the_careful_way_gives(text: str) -> None:
    root = compose(text)
    if root is None or isinstance(root, Problem):
        return
    try:
        value = plain_value(text, root)
    except SpecialError:
        return
    construction = Construction(text, root, lambda _offset: 1)
    assert construction.problems == []
    assert construction.unread == []
    assert (construction.value, repr(construction.value)) == (value, repr(value))


@pytest.mark.parametrize(
    "text",
    [
        "name: A\nwhen: data.a == 'x' && data.b != 'y'\n",
        'name: A\nbody_template: |\n  {"a": "{{ data.title }} & more!"}\n',
        "name: A\nresponse_validators:\n  - json_path: $.data.status\n    expected_values: [accepted, 7, true]\n",
    ],
)
def test_most_documents_go_the_quick_way(text: str) -> None:
    root = compose(text)
    assert root is not None
    assert not isinstance(root, Problem)
    assert isinstance(plain_value(text, root), dict)
