"""What a condition with a filter proves is the same for the proof of the structure and for the check of the paths."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.plugin import EventType
from hookctl.template import check_body, compile_body

DATA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "list": {"type": "array", "items": {"type": "string"}},
        "object": {"type": "object", "properties": {"key": {"type": "string"}}},
    },
}
FILLED: dict[str, Any] = {"name": "a", "list": ["b"], "object": {"key": "c"}}
EVENT = EventType(
    name="optional",
    summary="An event in which every field may be missing.",
    schema={"type": "object", "properties": {"data": DATA}, "required": ["data"]},
    mock={"data": FILLED},
)
PROVED = [
    ("data.name", "{}"),
    ("data.name | default('')", "{}"),
    ("data.list | default([])", "{}"),
    ("not (data.name | default(''))", "not"),
    ("not (data.name == none)", "{}"),
    ("data.name == none", "not"),
]


def warned(text: str) -> list[str]:
    return [problem.message for problem in check_body(text, EVENT, {}) if problem.rule == "template-optional-path"]


def path_in(condition: str) -> str:
    return next(f"data.{name}" for name in FILLED if f"data.{name}" in condition)


@pytest.mark.parametrize(("condition", "branch"), PROVED)
def test_a_condition_proves_that_its_path_is_there(condition: str, branch: str) -> None:
    path = path_in(condition)
    value, other = f"{{{{ {path} | tojson }}}}", "null"
    yes, no = (value, other) if branch == "{}" else (other, value)
    text = f"{{% if {condition} %}}{yes}{{% else %}}{no}{{% endif %}}"
    assert warned(text) == []
    template = compile_body(text, {})
    for data in ({}, FILLED):  # and with no warning, no event fails
        template.render({"data": data})


@pytest.mark.parametrize("filter_name", ["length", "length > 0", "length != 0", "length >= 1", "items"])
def test_a_filter_that_fails_on_what_is_missing_is_warned_of_once_and_proves_the_rest(filter_name: str) -> None:
    path = "data.object" if filter_name == "items" else "data.list"
    text = f"{{% if {path} | {filter_name} %}}{{{{ {path} }}}}{{% else %}}null{{% endif %}}"
    assert len(warned(text)) == 1  # of the filter, not of the output as well


@pytest.mark.parametrize(
    ("condition", "warnings"),
    [("data.name | default('x')", 1), ("data.list | length == 0", 2), ("data.list | length < 1", 2)],
)
def test_a_condition_that_holds_without_a_value_proves_nothing(condition: str, warnings: int) -> None:
    text = f"{{% if {condition} %}}{{{{ {path_in(condition)} | tojson }}}}{{% else %}}null{{% endif %}}"
    assert len(warned(text)) == warnings  # one of the output, and one of a filter that fails on what is missing


@pytest.mark.parametrize(
    ("condition", "branch", "indexes"),
    [
        ("> 1", "yes", (0, 1, -1, -2)),
        (">= 2", "yes", (0, 1, -1, -2)),
        ("== 2", "yes", (0, 1, -1, -2)),
        ("< 2", "no", (0, 1, -1, -2)),
        ("<= 1", "no", (0, 1, -1, -2)),
        ("!= 2", "no", (0, 1, -1, -2)),
        ("> 1", "yes", ()),
        ("> 1", "no", ()),
        (">= 1", "yes", (0, -1)),
        ("< 3", "yes", ()),
        ("!= 2", "yes", ()),
    ],
)
def test_a_length_proves_that_items_are_there(condition: str, branch: str, indexes: tuple[int, ...]) -> None:
    for index in (0, 1, 2, -1, -2, -3):
        value = f"{{{{ data.list[{index}] }}}}"
        yes, no = (value, "null") if branch == "yes" else ("null", value)
        text = f"{{% if data.list | length {condition} %}}{yes}{{% else %}}{no}{{% endif %}}"
        assert len(warned(text)) == 1 + (index not in indexes) or not indexes  # one is about the length


@pytest.mark.parametrize(
    "again", ["data.list", "data.list | length", "data.list | length > 0", "data.list | default([])"]
)
def test_conditions_of_one_truth_go_the_same_way(again: str) -> None:
    text = f'{{% if data.list | default([]) %}}{{"a": {{% endif %}}1{{% if {again} %}}}}{{% endif %}}'
    assert [problem for problem in check_body(text, EVENT, {}) if problem.is_error] == []
