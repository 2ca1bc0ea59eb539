"""Each test of the contract of event types fails for one with the mistake that it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.kit.contracts import EventTypeContract
from hookctl.kit.contracts.part import PartContract
from hookctl.plugin import EventType

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "event_type", "event_time", "data"],
    "properties": {
        "id": {"type": "string", "description": "Id."},
        "event_type": {"type": "string", "const": "user.created", "description": "The kind."},
        "event_time": {"type": "number", "description": "When."},
        "data": {
            "type": "object",
            "description": "The user.",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "description": "Name."},
                "groups": {
                    "type": "array",
                    "description": "Groups.",
                    "items": {"type": "object", "properties": {"id": {"type": "string", "description": "Id."}}},
                },
            },
        },
    },
}
MOCK = {
    "id": "evt-1",
    "event_type": "user.created",
    "event_time": 1764040815.5,
    "data": {"name": "Dana", "groups": [{"id": "g"}]},
}


def event_type(path: str = "", value: Any = None, **changes: Any) -> EventType:
    """One without a mistake, but with ``value`` at this path of its schema, or of its ``mock``."""
    parts = {"schema": copy.deepcopy(SCHEMA), "mock": copy.deepcopy(MOCK)}
    *way, last = path.split("/") if path else ("schema", "title")
    place: Any = parts
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if value is not None:
        place[last] = value
    elif path:
        del place[last]
    return EventType(**{"name": "user.created", "summary": "A user was created.", **parts, **changes})


FIELD = "schema/properties/data/properties/name"
BROKEN: dict[str, list[tuple[EventType, str]]] = {
    "test_schema_is_valid": [
        (event_type("schema/type", "objekt"), r"at \$.type: 'objekt' is not valid"),
        (event_type("schema/properties/id"), "does not describe id"),
        (event_type("schema/required", ["id"]), "does not require event_type, event_time, data"),
    ],
    "test_fields_are_described": [
        (event_type(f"{FIELD}/description"), "no description: data.name"),
        (
            event_type("schema/properties/data/properties/groups/items/properties/id/description", " "),
            r"data.groups\[\].id",
        ),
    ],
    "test_mock_is_valid": [
        (event_type("mock/data/name"), r"\$.data: 'name' is a required property"),
        (event_type(mock={**MOCK, "event_time": float("nan")}), "JSON"),
        (event_type(mock={**MOCK, "extra": ("a",)}), "changes when it is written"),
        (event_type(mock={**MOCK, "extra": "x" * 70_000}), "an example is smaller"),
        (event_type(name="user.made"), "not 'user.made'"),
    ],
    "test_mock_has_every_field": [
        (event_type("mock/data/groups"), "has no data.groups"),
        (event_type("mock/data/groups/0/id"), r"has no data.groups\[0\].id"),
    ],
    "test_other_events_are_refused": [
        (event_type("schema/properties/event_type/const"), "accepts"),
        (event_type("schema/properties/data/type"), "accepts"),
    ],
    "test_objects_are_open": [
        (event_type("schema/additionalProperties", False), "the event is closed by additionalProperties"),
        (event_type("schema/properties/data/unevaluatedProperties", False), "data is closed"),
    ],
    "test_time_is_a_number": [(event_type("schema/properties/event_time/type", "string"), "not number")],
    "test_patterns_are_regular_expressions": [(event_type(f"{FIELD}/pattern", "("), "the pattern of data.name")],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: EventType, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        run_contract(EventTypeContract, test, part)


def test_events_in_refused_are_refused(run_contract: Callable[..., None]) -> None:
    with pytest.raises(AssertionError, match="accepts"):
        run_contract(EventTypeContract, "test_other_events_are_refused", event_type(), refused=(MOCK,))


def test_it_finds_nothing_in_an_event_type_without_mistakes(
    run_contract: Callable[..., None], tests_of: Callable[[type], set[str]]
) -> None:
    for test in tests_of(EventTypeContract):
        run_contract(EventTypeContract, test, event_type())


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    in_common = tests_of(PartContract)  # test_auth_contract.py has them
    assert BROKEN.keys() == tests_of(EventTypeContract) - in_common
