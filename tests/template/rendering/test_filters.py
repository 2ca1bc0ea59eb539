from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.plugin import FilterType
from hookctl.template import compile_body
from hookctl.template.language.filters import find

DATA: dict[str, Any] = {
    "s": "Straße x",
    "n": 2.345,
    "i": 7,
    "t": True,
    "z": None,
    "xs": ["a", 1, None, {"k": "v"}],
    "groups": [{"name": "a", "size": 2}, {"name": "b", "size": 5}],
    "empty": "",
    "time": 1760000000.25,
}


def value(expression: str, filters: dict[str, FilterType] | None = None) -> Any:
    return json.loads(compile_body("{{ " + expression + " }}", filters or {}).render({"data": DATA}))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("data.s | upper", "STRASSE X"),
        ("data.s | lower", "straße x"),
        ("' a ' | trim", "a"),
        ("data.xs | join", 'a1null{"k":"v"}'),
        ("data.xs | join(', ')", 'a, 1, null, {"k":"v"}'),
        ("data.xs | length", 4),
        ("data.s | length", 8),
        ("data.groups[0] | length", 2),
        ("data.n | round", 2),
        ("data.n | round(1)", 2.3),
        ("data.n | round(1, 'ceil')", 2.4),
        ("data.n | round(1, method='floor')", 2.3),
        ("data.n | round(method='ceil')", 3),
        ("data.i | round(2)", 7),
        ("data.time | datetime", "2025-10-09T08:53:20.250Z"),
        ("0 | datetime", "1970-01-01T00:00:00Z"),
        ("1.000001 | datetime", "1970-01-01T00:00:01.000001Z"),
        ("-1 | datetime", "1969-12-31T23:59:59Z"),
        ("data.groups | jmespath('[].name')", ["a", "b"]),
        ("data.groups | jmespath('[?size > `3`].name | [0]')", "b"),
        ('data | jmespath("gone.at.all")', None),
        ("data | jmespath('gone') | default('d')", "d"),
        ("data.gone | default('d')", "d"),
        ("data.z | default('d')", "d"),
        ("data.empty | default('d')", ""),
        ("data.empty | default('d', true)", "d"),
        ("data.gone.further | default(data.i)", 7),
        ("data.gone | default([]) | length", 0),
        ("data.groups[0] | items | join(';')", '["name","a"];["size",2]'),
        ("data.xs | tojson | upper", '["A",1,NULL,{"K":"V"}]'),
        ("data.i == 7.0", True),
        ("data.t == 1", False),
        ("1 in [true]", False),
        ("data.gone == none", True),
        ("data.gone > 1 or data.z < 1", False),
        ("data.gone in data.xs", True),
        ("'x' in data.gone", False),
    ],
)
def test_a_filter_gives(expression: str, expected: Any) -> None:
    got = value(expression)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("data.i | upper", "the filter upper takes a string, but the value is a number"),
        ("data.i | lower", "takes a boolean or a string, but the value is a number"),
        ("data.z | trim", "takes a string, but the value is null"),
        ("data.s | join(',')", "takes a list, but the value is a string"),
        ("data.xs | join(data.i)", "join's separator is not a string"),
        ("data.i | length", "takes a string, a list or an object, but the value is a number"),
        ("data.s | round", "takes a number, but the value is a string"),
        ("data.t | round", "takes a number, but the value is a boolean"),
        ("data.n | round(data.n)", "from 0 to 15"),
        ("data.n | round(1, data.s)", "no method "),
        ("data.s | datetime", "not a date and time in ISO 8601"),
        ("1e18 | datetime", "outside the years"),
        ("data.xs | items", "takes an object, but the value is a list"),
        ("data.groups | jmespath('sum([].name)')", "cannot be applied"),
        ("data.s < 1", "a string cannot be compared with a number"),
        ("1 in data.s", "'in' cannot look for a number in a string"),
    ],
)
def test_a_filter_refuses(expression: str, says: str) -> None:
    with pytest.raises(RenderError, match=re.escape(says)):
        value(expression)


@pytest.mark.parametrize(
    ("expression", "says", "at"),
    [
        ("data.severity | uper", "unknown filter uper", "uper"),
        ("data.severity | upper(1)", "too many positional arguments", "upper(1)"),
        ("data.severity | replace('a')", "missing a required argument", "replace('a')"),
        ("data.count | round(digits=1)", "unexpected keyword argument 'digits'", "round(digits=1)"),
        ("data.severity | truncate(2)", "is shorter than its end", "truncate(2)"),
        ("data.severity | replace(1, 'x')", "replace's old is not a string", "replace(1, 'x')"),
        ("data.groups | join(1)", "join's separator is not a string", "join(1)"),
        ("data.count | round(99)", "from 0 to 15", "round(99)"),
        ("data.count | round(1, 'up')", "no method up", "round(1, 'up')"),
        ("data.request | dictsort(by='x')", "sorts by 'key' or by 'value'", "dictsort(by='x')"),
        ("data | jmespath(1)", "must be text in quotes", "1"),
        ("data | jmespath(data.severity)", "must be text in quotes", "data.severity"),
        ("data | jmespath('a b')", "cannot be read", "b"),
        ("data | jmespath('[?a')", "is not complete", "a"),
        ("data | jmespath('severty')", "no field severty", "severty"),
        ("data.groups | jmespath('[?name==`1`].nme')", "no field nme", "nme"),
    ],
)
def test_a_wrong_use_is_found_where_it_stands(check: Any, expression: str, says: str, at: str) -> None:
    text = '{"a": {{ ' + expression + " }}}"
    problem = check(text)[0]
    assert problem.rule in {"template-filter", "template-unknown-path"}
    assert says in problem.message
    assert text[problem.start : problem.end] == at


def test_a_plugins_filter(check: Any) -> None:
    def shorten(text: Any, limit: int = 3) -> Any:
        return text[:limit]

    filters = {"shorten": FilterType(name="shorten", summary="The first characters.", call=shorten)}
    assert value("data.s | shorten(limit=5)", filters) == "Straß"
    assert check('{"a": {{ data.severity | shorten }}}', filters) == []
    assert check('{"a": {{ data.severity | shorte }}}', filters)[0].suggestions[0] == "shorten"
    assert "too many" in check('{"a": {{ data.severity | shorten(1, 2) }}}', filters)[0].message


def test_a_plugins_filter_that_breaks_is_named() -> None:
    filters = {
        "raises": FilterType(name="raises", summary="", call=lambda _: 1 // 0),
        "odd": FilterType(name="odd", summary="", call=lambda _: object()),  # type: ignore[arg-type,return-value]
    }
    with pytest.raises(RenderError, match="the filter raises raised ZeroDivisionError"):
        value("data.s | raises", filters)
    with pytest.raises(RenderError, match="cannot be written as JSON"):
        value("data.s | odd", filters)


def test_a_plugins_filter_is_called_only_with_what_it_takes() -> None:
    def shout(value: Any, mark: str = "!") -> Any:
        return value + mark

    takes = frozenset({"string"})
    filters = {"shout": FilterType(name="shout", summary="", call=shout, takes=takes)}
    assert value("data.s | shout(mark='?')", filters) == "Straße x?"
    with pytest.raises(RenderError, match="the filter shout takes a string, but the value is a number"):
        value("data.i | shout", filters)


@pytest.mark.parametrize(
    ("types", "accepted"),
    [
        ({"integer"}, [1, 2.0]),
        ({"number"}, [1, 2.0, 2.5]),
        ({"boolean", "null"}, [True, None]),
        ({"array", "object"}, [[], {}]),
        (set(), [1, 2.0, 2.5, True, None, [], {}, "a"]),
    ],
)
def test_the_types_are_those_of_json_schema(types: set[str], accepted: list[Any]) -> None:
    filters = {"same": FilterType(name="same", summary="", call=lambda value: value, takes=frozenset(types))}
    function = find("same", filters)
    assert function is not None
    values: list[Any] = [1, 2.0, 2.5, True, None, [], {}, "a"]
    for given in values:
        if any(given is one or (type(given) is type(one) and given == one) for one in accepted):
            assert function(given) == given
        else:
            with pytest.raises(RenderError, match="the filter same takes"):
                function(given)


def test_a_plugin_cannot_replace_a_built_in_filter() -> None:
    filters = {"upper": FilterType(name="upper", summary="", call=lambda _: "other")}
    assert value("data.s | upper", filters) == "STRASSE X"
