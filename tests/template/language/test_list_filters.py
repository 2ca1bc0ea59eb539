"""What filters of lists refuse, and what is found before an event is rendered."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.template import compile_body
from hookctl.template.language.filters import find

ITEMS: list[Any] = [{"name": "b", "n": 2, "x": None}, {"name": "a", "n": 1}]


def run(name: str, value: Any, *arguments: Any, **keywords: Any) -> Any:
    function = find(name, {})
    assert function is not None
    return function(value, *arguments, **keywords)


@pytest.mark.parametrize(
    ("name", "value", "keywords", "says", "hint"),
    [
        ("map", ITEMS, {"attribute": "x.y"}, "item 0 of the list for map has no x.y", "default=''"),
        ("map", ITEMS, {"attribute": "__class__"}, "has no __class__", "default=''"),
        ("map", ITEMS, {}, "needs an attribute or the name of a filter", "map(attribute='name')"),
        ("map", ITEMS, {"attribute": "n", "defualt": 1}, "needs an attribute or the name", "map(attribute='name')"),
        ("join", ITEMS, {"attribute": "x"}, "item 1 of the list for join has no x", "selectattr('x', 'defined')"),
        ("sort", ITEMS, {}, "sort cannot order values, each of which is an object", "sort(attribute='...')"),
        ("sort", [1, "a"], {}, "sort cannot order a number and a string", "sort(attribute='...')"),
        ("sort", [1, True], {}, "sort cannot order a boolean and a number", "sort(attribute='...')"),
        ("sort", [None, None], {}, "each of which is null", "sort(attribute='...')"),
        ("sort", ITEMS, {"attribute": ["n"]}, "sort's attribute is a list", "attribute='name'"),
        ("max", [[1], [2]], {}, "max cannot order values, each of which is a list", "max(attribute='...')"),
        ("sum", ITEMS, {"attribute": "name"}, "sum adds numbers, but one of the values is a string", "sum(attribute="),
        ("sum", [True], {}, "one of the values is a boolean", "sum(attribute="),
        ("sum", [], {"start": "a"}, "one of the values is a string", "sum(attribute="),
        ("sort", {"a": 1}, {}, "takes a list, but the value is an object", "`dictsort`"),
        ("dictsort", {"a": 1}, {"by": "length"}, "by 'key' or by 'value'", "by='value'"),
    ],
)
def test_a_filter_refuses(name: str, value: Any, keywords: dict[str, Any], says: str, hint: str) -> None:
    with pytest.raises(RenderError) as caught:
        run(name, value, **keywords)
    assert says in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("value", "arguments", "says"),
    [
        ([["a"], []], ("first",), "first gives nothing for an item of the list"),
        ([1], ("upper",), "the filter upper takes a string, but the value is a number"),
        (["a"], ("replace",), "map gives replace wrong arguments"),
        (["a"], ("jmespath", "a"), "map cannot apply jmespath"),
        ([["a"]], ("map", "upper"), "map cannot apply map"),
        (["a"], ("uper",), "map cannot apply a filter uper"),
        (["a"], (1,), "map cannot apply a filter 1"),
    ],
)
def test_map_refuses(value: Any, arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(RenderError) as caught:
        run("map", value, *arguments)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ([1, "1"], [1.0, "1"]),
        ([None], [None]),
        ({"1": 0}, ["1"]),
    ],
)
def test_in_compares_json_values(operand: Any, expected: list[Any]) -> None:
    assert run("select", [1.0, True, "1", None, "b"], "in", operand) == expected


def test_a_missing_attribute_is_only_undefined_or_none() -> None:
    for test, found in {"undefined": 2, "none": 2, "defined": 0, "string": 0, "number": 0}.items():
        assert len(run("selectattr", ITEMS, "gone.further", test)) == found
    for test in ("<", ">", "eq"):
        assert run("selectattr", ITEMS, "gone", test, 1) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("data.empty | first | default('d')", '"d"'),
        ("data.empty | min | default(0)", "0"),
        ("data.items | map(attribute='x', default=none) | list", "[null,null]"),
        ("data.items | map('length') | sum", "5"),
        ("data.items | selectattr('name', 'in', ['a', 'c']) | map(attribute='n') | first", "1"),
        ("data.items | to_json", '[{"name":"b","n":2,"x":null},{"name":"a","n":1}]'),
    ],
)
def test_filters_work_together(expression: str, expected: str) -> None:
    document: dict[str, Any] = {"data": {"empty": [], "items": ITEMS}}
    assert compile_body(f"{{{{ {expression} }}}}", {}).render(document).decode() == expected


def test_nothing_is_not_sent() -> None:
    with pytest.raises(RenderError, match=r"the event has no data\.empty \| last"):
        compile_body("{{ data.empty | last }}", {}).render({"data": {"empty": []}})


@pytest.mark.parametrize(
    ("expression", "says", "at"),
    [
        ("data.groups | map('uper')", "map cannot apply a filter uper", "'uper'"),
        ("data.groups | map(data.severity)", "the name of map is not a constant", "data.severity"),
        ("data.groups | map", "map needs an attribute or the name of a filter", "map"),
        ("data.groups | select('strng')", "there is no test strng", "'strng'"),
        ("data.groups | selectattr('name', 'equals', 'a')", "there is no test equals", "'equals'"),
        ("data.groups | selectattr('name', data.severity)", "is not a constant", "data.severity"),
        ("data.groups | tojson(indent=9)", "tojson's indent is not a whole number from 0 to 8", "9"),
        ("data.groups | to_json('x')", "tojson's indent is not a whole number", "'x'"),
    ],
)
def test_a_wrong_argument_is_found_where_it_stands(check: Any, expression: str, says: str, at: str) -> None:
    text = '{"a": {{ (' + expression + ") if data.severity == 'none of these' else 1 }}}"
    problem = next(problem for problem in check(text) if problem.rule == "template-filter")
    assert says in problem.message
    assert text[problem.start : problem.end] == at
    assert problem.hint
