from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookctl.model.problem import TemplateProblem
from hookctl.plugin import EventType, FilterType
from hookctl.template import check_body, compile_body

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "event_type", "event_time", "data"],
    "properties": {
        "id": TEXT,
        "event_type": {"const": "access"},
        "event_time": {"type": "number"},
        "data": {
            "type": "object",
            "required": ["severity", "requester", "groups", "request", "resource", "count"],
            "properties": {
                "severity": {"enum": ["Low", "High"]},
                "count": {"type": "integer"},
                "note": TEXT,
                "title": {"type": ["string", "null"]},
                "requester": {"$ref": "#/$defs/person"},
                "request": {"type": "object", "required": ["id"], "properties": {"id": TEXT, "approver": {"$ref": "#/$defs/person"}}},
                "resource": {"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]},
                "groups": {
                    "type": "array",
                    "items": {"type": "object", "required": ["name"], "properties": {"name": TEXT, "tags": {"type": "array", "items": TEXT}}},
                },
                "labels": {"type": "object", "additionalProperties": TEXT},
                "extra": {"type": "object"},
                "items": TEXT,
            },
        },
    },
    "$defs": {"person": {"type": "object", "required": ["name", "email"], "properties": {"name": TEXT, "email": TEXT, "user-id": TEXT}}},
}
MOCK: dict[str, Any] = {
    "id": "evt_1",
    "event_type": "access",
    "event_time": 1760000000.25,
    "data": {
        "severity": "High",
        "count": 3,
        "title": None,
        "requester": {"name": "Dana Levi", "email": "dana@example.com"},
        "request": {"id": "7"},
        "resource": None,
        "groups": [{"name": "admins", "tags": ["a", "b"]}, {"name": "ops", "tags": []}],
        "labels": {"team": "red"},
        "items": "the key",
    },
}


@pytest.fixture(scope="session")
def access() -> EventType:
    return EventType(name="access", summary="Access was asked for.", schema=SCHEMA, mock=MOCK)


@pytest.fixture(scope="session")
def check(access: EventType) -> Callable[..., list[TemplateProblem]]:
    """Check a body against the event type; filters may be given."""

    def run(text: str, filters: dict[str, FilterType] | None = None) -> list[TemplateProblem]:
        return check_body(text, access, filters or {})

    return run


@pytest.fixture(scope="session")
def render() -> Callable[..., str]:
    """Render a body for the mock event, or for another ``data``."""

    def run(text: str, data: dict[str, Any] | None = None) -> str:
        document = MOCK if data is None else {**MOCK, "data": data}
        return compile_body(text, {}).render(document).decode()

    return run
