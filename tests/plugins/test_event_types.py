from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from hookctl.plugin import EventType
from hookctl.plugin.host import load_plugins
from hookctl.testing.events import generate, main

ANOMALY = {
    "data.type": [
        "high_risk_request",
        "approval_of_rejected_request",
        "request_from_inactive_user",
        "repetitive_automated_action",
    ],
    "data.severity": ["Low", "Medium", "High"],
}
FIELDS = {
    *("id", "event_type", "event_time", "data"),
    *(f"data.{name}" for name in ("id", "type", "severity", "title", "description", "recommendation", "detected_at")),
    *("data.request", "data.request.id", "data.request.friendly_id", "data.request.status"),
    *("data.requester", "data.requester.id", "data.requester.name", "data.requester.email"),
    *("data.access_flow", "data.access_flow.id", "data.access_flow.name"),
    *("data.integration", "data.integration.id", "data.integration.type", "data.integration.name"),
    *("data.resource", "data.resource.id", "data.resource.name", "data.resource.type"),
}


@pytest.fixture(params=sorted(load_plugins().event_types))
def event_type(request: pytest.FixtureRequest) -> EventType:
    return load_plugins().event_types[request.param]


@pytest.fixture
def anomaly() -> EventType:
    return load_plugins().event_types["anomaly"]


def properties(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield prefix + name, field
        yield from properties(field, f"{prefix}{name}.")


def test_schema_is_one(event_type: EventType) -> None:
    jsonschema.Draft202012Validator.check_schema(dict(event_type.schema))
    jsonschema_rs.meta.validate(dict(event_type.schema))


def test_every_property_has_a_description_and_a_type(event_type: EventType) -> None:
    found = dict(properties(dict(event_type.schema)))
    assert {"id", "event_type", "event_time", "data"} <= set(found)
    assert not [path for path, field in found.items() if not field.get("description", "").endswith(".")]
    assert not [path for path, field in found.items() if "type" not in field]


def test_mock_event_is_valid(event_type: EventType) -> None:
    checker = jsonschema.Draft202012Validator(dict(event_type.schema), format_checker=jsonschema.FormatChecker())
    checker.validate(dict(event_type.mock))
    jsonschema_rs.validator_for(dict(event_type.schema), validate_formats=True).validate(dict(event_type.mock))
    assert event_type.mock["event_type"] == event_type.name


def test_mock_event_shows_every_field(event_type: EventType) -> None:
    def missing(schema: dict[str, Any], value: Any, prefix: str) -> Iterator[str]:
        for name, field in schema.get("properties", {}).items():
            if not isinstance(value, dict) or name not in value:
                yield prefix + name
            else:
                yield from missing(field, value[name], f"{prefix}{name}.")

    assert list(missing(dict(event_type.schema), dict(event_type.mock), "")) == []


def test_anomaly_has_the_fields_of_the_product(anomaly: EventType) -> None:
    found = dict(properties(dict(anomaly.schema)))
    assert set(found) == FIELDS
    assert {path: found[path]["enum"] for path in ANOMALY} == ANOMALY


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", ""),
        ("event_type", "other"),
        ("event_time", "2025-11-25T03:20:15Z"),
        ("event_time", -1),
        ("data", None),
        ("data.severity", "high"),
        ("data.type", "something"),
        ("data.detected_at", "yesterday"),
        ("data.request.friendly_id", "123"),
        ("data.requester.email", "nobody"),
        ("data.requester", None),
        ("data.resource", "orders"),
    ],
)
def test_anomaly_refuses(anomaly: EventType, path: str, value: Any) -> None:
    event = json.loads(json.dumps(anomaly.mock))
    *parents, last = path.split(".")
    place = event
    for parent in parents:
        place = place[parent]
    place[last] = value
    assert not jsonschema_rs.validator_for(dict(anomaly.schema), validate_formats=True).is_valid(event)


@pytest.mark.parametrize("path", ["data.recommendation", "data.resource"])
def test_anomaly_may_have_null(anomaly: EventType, path: str) -> None:
    event = json.loads(json.dumps(anomaly.mock))
    event["data"][path.removeprefix("data.")] = None
    assert jsonschema_rs.is_valid(dict(anomaly.schema), event)


def test_a_publisher_may_add_fields(anomaly: EventType) -> None:
    event = json.loads(json.dumps(anomaly.mock))
    event["data"]["requester"]["department"] = "finance"
    assert jsonschema_rs.is_valid(dict(anomaly.schema), event)


def test_generated_events_are_valid_different_and_repeatable(anomaly: EventType) -> None:
    check = jsonschema_rs.validator_for(dict(anomaly.schema), validate_formats=True)
    events = list(generate(1000, seed=7))
    for event in events:
        check.validate(event)
    assert len({event["id"] for event in events}) == 1000
    assert [event["event_time"] for event in events] == sorted(event["event_time"] for event in events)  # type: ignore[type-var]
    for path, values in ANOMALY.items():
        assert {event["data"][path.removeprefix("data.")] for event in events} == set(values)  # type: ignore[call-overload,index]
    assert any(event["data"]["resource"] is None for event in events)  # type: ignore[call-overload,index]
    assert list(islice(generate(1000, seed=7), 10)) == events[:10]
    assert next(generate(1, seed=8)) != events[0]


def test_generated_events_on_the_command_line() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "hookctl.testing.events", "3", "7"], capture_output=True, check=True, encoding="utf-8"
    )
    assert [json.loads(line) for line in written.stdout.splitlines()] == list(generate(3, seed=7))


def test_events_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["2", "7"])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == list(generate(2, seed=7))
    for arguments, code in ((["--help"], 0), (["many"], 2), (["-1x"], 2)):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == code
