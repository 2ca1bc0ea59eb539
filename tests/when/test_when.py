from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.functions import Functions

from hookctl.bounded import Budget
from hookctl.bounded.jmes_path import FAILURES, evaluate
from hookctl.errors import RenderError, TemplateError
from hookctl.plugin import EventType
from hookctl.when.condition import check_when, compile_when

DOCUMENT: dict[str, Any] = {
    "id": "e",
    "event_type": "access",
    "event_time": 5,
    "data": {"severity": "High", "groups": [{"name": "a"}], "zero": 0, "empty": [], "text": ""},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.severity == 'High'", True),
        ("data.severity == 'Low'", False),
        ("contains(['High', 'Medium'], data.severity)", True),
        ("data.groups[?name == 'a']", True),
        ("data.groups[?name == 'b']", False),
        ("event_time > `4` && event_type == 'access'", True),
        ("data.zero", True),
        ("data.empty", False),
        ("data.text", False),
        ("data.gone", False),
        ("!(data.gone)", True),
        ("`false`", False),
        ("data", True),
    ],
)
def test_truth_is_jmespaths(text: str, expected: bool) -> None:
    assert compile_when(text).matches(DOCUMENT) is expected


def test_conditions_side_by_side_are_not_nested() -> None:
    sides = "!(data.severity != 'Low') && [a, b][?!c && d] && sort_by(x, &y) || " * 8 + "data.gone"
    compile_when(sides)


def test_what_cannot_be_applied_is_an_error_with_the_expression() -> None:
    for text in ["length(event_time)", "sum(data.groups)", "sort_by(data.groups, &gone)[0] == `1` && abs('x')"]:
        with pytest.raises(RenderError) as caught:
            compile_when(text).matches(DOCUMENT)
        assert caught.value.message.startswith(text)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("data.severity = 'High'", "=", "cannot be read"),
        ("data.", ".", "not complete"),
        ("", "", "cannot be read: it is empty"),
        ("data.severity == 'High", "'High", "cannot be read"),
        ("data.severity == `High`", "`High`", "is not JSON"),
        ("data[", "[", "not complete"),
        ("a b", "b", "'b' is not expected here"),
        ("(" * 500, "(", "nested deeper than 20"),
        ("!" * 900 + "a", "!", "nested deeper than 20"),
        ("& " * 400 + "a", "& ", "nested deeper than 20"),
        ("(! &" * 7 + "a", "&a", "nested deeper than 20"),
        ("!(a) && " * 19 + "(" * 21, "(", "nested deeper than 20"),
        ("a | " * 100 + "a", "a |", "more than 60 steps"),
        ("a[*]." * 100 + "a", "a[*]", "more than 60 steps"),
        ("a" * 1001, "a", "more than 1000 characters"),
    ],
)
def test_a_condition_that_is_refused(access: EventType, text: str, at: str, says: str) -> None:
    (problem,) = check_when(text, access)
    assert (problem.rule, problem.is_error) == ("when-syntax", True)
    assert says in problem.message
    assert text[problem.start :].startswith(at)
    with pytest.raises(TemplateError) as caught:
        compile_when(text)
    assert caught.value.rule == "when-syntax"


@pytest.mark.parametrize(
    "text",
    [
        "[@,@]" + "|[@,@]" * 40 + "|to_string(@)",
        "to_string(" * 10 + "join('" + "long" * 200 + "', data.texts)" + ")" * 10,
        "data.texts" + "[].[@,@]" * 25,
        "[@,@]" + "|[@,@]" * 40 + "|[0] == [1]",
        "data.texts[?contains(join(',', $), 'x')]".replace("$", "['" + "x" * 900 + "']"),
        "sort_by(data.texts, &join('', ['" + "x" * 900 + "', @]))",
        "data.texts[*].{" + ",".join(f"k{number}:@" for number in range(100)) + "}",
    ],
)
def test_a_condition_that_takes_too_many_steps_is_an_error(text: str) -> None:
    assert len(text) <= 1000
    with pytest.raises(RenderError, match="it takes more than 1,000,000 steps"):
        compile_when(text).matches({"data": {"texts": ["a"] * 50_000}})


@pytest.mark.parametrize("name", sorted(Functions.FUNCTION_TABLE))
def test_each_function_gives_what_jmespath_gives(name: str) -> None:
    """Those that account for their work are others' functions still."""
    lists: list[Any] = [[3, 1, 2], ["b", "a"], [], [{"a": 2}, {"a": 1}], [True, 1]]
    values: list[Any] = [*lists, "text", "", "7", 1.5, -2, None, True, {"a": 1, "b": [1]}, {}]
    for expression in (
        f"{name}(@)",
        f"{name}(@, @)",
        f"{name}(@, &a)",
        f"{name}(&a, @)",
        f"{name}(',', @)",
        f"{name}(@, 'a')",
        f"{name}(@, `1`)",
    ):
        compiled = jmespath.compile(expression)
        for value in values:
            expected = outcome(partial(compiled.search, value))
            assert outcome(partial(evaluate, compiled.parsed, value, Budget(1000))) == expected


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return repr(call()).split(" at 0x")[0]  # an expression has no equal
    except FAILURES as error:
        return type(error)


@pytest.mark.parametrize(
    ("text", "at", "suggestion"),
    [
        ("data.severty == 'High'", "severty", "severity"),
        ("dat.severity", "dat", "data"),
        ("data.requester.emial == data.requester.email", "emial", "email"),
        ("data.groups[?nme == 'a']", "nme", "name"),
        ("data.groups[?name == 'a'].tgas", "tgas", "tags"),
        ("data.groups[*].nme", "nme", "name"),
        ("data.groups[].nme", "nme", "name"),
        ("data.groups[0].nme", "nme", "name"),
        ("data.groups[0:2].nme", "nme", "name"),
        ("data.groups.name", "name", ""),
        ("data.severity.level", "level", ""),
        ("data.groups | [0].nme", "nme", "name"),
        ("length(data.grups) > `1`", "grups", "groups"),
        ("sort_by(data.groups, &nme)[0].name", "nme", "name"),
        ("sort_by(data.groups, &name)[0].nme", "nme", "name"),
        ("data.{a: severty, b: count}", "severty", "severity"),
        ("data.[count, severty]", "severty", "severity"),
        ('data.labels.x && data.extra.y && data.requester."user-di"', '"user-di"', "user-id"),
        ("!(data.nte) || data.count > `1`", "nte", "note"),
        ("!data.note", "note", ""),
        ("data.resource.nme", "nme", "name"),
    ],
)
def test_an_unknown_field_is_found_where_it_stands(access: EventType, text: str, at: str, suggestion: str) -> None:
    (problem,) = check_when(text, access)
    assert problem.rule == "when-unknown-path"
    assert text[problem.start : problem.end] == at
    assert suggestion in (problem.suggestions or ("",))


@pytest.mark.parametrize(
    "text",
    [
        "data.severity == 'High' && data.count > `1`",
        "data.groups[?name == 'a' && contains(tags, 'b')].tags[]",
        "data.labels.anything",
        "data.extra.anything.at.all",
        'data.requester."user-id"',
        "map(&anything, data.groups)",
        "data.*.anything",
        "data.groups[].tags[]",
        "max_by(data.groups, &length(tags)).name",
        "data.resource.name || id || event_type",
        "not_null(data.note, 'x')",
    ],
)
def test_known_fields_pass(access: EventType, text: str) -> None:
    assert check_when(text, access) == []


@settings(max_examples=200, deadline=None)
@given(st.text("data.sevrity[]*?@&|!(){}:,'\"`=<>0-1 \\", max_size=25))
def test_any_text_is_a_condition_or_a_finding(text: str) -> None:
    event_type = EventType(name="t", summary="", schema={}, mock={})
    problems = check_when(text, event_type)
    for problem in problems:
        assert 0 <= problem.start <= problem.end <= max(len(text), 1)
    if not problems:
        try:
            compile_when(text).matches(DOCUMENT)
        except RenderError:
            return
