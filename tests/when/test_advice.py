"""Conditions in the syntax of other languages get the same condition in JMESPath as their hint, and it compiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.model import Json
from hookctl.plugin import EventType
from hookctl.when.advice import rewrite
from hookctl.when.condition import check_when, compile_when
from hookctl.when.expression import check_calls, compile_expression

FIELDS: dict[str, Json] = {
    "severity": {"type": "string", "enum": ["Low", "High"]},
    "title": {"type": "string"},
    "count": {"type": "integer"},
    "ok": {"type": "boolean"},
    "note": {"type": ["string", "null"]},
    "tags": {"type": "array", "items": {"type": "string"}},
    "groups": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def alert() -> EventType:
    data: Json = {"type": "object", "properties": FIELDS, "required": [*FIELDS]}
    schema: dict[str, Json] = {"type": "object", "properties": {"data": data, "event_time": {"type": "number"}}}
    return EventType(
        name="alert",
        summary="An alert",
        schema=schema,
        mock={"event_type": "alert", "event_time": 1, "id": "1", "data": {}},
    )


REWRITTEN = [
    ('data.severity == "High"', "data.severity == 'High'"),
    ("data.severity == High", "data.severity == 'High'"),
    ("data.severity == `High`", "data.severity == 'High'"),
    ("data.severity = 'High'", "data.severity == 'High'"),
    ("data.severity === 'High'", "data.severity == 'High'"),
    ("data.severity <> 'High'", "data.severity != 'High'"),
    ("data.severity in ['High', 'Low']", "contains(['High', 'Low'], data.severity)"),
    ('data.severity in ("High", "Low")', "contains(['High', 'Low'], data.severity)"),
    ("data.severity not in ['Low']", "!contains(['Low'], data.severity)"),
    ("data.count in [1, 2]", "contains([`1`, `2`], data.count)"),
    ("'x' in data.tags", "contains(data.tags, 'x')"),
    ("data.tags contains 'x'", "contains(data.tags, 'x')"),
    ('contains(["High"], data.severity)', "contains(['High'], data.severity)"),
    ("data.ok and data.count > 5", "data.ok && data.count > `5`"),
    ("data.ok OR data.count > 5", "data.ok || data.count > `5`"),
    ("not data.ok", "!(data.ok)"),
    ("!data.ok", "!(data.ok)"),
    ("not data.severity == 'High' and data.ok", "!(data.severity == 'High') && data.ok"),
    ("data.ok == true", "data.ok == `true`"),
    ("data.note == null", "data.note == `null`"),
    ("data.note is none", "data.note == `null`"),
    ("data.note is not none", "data.note != `null`"),
    ("data.note is defined", "data.note != `null`"),
    ("data.note is not defined", "data.note == `null`"),
    ("exists(data.note)", "data.note != `null`"),
    ("data.title.startswith('x')", "starts_with(data.title, 'x')"),
    ("data.title.endsWith('x')", "ends_with(data.title, 'x')"),
    ("data.tags.includes('x')", "contains(data.tags, 'x')"),
    ("len(data.tags) > 3", "length(data.tags) > `3`"),
    ("data.tags | length > 3", "length(data.tags) > `3`"),
    ("data.tags.length > 3", "length(data.tags) > `3`"),
    ("{{ data.severity == 'High' }}", "data.severity == 'High'"),
    ("{% if data.ok and data.note %}", "data.ok && data.note"),
    ("$.data.severity == 'High'", "data.severity == 'High'"),
    ("data['severity'] == 'High'", "data.severity == 'High'"),
    ('data.groups[?name = "a"]', "data.groups[?name == 'a']"),
    ("data.groups[?name == a]", "data.groups[?name == 'a']"),
    ('data.count > "3"', "data.count > `3`"),
    ('data.count <= "-1.5" and data.ok', "data.count <= `-1.5` && data.ok"),
    ("data.severity in ('High')", "contains(['High'], data.severity)"),
    ('data.severity in ("High")', "contains(['High'], data.severity)"),
    ("data.severity not in ('High')", "!contains(['High'], data.severity)"),
    ("data.severity == 'High' or 'Low'", "data.severity == 'High' || data.severity == 'Low'"),
    ("data.ok and (data.count == 1 or 2)", "data.ok && (data.count == `1` || data.count == `2`)"),
    ("\"data.severity\" == 'High'", "data.severity == 'High'"),
    ("data.severity == \u201cHigh\u201d", "data.severity == 'High'"),
    ("data.severity == \u2018High\u2019", "data.severity == 'High'"),
]


@pytest.mark.parametrize(("written", "here"), REWRITTEN)
def test_the_hint_is_the_condition_in_jmespath(alert: EventType, written: str, here: str) -> None:
    (problem,) = check_when(written, alert)
    assert (problem.hint, problem.suggestions) == (f"Write {here}", ())
    assert check_when(here, alert) == []


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("data.title =~ 'x'", "Write contains(data.title, 'x') or starts_with(data.title, 'x')"),
        ("data.title like 'x%'", "no regular expressions"),
        ("lower(data.title) == 'x'", "does not change case"),
        ("lenght(data.tags) == `1`", "Did you mean length()?"),
        ("contains(data.tags)", "jmespath.org"),
        ("data.tags[", "jmespath.org"),
    ],
)
def test_what_has_no_counterpart_is_explained(alert: EventType, written: str, says: str) -> None:
    (problem,) = check_when(written, alert)
    assert says in problem.hint
    for code in re.findall(r"\w+\([^()]*, '\w+'\)", problem.hint):
        assert check_when(code, alert) == []


def test_a_field_of_the_data_is_suggested_with_its_path(alert: EventType) -> None:
    (problem,) = check_when("severity == 'High'", alert)
    assert problem.suggestions == ("data.severity",)


def test_a_misspelled_field_stays_misspelled_beside_text_in_wrong_quotes(alert: EventType) -> None:
    text, field = check_when("data.severity == \"High\" || data.titel == 'x'", alert)
    assert text.hint == "Write data.severity == 'High' || data.titel == 'x'"
    assert field.suggestions == ("title",)


@pytest.mark.parametrize(("count", "says"), [(1, ""), (3, "takes 2 arguments, not 3")])
def test_the_arguments_of_functions_are_counted(alert: EventType, count: int, says: str) -> None:
    arguments = ", ".join(["data.tags", "'x'", "'y'"][: count + 1 if count == 1 else count])
    problems = check_when(f"contains({arguments})", alert)
    assert [problem.message for problem in problems] == ([f"contains() {says}"] if says else [])


# Conditions as Python has them, with what they give for DATA
DATA: dict[str, Any] = {"severity": "High", "title": "a b", "count": 3, "ok": True, "note": None, "tags": ["x", "High"]}
EVENT: dict[str, Json] = {"data": DATA, "event_time": 1, "event_type": "alert", "id": "1"}
Condition = tuple[str, bool]
TEXTS = st.sampled_from(["High", "Low", "a b", "x"])
FIELDS_OF_TEXT = st.sampled_from(["severity", "title"])


def compared(sign: str, holds: Callable[[Any, Any], bool]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(
            lambda field, text, quote: (f"data.{field} {sign} {quote}{text}{quote}", holds(DATA[field], text)),
            FIELDS_OF_TEXT,
            TEXTS,
            st.sampled_from("'\""),
        ),
        st.builds(lambda number: (f"data.count {sign} {number}", holds(3, number)), st.integers(-5, 5)),
    )


LEAVES = st.one_of(
    compared("==", lambda a, b: a == b),
    compared("=", lambda a, b: a == b),
    compared("!=", lambda a, b: a != b),
    st.builds(lambda number: (f"data.count > {number}", number < 3), st.integers(-5, 5)),
    st.builds(
        lambda field, texts, word: (f"data.{field} {word} {texts}", (DATA[field] in texts) == (word == "in")),
        FIELDS_OF_TEXT,
        st.lists(TEXTS, min_size=1, max_size=3),
        st.sampled_from(["in", "not in"]),
    ),
    st.builds(lambda text: (f"'{text}' in data.tags", text in DATA["tags"]), TEXTS),
    st.sampled_from([("data.ok", True), ("data.note", False), ("data.note is none", True), ("data.ok == true", True)]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: (f"({a[0]}) and ({b[0]})", a[1] and b[1]), inner, inner),
        st.builds(lambda a, b: (f"{a[0]} or {b[0]}", a[1] or b[1]), LEAVES, LEAVES),
        st.builds(lambda a: (f"not ({a[0]})", not a[1]), inner),
        st.builds(lambda a: (f"not {a[0]}", not a[1]), LEAVES),
        st.builds(lambda a, b: (f"{a[0]} and not {b[0]}", a[1] and not b[1]), LEAVES, LEAVES),
    ),
    max_leaves=5,
)


@given(CONDITIONS)
def test_the_hint_means_what_the_condition_means_in_python(alert: EventType, condition: Condition) -> None:
    text, expected = condition
    problems = check_when(text, alert)
    if not problems:
        assert compile_when(text).matches(EVENT) is expected
        return
    hints = {problem.hint for problem in problems}
    assert all(hint.startswith("Write ") for hint in hints), (text, problems)
    for hint in hints:
        assert rewrite(hint.removeprefix("Write ")) == hint.removeprefix("Write ")
        assert compile_when(hint.removeprefix("Write ")).matches(EVENT) is expected


WORDS = st.sampled_from(
    [
        *(
            "data.severity",
            "data",
            "High",
            '"High"',
            "'High'",
            "`High`",
            "`5`",
            "5",
            "true",
            "none",
            "not",
            "and",
            "or",
        ),
        *("in", "is", "=", "==", "===", "!", "!=", "<>", "<", "&&", "||", "|", "&", "(", ")", "[", "]", "[?", ",", "."),
        *("length", "contains", "contains(", "len(", "starts_with", ".x", "@", "*", "$", "{{", "}}", "'", '"', "\\"),
    ]
)


@given(st.lists(WORDS, max_size=14), st.sampled_from(["", " "]))
def test_each_expression_in_a_hint_compiles(alert: EventType, words: list[str], between: str) -> None:
    text = between.join(words)
    for problem in check_when(text, alert):
        if problem.hint.startswith("Write data") or problem.hint.startswith("Write !"):
            written = problem.hint.removeprefix("Write ")
            check_calls(written, compile_expression(written))
            assert len(written) <= 2 * len(text) + 40


@given(st.text(alphabet="()[]!& ='\"`adnotir.|,5?", max_size=80))
def test_any_text_can_be_tried(text: str) -> None:
    rewrite(text)


@pytest.mark.parametrize("text", ["(" * 200, "!" * 300, "not " * 70 + "a", "&" * 299, "[?" * 140, "a" * 301])
def test_nesting_and_length_are_bounded(text: str) -> None:
    assert rewrite(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "data.severity == 'High'",
        "!(data.ok) && data.count > `5`",
        "contains(['High', 'Low'], data.severity)",
        "data.groups[?name == 'a'] | [0].name",
        "length(data.groups[*].name) > `1` || data.tags[0:2] == `[]`",
        "max_by(data.groups, &name).name == 'x'",
        "!((data.ok) && (data.title == ')'))",
        "!contains(data.tags, 'x')",
    ],
)
def test_jmespath_stays_as_it_is(text: str) -> None:
    assert rewrite(text) == text
    jmespath.compile(text)
