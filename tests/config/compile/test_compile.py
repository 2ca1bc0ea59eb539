"""Webhooks become delivery plans: one meaning, one plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from hookctl.config.compile import compile_webhook
from hookctl.model import DeliveryPlan, PluginBlock, SourceFile, Status, Webhook
from hookctl.model.quantities import per_second, seconds
from hookctl.plugin import TransportType, ValidatorType, hookimpl
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
SHORTEST = {"name": "Siem", "event": "anomaly", "url": "https://siem.example.com/ingest"}


def compiled(fields: Mapping[str, Any], plugins: Any = PLUGINS) -> DeliveryPlan:
    return compile_webhook(Webhook(SourceFile("a.yaml", ""), 1, fields, cast("Any", None)), plugins)


def test_defaults_are_written_out() -> None:
    plan = compiled(SHORTEST)
    assert plan == DeliveryPlan(
        name="Siem",
        events=("anomaly",),
        status=Status.ACTIVE,
        method="POST",
        url="https://siem.example.com/ingest",
        headers={},
        auth=(),
        transport=None,
        when=None,
        body_template=None,
        timeout_seconds=15,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(5, 300, 1800, 7200, 18000, 36000, 36000),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {},
            {
                "status": "active",
                "method": "POST",
                "timeout_seconds": 15,
                "headers": {},
                "labels": {},
                "protected": False,
            },
        ),
        ({}, {"timeout_seconds": 15.0}),
        ({}, {"retry": {"schedule": ["5s", "5m", "30m", "2h", "5h", "10h", "10h"]}}),
        ({}, {"retry": {}}),
        ({}, {"auth": [], "response_validators": []}),
        ({"retry": {"schedule": ["300s", "0.5h"]}}, {"retry": {"schedule": ["5m", "30m"]}}),
        ({"rate_limit": "120/m"}, {"rate_limit": "2/s"}),
        ({"max_in_flight": 4}, {"max_in_flight": 4.0}),
        ({}, {"outcomes": {}}),
        ({"outcomes": {"404": "dead", "5xx": "dead"}}, {"outcomes": {"5xx": "dead", "404": "dead"}}),
        ({"headers": {"A": "1", "B": "2"}}, {"headers": {"B": "2", "A": "1"}}),
        ({}, {"body_format": "json"}),
        ({"form": {"a": "1\n", "b": "2"}}, {"form": {"b": "2", "a": "1\r\n"}}),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}}),
        ({"auth": {"type": "bearer", "token": "${env:T}"}}, {"auth": [{"token": "${env:T}", "type": "bearer"}]}),
        (
            {"response_validators": [{"json_path": "$.data.n", "expected_values": [10, 1.5]}]},
            {
                "response_validators": [
                    {"expected_values": [10.0, 1.5], "type": "json_path", "json_path": "$.data.n", "match": "all"}
                ]
            },
        ),
        ({"body_template": "{\n}\n"}, {"body_template": "{\r\n}\r"}),
    ],
)
def test_what_means_the_same_is_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert compiled(SHORTEST | one).canonical() == compiled(SHORTEST | other).canonical()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "inactive"},
        {"timeout_seconds": 15.5},
        {"headers": {"a": "1"}},
        {"auth": {"type": "bearer", "token": "${env:T}"}},
        {"body_template": "{}"},
        {"body_template": "{} "},
        {"body_format": "xml"},
        {"form": {"a": "1"}},
        {"retry": {"schedule": []}},
        {"rate_limit": "1/s"},
        {"max_in_flight": 4},
        {"outcomes": {"404": "dead"}},
        {"protected": True},
        {"when": "data"},
        {"description": ""},
        {"custom_validation_error_message": "no"},
    ],
)
def test_what_differs_is_another_plan(fields: dict[str, Any]) -> None:
    assert compiled(SHORTEST | fields).digest != compiled(SHORTEST).digest


def test_the_order_of_auth_and_of_validators_is_kept() -> None:
    first, second = {"type": "bearer", "token": "${env:A}"}, {"type": "headers", "headers": {"X": "${env:B}"}}
    assert [block.type for block in compiled(SHORTEST | {"auth": [first, second]}).auth] == ["bearer", "headers"]
    assert (
        compiled(SHORTEST | {"auth": [first, second]}).digest != compiled(SHORTEST | {"auth": [second, first]}).digest
    )


def test_references_stay_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "canary-51ac")
    plan = compiled(SHORTEST | {"auth": {"type": "bearer", "token": "${env:T}"}, "headers": {"X": "a ${env:T}"}})
    assert plan.auth == (PluginBlock("bearer", {"token": "${env:T}"}),)
    assert plan.headers == {"X": "a ${env:T}"}
    assert b"canary-51ac" not in plan.canonical()


def test_a_plugins_defaults_are_written_out_and_its_numbers_canonical() -> None:
    class Plugin:
        @hookimpl
        def hookctl_transport_types(self) -> list[TransportType]:
            schema = {
                "type": "object",
                "properties": {"region": {"default": "eu"}, "shards": {"default": 2.0}, "key": {}},
            }
            return [TransportType(name="bus", summary="a bus", schema=cast("Any", schema), build=cast("Any", dict))]

        @hookimpl
        def hookctl_validator_types(self) -> list[ValidatorType]:
            return [
                ValidatorType(
                    name="bare", summary="no settings", schema={"type": "object"}, build=cast("Any", dict), label=str
                )
            ]

    plan = compiled(
        SHORTEST
        | {"transport": {"type": "bus", "key": {"b": 1.0, "a": [2.0]}}, "response_validators": [{"type": "bare"}]},
        load_plugins([Plugin()]),
    )
    assert plan.transport == PluginBlock("bus", {"key": {"a": [2], "b": 1}, "region": "eu", "shards": 2})
    assert str(plan.transport.settings) == "{'key': {'a': [2], 'b': 1}, 'region': 'eu', 'shards': 2}"
    assert plan.response_validators == (PluginBlock("bare", {}),)


@pytest.mark.parametrize(
    ("text", "number"),
    [("500ms", 0.5), ("1.5s", 1.5), ("5s", 5), ("5m", 300), ("2h", 7200), ("1d", 86400), ("0.1s", 0.1), ("0.3m", 18)],
)
def test_durations(text: str, number: float) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [("50/s", 50), ("120/m", 2), ("100/m", 100 / 60), ("1/h", 1 / 3600), ("0.5/s", 0.5)]
)
def test_rates(text: str, number: float) -> None:
    assert per_second(text) == number


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 s", "5S", "1e3s", ".5s", "5.s", "5s\n", "\u0665s", "5w"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize("text", ["", "5", "/s", "5/d", "5/ms", "5 / s", "5/s\n"])
def test_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        per_second(text)
