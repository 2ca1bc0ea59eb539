"""Filters on values of the wrong kind: each finding says what is wrong and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.model import Json
from hookctl.plugin import EventType, FilterType
from hookctl.template import check_body
from hookctl.template.language.filters import BUILT_IN
from hookctl.template.language.functions.advice import _BY_FILTER


@pytest.mark.parametrize(
    ("expression", "says", "fix"),
    [
        (
            "data.count | upper",
            "upper does not accept a number, which data.count is",
            "Put `string` before the filter.",
        ),
        ("data.groups | upper", "upper does not accept a list", "Put `join(', ')` before the filter"),
        ("data.groups | truncate(5)", "truncate does not accept a list", "`map('truncate')`"),
        ("data.request | upper", "upper does not accept an object", "Use one of the object's fields"),
        ("data.request | sort", "sort does not accept an object", "Put `dictsort` there instead"),
        ("data.request | join", "join does not accept an object", "Write `items | map('join', '=') | join(', ')`."),
        ("data.groups | items", "items does not accept a list", "Loop over the list itself"),
        ("data.groups | round", "round does not accept a list", "Use `length`, `sum` or one item"),
        ("data.severity | abs", "abs does not accept a string", "Put `int` or `float` before the filter."),
        ("data.severity | join", "join does not accept a string", "Remove the filter"),
        ("data.count | length", "length does not accept a number", "Remove the filter"),
        ("data.groups | datetime", "datetime does not accept a list", "Use one item"),
        ("(data.count | string) + 1", "+ does not accept a string", "Join text with ~."),
        ("data.groups + 1", "+ does not accept a list", "Join lists with {{ [data.a, data.b] | jmespath('[]') }}."),
        ("'%s' % data.count", "% does not accept a string", "Join text with ~."),
        ("data.severity % 2", "% does not accept a string", "Use | int or | float for a number in a text."),
        ("(event_time | datetime) + 1", "+ does not accept a string", "Join text with ~."),
    ],
)
def test_the_finding_says_what_to_write(check: Any, expression: str, says: str, fix: str) -> None:
    text = f'{{"a": "{{{{ {expression} }}}}"}}'
    (problem,) = check(text)
    assert (problem.rule, problem.is_error) == ("template-kind", True)
    assert says in problem.message
    assert fix in problem.hint


def test_a_date_in_a_calculation_becomes_seconds() -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"started": {"type": "string", "format": "date-time"}}}
    dated = EventType(
        name="dated",
        summary="An event with a date.",
        schema={"type": "object", "properties": {"data": {**schema, "required": ["started"]}}, "required": ["data"]},
        mock={"data": {"started": "2025-11-25T03:20:15Z"}},
    )
    (problem,) = check_body("{{ data.started - 1 }}", dated, {})
    assert problem.hint == "Use | datetime('epoch') for the seconds of a date."
    assert check_body("{{ (data.started | datetime('epoch')) - 1 }}", dated, {}) == []


def test_the_advice_names_filters_that_exist() -> None:
    assert {name for name, _ in _BY_FILTER} <= BUILT_IN.keys()
    assert not [pair for pair in _BY_FILTER if pair[1] in BUILT_IN[pair[0]].takes]


@pytest.mark.parametrize(
    "expression",
    [
        "data.severity | lower | upper | truncate(5)",
        "(event_time | datetime('epoch')) + 1",
        "(data.severity | truncate(5)) ~ (data.count | string)",
        "data.groups | map(attribute='name') | sort | reverse | join(', ')",
        "data.groups | map(attribute='tags', default=[]) | map('length') | sum",
        "data.groups | selectattr('tags') | map(attribute='tags') | map('join') | join",
        "data.groups | selectattr('tags', 'defined') | list | length",
        "data.severity | default('Low') | upper",
        "'x' if data.severity[:2] == 'Hi' else 'y'",
        "'x' if data.severity | upper == 'HIGH' else 'y'",
        "'x' if data.severity | default('none') == 'none' else 'y'",
        "(data.count == 3) | lower",
    ],
)
def test_the_right_kind_passes(check: Any, expression: str) -> None:
    assert check(f'{{"a": "{{{{ {expression} }}}}"}}') == []


@pytest.mark.parametrize(
    ("expression", "default"),
    [("data.title | upper", "default('')"), ("data.title | datetime", "default(event_time)")],
)
def test_a_value_that_may_be_null_gets_a_default_of_the_right_kind(expression: str, default: str) -> None:
    title: Json = {"type": ["string", "null"]}
    data: Json = {"type": "object", "required": ["title"], "properties": {"title": title}}
    schema: dict[str, Json] = {"type": "object", "required": ["data"], "properties": {"data": data}}
    nullable = EventType(name="nullable", summary="", schema=schema, mock={"data": {"title": None}})
    (problem,) = check_body(f'"{{{{ {expression} }}}}"', nullable, {})
    assert (problem.rule, problem.is_error) == ("template-optional-path", False)
    assert problem.message == "data.title may be null: the delivery is dead then"
    assert default in problem.hint
    assert check_body(f'"{{% if data.title %}}{{{{ {expression} }}}}{{% endif %}}"', nullable, {}) == []


@pytest.mark.parametrize(
    ("expression", "sent"),
    [
        ("data.count | string", '"3"'),
        ("event_time | datetime('%Y')", '"2025"'),
        ("data.request | tojson | upper", '"{\\"ID\\":\\"7\\"}"'),
        ("'true' if data.count | string == '3' else 'x'", '"true"'),
        ("data.severity | default('null')", '"null"'),
    ],
)
def test_text_that_reads_as_json_is_a_warning_where_a_value_is_written(check: Any, expression: str, sent: str) -> None:
    (problem,) = check(f'{{"a": {{{{ {expression} }}}}}}')
    assert (problem.rule, problem.is_error) == ("template-text-value", False)
    assert f"the string {sent} is sent here" in problem.message
    assert check(f'{{"a": "{{{{ {expression} }}}}"}}') == []


@pytest.mark.parametrize(
    "expression",
    ["data.severity | upper", "data.count | string | int", "data.request | tojson", "data.severity | trim"],
)
def test_other_text_is_no_warning(check: Any, expression: str) -> None:
    assert check(f'{{"a": {{{{ {expression} }}}}}}') == []


# -- items of lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    ["map(attribute='nmae')", "sort(attribute='nmae')", "unique(attribute='nmae')", "selectattr('nmae', 'eq', 'x')"],
)
def test_an_unknown_attribute_is_found(check: Any, use: str) -> None:
    text = f'{{"a": {{{{ data.groups | {use} }}}}}}'
    (problem,) = check(text)
    assert (problem.rule, problem.is_error) == ("template-unknown-path", True)
    assert problem.message == "the items of data.groups have no nmae"
    assert (text[problem.start : problem.end], problem.suggestions) == ("'nmae'", ("name",))


def test_items_without_fields_have_no_list_of_known_ones(check: Any) -> None:
    (problem,) = check('{"a": {{ data.groups | map(attribute="name.x") | list }}}')
    assert (problem.message, problem.hint) == (
        "the items of data.groups have no x",
        "They are not objects: use them without a field.",
    )


@pytest.mark.parametrize(
    "loop",
    [
        "data.groups | sort(attribute='name')",
        "data.groups | unique(attribute='name') | reverse",
        "data.groups | selectattr('tags')",
        "data.groups | default([])",
        "data.groups[:2] | list",
    ],
)
def test_the_fields_of_items_are_known_after_filters(check: Any, loop: str) -> None:
    form = "[{{% for g in {} %}}{{{{ g.{} }}}}{{% if not loop.last %}},{{% endif %}}{{% endfor %}}]"
    assert check(form.format(loop, "name")) == []
    (problem,) = check(form.format(loop, "nmae"))
    assert (problem.rule, problem.message) == ("template-unknown-path", "g has no nmae")


def test_a_field_of_the_first_item_is_known(check: Any) -> None:
    text = "{% if data.groups %}{{ (data.groups | first).nmae }}{% else %}1{% endif %}"
    (problem,) = check(text)
    assert (problem.rule, problem.message) == ("template-unknown-path", "data.groups | first has no nmae")


@pytest.mark.parametrize(
    ("expression", "says", "fix"),
    [
        ("data.groups | first", "data.groups may be empty", "{{ data.groups | first | default('') }}, or write it"),
        ("data.groups | map(attribute='name') | min", "name') may be empty", "| min | default('') }}."),
        ("data.groups | map(attribute='tags')", "may lack 'tags'", "map(attribute='tags', default='')"),
        ("data.groups | join(', ', attribute='tags')", "may lack 'tags'", "| selectattr('tags', 'defined')"),
    ],
)
def test_what_may_be_missing_is_a_warning(check: Any, expression: str, says: str, fix: str) -> None:
    (problem,) = check(f'{{"a": {{{{ {expression} }}}}}}')
    assert (problem.rule, problem.is_error) == ("template-optional-path", False)
    assert says in problem.message
    assert fix in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        "{{ data.groups | first | default(1) }}",
        "{% if data.groups %}{{ data.groups | first }}{% else %}1{% endif %}",
        "{% if data.groups %}{{ data.groups | sort(attribute='name') | last }}{% else %}1{% endif %}",
        "{{ data.groups | map(attribute='tags', default=[]) }}",
        "{{ data.groups | selectattr('tags', 'defined') | map(attribute='tags') }}",
        "{{ [1, data.count] | max }}",
    ],
)
def test_what_is_guarded_passes(check: Any, text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("expression", "fix"),
    [
        ("data.groups | sum", "sum(attribute='...')"),
        ("data.groups | sort", "sort(attribute='...')"),
        ("data.groups | sum(attribute='name')", "data.groups | map(attribute='name') | map('float') | sum"),
        ("data.groups | map(attribute='name') | sum", "data.groups | map(attribute='name') | map('float') | sum"),
    ],
)
def test_items_of_the_wrong_kind_are_found(check: Any, expression: str, fix: str) -> None:
    (problem,) = check(f"{{{{ {expression} }}}}")
    assert (problem.rule, problem.is_error) == ("template-kind", True)
    assert "does not accept items of which each is" in problem.message
    assert fix in problem.hint


# -- filters of plugins ------------------------------------------------------------------------------------------------


def test_a_plugins_types_are_checked(access: EventType) -> None:
    types = {"takes": frozenset({"string"}), "gives": frozenset({"integer"})}
    domain = FilterType(name="domain", summary="", call=lambda value: value, **types)
    filters = {"domain": domain, "any": FilterType(name="any", summary="", call=lambda value: value)}
    (problem,) = check_body("{{ data.count | domain }}", access, filters)
    assert (problem.rule, problem.hint) == ("template-kind", "Put `string` before the filter.")
    assert problem.message == "the filter domain does not accept a number, which data.count is"
    (problem,) = check_body('"{{ data.severity | domain | upper }}"', access, filters)
    assert "upper does not accept a number, which data.severity | domain is" in problem.message
    assert check_body("{{ (data.count | any) ~ 'x' }}", access, filters) == []
