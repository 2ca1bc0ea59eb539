"""Why a ``when`` is false for an event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import RenderError
from hookctl.when.condition import compile_when
from hookctl.when.explanation import MAX_CHARACTERS, why_false

EVENT: dict[str, Any] = {
    "id": "e1",
    "data": {
        "severity": "Low",
        "score": 3,
        "tags": ["a", "b"],
        "owner": None,
        "quote": "it's && (",
        "long": "x" * 200,
        "half": "\ud800",
    },
}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data.severity == 'High'", """data.severity == 'High' (data.severity is "Low")"""),
        ("data.score > `2` && data.severity == 'High'", """data.severity == 'High' (data.severity is "Low")"""),
        (
            "(data.score > `2` && (data.severity == 'High' && data.owner)) && data.x",
            """data.severity == 'High' (data.severity is "Low")""",
        ),
        ("data.score > `2` && data.owner", "data.owner (data.owner is null)"),
        ("data.owner || data.missing", "data.owner || data.missing (data.owner is null, data.missing is null)"),
        (
            "data.score == `3` && (data.severity == 'High' || data.severity == 'Critical')",
            """data.severity == 'High' || data.severity == 'Critical' (data.severity is "Low")""",
        ),
        ("!contains(data.tags, 'a')", """!contains(data.tags, 'a') (data.tags is ["a","b"])"""),
        (
            "!(data.score > `2` && data.tags)",
            """!(data.score > `2` && data.tags) (data.score is 3, data.tags is ["a","b"])""",
        ),
        ("data.tags[0] == 'b'", """data.tags[0] == 'b' (data.tags[0] is "a")"""),
        ("data.tags[?@ == 'c']", "data.tags[?@ == 'c']"),
        ("data.quote == 'a && (b' && data.x", """data.quote == 'a && (b' (data.quote is "it's && (")"""),
        ("data.score > `2`\n  &&\n  data.severity   == 'High'", """data.severity == 'High' (data.severity is "Low")"""),
        ("data.owner && data.x | @", "data.owner && data.x | @"),
        ("`false`", "`false`"),
        ("data.long == 'x'", f"""data.long == 'x' (data.long is "{"x" * (MAX_CHARACTERS - 1)}...)"""),
        ("data.half == 'x'", "data.half == 'x' (data.half is a value that cannot be shown)"),
        (
            "id == 'a' || data.severity == 'a' || data.score == `1` || data.owner || data.a || data.b || data.c",
            (
                "id == 'a' || data.severity == 'a' || data.score == `1` || data.owner || data.a || data.b || data.c "
                '(id is "e1", data.severity is "Low", data.score is 3, data.owner is null, data.a is null and 2 more)'
            ),
        ),
    ],
)
def test_the_smallest_false_part_and_its_values(text: str, why: str) -> None:
    assert not compile_when(text).matches(EVENT)
    assert why_false(text, EVENT) == why


def test_a_true_expression_has_no_reason() -> None:
    assert why_false("data.severity == 'Low' && data.tags", EVENT) == ""


def test_an_expression_that_cannot_be_evaluated() -> None:
    with pytest.raises(RenderError):
        why_false("contains(data.missing, 'x')", EVENT)


LEAVES = st.sampled_from(
    ["a", "b", "c", "!a", "a == `1`", "b < `2`", "contains('x', 'y')", "[a, b][?@]", "{k: a && b}"]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("{} && {}".format, inner, inner),
        st.builds("{} || {}".format, inner, inner),
        st.builds("({})".format, inner),
        st.builds("!({})".format, inner),
        st.builds("( {} )&&( {} )".format, inner, inner),
    ),
    max_leaves=8,
)


@given(text=EXPRESSIONS, values=st.tuples(*[st.sampled_from([0, 1, 2, None, True, False])] * 3))
def test_the_part_is_false_and_the_expression_is_an_and_of_it(text: str, values: tuple[Any, ...]) -> None:
    """The part that is shown is false by itself, and it is empty exactly where the expression is true."""
    event = dict(zip("abc", values, strict=True))
    why = why_false(text, event)
    assert (why == "") is compile_when(text).matches(event)
    if why:
        part = why.partition(" (a is")[0].partition(" (b is")[0].partition(" (c is")[0]
        assert not compile_when(part).matches(event)
        assert "".join(part.split()) in "".join(text.split())
