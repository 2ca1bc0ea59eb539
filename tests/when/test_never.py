"""A ``when`` that no event of the type can satisfy."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import RenderError
from hookctl.plugin.host import load_plugins
from hookctl.plugin.interfaces import EventType
from hookctl.when.condition import compile_when
from hookctl.when.reach import Reach
from hookctl.when.unsatisfiable import why_never

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["event_type", "data"],
    "properties": {
        "event_type": {"const": "x"},
        "data": {
            "type": "object",
            "required": ["level", "score", "done"],
            "properties": {
                "level": {"enum": ["Low", "High"]},
                "score": {"type": "integer", "minimum": 0, "maximum": 3},
                "done": {"type": "boolean"},
                "maybe": {"type": ["string", "null"], "enum": ["a", None]},
                "text": {"type": "string"},
            },
        },
    },
}
EVENT_TYPE = EventType(name="x", summary="", schema=SCHEMA, mock={})


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("data.level == 'Critical'", "data.level is one of 'Low', 'High', never 'Critical'"),
        ("'Critical' == data.level", "data.level is one of 'Low', 'High', never 'Critical'"),
        ("data.level == 'Low' && data.level == 'High'", "data.level cannot be 'Low' and 'High' at once"),
        ("data.text == 'a' && (data.level == 'low' || data.score > `3`)", "data.score has the maximum 3"),
        ("data.score < `0`", "data.score has the minimum 0"),
        ("`-1` >= data.score", "data.score has the minimum 0"),
        ("data.score == '1'", "data.score is of type integer, never '1'"),
        ("data.done == 'true'", "data.done is one of false, true, never 'true'"),
        ("data.level == `null`", "data.level is never null"),
        ("data.maybe == 'b'", "data.maybe is 'a', never 'b'"),
        ("!(event_type == 'x')", "it is false for every event"),
        ("event_type != 'x'", "it is false for every event"),
        ("contains(['low', 'high'], data.level)", "data.level is one of 'Low', 'High', never 'low' or 'high'"),
        ('contains(`["low"]`, data.level)', "data.level is one of 'Low', 'High', never 'low'"),
    ],
)
def test_never(when: str, why: str) -> None:
    assert why_never(when, EVENT_TYPE) == why


@pytest.mark.parametrize(
    "when",
    [
        "data.level == 'High'",
        "data.level == 'Critical' || data.text == 'x'",
        "data.score >= `3`",
        "data.score <= `0`",
        "data.maybe == `null`",
        "data.maybe == 'a'",
        "data.maybe != 'b'",
        "data.level != 'Critical'",
        "data.done == `true`",
        "contains(['Low'], data.level)",
        "contains(['Low', `1`], data.done)",
        "contains(data.text, 'x')",
        "data.text",
        "data.text > `1`",
        "data.text > 'a'",
        "data.free.x == `1`",
        "length(data.text) > `5`",
    ],
)
def test_perhaps(when: str) -> None:
    assert why_never(when, EVENT_TYPE) is None


fields = st.sampled_from(["data.level", "data.score", "data.done", "data.maybe", "data.text", "event_type"])
literals = st.sampled_from(
    ["'Low'", "'High'", "'Critical'", "'x'", "'a'", "`0`", "`1`", "`3`", "`4`", "`1.0`", "`true`", "`false`", "`null`"]
)
comparisons = st.builds("{0} {1} {2}".format, fields, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), literals)
lists = st.builds("contains([{0}, {1}], {2})".format, literals, literals, fields)
expressions = st.recursive(
    comparisons | lists,
    lambda inner: (
        st.builds("({0} {1} {2})".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("!({0})".format, inner)
    ),
    max_leaves=5,
)
events = st.fixed_dictionaries(
    {
        "event_type": st.just("x"),
        "data": st.fixed_dictionaries(
            {"level": st.sampled_from(["Low", "High"]), "score": st.integers(0, 3), "done": st.booleans()},
            optional={"maybe": st.sampled_from(["a", None]), "text": st.sampled_from(["", "x", "Low"])},
        ),
    }
)


@given(expressions, st.lists(events, min_size=1, max_size=8))
def test_what_is_said_never_to_match_matches_no_event(when: str, sample: list[dict[str, Any]]) -> None:
    if why_never(when, EVENT_TYPE) is not None:
        assert not any(matches(when, event) for event in sample)


def matches(when: str, event: dict[str, Any]) -> bool:
    try:
        return compile_when(when).matches(event)
    except RenderError:
        return False


WITH_MOCK = EventType(
    name="x", summary="", schema=SCHEMA, mock={"event_type": "x", "data": {"level": "Low", "score": 0, "done": False}}
)


@given(st.lists(expressions, min_size=2, max_size=8), st.data())
def test_thousands_are_judged_as_each_by_itself(whens: list[str], data: st.DataObject) -> None:
    texts = st.sampled_from(["Low", "Critical", "x", "a", "§1§"])
    alike = [re.sub("'[^']*'", lambda _: f"'{data.draw(texts)}'", when) for when in whens * 3]
    reach = Reach()
    for when in alike:
        why = why_never(when, WITH_MOCK)
        assert reach.why_never(when, WITH_MOCK) == (None if why and matches(when, dict(WITH_MOCK.mock)) else why)


def test_what_the_mock_event_says_counts_more_than_the_schema() -> None:
    beyond = EventType(
        name="x",
        summary="",
        schema=SCHEMA,
        mock={"event_type": "x", "data": {"level": "Critical", "score": 0, "done": False}},
    )
    assert Reach().why_never("data.level == 'Critical'", WITH_MOCK)
    assert Reach().why_never("data.level == 'Critical'", beyond) is None
    assert Reach().why_never("data.level ==", WITH_MOCK) is None


def test_the_built_in_event_type() -> None:
    anomaly = load_plugins().event_types["anomaly"]
    assert (
        why_never("data.severity == 'Critical'", anomaly)
        == "data.severity is one of 'Low', 'Medium', 'High', never 'Critical'"
    )
    assert why_never("data.resource.type == 'database'", anomaly) is None
