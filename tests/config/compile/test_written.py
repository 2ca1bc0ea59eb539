"""A delivery plan written back as its author would write it: it is free of errors, and compiles to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.check import WebhookChecker
from hookctl.config.compile import compile_webhook, written_fields
from hookctl.config.load import load_fields
from hookctl.model import DeliveryPlan, Json, PluginBlock, Severity, Webhook
from hookctl.model.quantities import duration_text, per_second, rate_text, seconds
from hookctl.plugin.host import load_plugins
from hookctl.plugin.interfaces import ValidatorType

PLUGINS = load_plugins()
CHECKER = WebhookChecker(PLUGINS)
NUMBERS = st.one_of(
    st.integers(0, 999_999).map(str),
    st.tuples(st.integers(0, 999_999), st.integers(0, 999)).map(lambda parts: f"{parts[0]}.{parts[1]:03}"),
    st.tuples(st.integers(0, 99), st.integers(0, 9)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
)
DURATIONS = st.tuples(NUMBERS, st.sampled_from(["ms", "s", "m", "h", "d"])).map("".join)
RATES = st.tuples(NUMBERS, st.sampled_from("smh")).filter(lambda parts: float(parts[0]) > 0).map("/".join)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
AUTH: list[dict[str, Json]] = [
    {"type": "bearer", "token": "${env:T}"},
    {"type": "basic", "username": "u", "password": "${file:/p}"},
    {"type": "headers", "headers": {"X-Key": "${env:K}"}},
    {
        "type": "oauth2",
        "token_url": "https://id.example.com/t",
        "client_id": "a",
        "client_secret": "${env:S}",
        "scopes": ["b"],
    },
]
VALIDATORS: list[dict[str, Json]] = [
    {"json_path": "$.data.status", "expected_values": ["ok", 1.0, None, True]},
    {"type": "status", "codes": [202]},
    {"type": "jmespath", "expression": "data.ok"},
]
WEBHOOKS: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z0-9]{1,8}([ _-][A-Za-z0-9]{1,8})?", fullmatch=True),
        "event": st.just("anomaly"),
        "url": st.sampled_from(["https://siem.example.com/", "https://siem.example.com/{{ data.id }}?k=${env:K}"]),
    },
    optional={
        "description": TEXT,
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
        "protected": st.booleans(),
        "status": st.sampled_from(["active", "inactive"]),
        "when": st.just("data.severity == 'High'"),
        "method": st.sampled_from(["GET", "PUT"]),
        "transport": st.sampled_from([{"type": "curl"}, {"type": "requests"}]),
        "headers": st.dictionaries(st.sampled_from(["A", "b"]), st.sampled_from(["1", "${env:H}"]), max_size=2),
        "auth": st.sampled_from(AUTH) | st.lists(st.sampled_from(AUTH), min_size=1, max_size=2),
        "body_template": st.sampled_from(["", '{"a": "{{ data.title }}"}', '{\r\n"a": 1}\r']),
        "body_format": st.sampled_from(["json", "text"]),
        "form": st.dictionaries(
            st.sampled_from(["A", "b"]), st.sampled_from(["1", "${env:H}", "{{ id }}"]), min_size=1
        ),
        "timeout_seconds": st.integers(1, 300) | st.floats(0.001, 300),
        "response_validators": st.lists(st.sampled_from(VALIDATORS), max_size=2),
        "custom_validation_error_message": TEXT.filter(bool),
        "retry": st.fixed_dictionaries({}, optional={"schedule": st.lists(DURATIONS, max_size=4)}),
        "rate_limit": RATES,
        "max_in_flight": st.integers(1, 2000) | st.just(4.0),
        "outcomes": st.dictionaries(
            st.sampled_from(["404", "4xx", "mismatch"]), st.sampled_from(["delivered", "retry", "hold", "dead"])
        ),
    },
)


def loaded(fields: Mapping[str, Any]) -> Webhook:
    webhook = load_fields("plan.json", dict(fields))
    assert isinstance(webhook, Webhook)
    return webhook


def errors(webhook: Webhook) -> list[str]:
    return [finding.message for finding in CHECKER.check(webhook) if finding.severity is Severity.ERROR]


@settings(max_examples=150, deadline=None)
@given(WEBHOOKS)
def test_written_back_it_compiles_to_itself(fields: dict[str, Json]) -> None:
    first = loaded(fields)
    if errors(first):  # the template is empty, and the like
        return
    plan = compile_webhook(first, PLUGINS)
    again = loaded(written_fields(plan, PLUGINS))
    assert errors(again) == []
    assert compile_webhook(again, PLUGINS) == plan


@given(DURATIONS)
def test_every_duration_is_written_back(text: str) -> None:
    assert seconds(duration_text(seconds(text))) == seconds(text)


@given(RATES)
def test_every_rate_is_written_back(text: str) -> None:
    assert per_second(rate_text(per_second(text))) == per_second(text)


@pytest.mark.parametrize("number", [-1, 1e-9, 1e15, float("inf"), float("nan"), "5s", None, True, 10**400, 1 / 3])
def test_what_no_file_says_is_not_written(number: Any) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        duration_text(number)
    if number != 1 / 3:
        with pytest.raises(ValueError, match="cannot be written"):
            rate_text(number)


@pytest.mark.parametrize("field", ["retry_schedule", "rate_limit"])
def test_a_quantity_that_cannot_be_written_is_an_error(delivery_plan: Any, field: str) -> None:
    odd = {"retry_schedule": (1 / 3,), "rate_limit": 1e15}
    assert errors(loaded(written_fields(delivery_plan(**{field: odd[field]}), PLUGINS))) != []


def test_defaults_that_a_schema_refuses_next_to_others_are_left_out() -> None:
    """A plugin's schema may want one of two settings, one of which has a default."""
    one_of: Json = [{"required": ["a"]}, {"required": ["b"]}]
    schema: dict[str, Json] = {
        "properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string"}},
        "oneOf": one_of,
    }
    kind = ValidatorType(name="either", summary="Either.", schema=schema, build=cast("Any", None), label=str)
    plugins = cast("Any", type("Given", (), {"auth": {}, "transports": {}, "validators": {"either": kind}})())
    fields = {
        "name": "S",
        "event": "anomaly",
        "url": "https://a.example/",
        "response_validators": [{"type": "either", "b": "y"}],
    }
    plan = compile_webhook(loaded(fields), plugins)
    assert plan.response_validators[0].settings == {"a": "x", "b": "y"}
    assert written_fields(plan, plugins)["response_validators"] == [{"type": "either", "b": "y"}]


def test_an_unknown_plugin_is_left_to_the_check(delivery_plan: Any) -> None:
    plan: DeliveryPlan = delivery_plan(auth=(PluginBlock("nonsense", {"a": 1}),))
    assert errors(loaded(written_fields(plan, PLUGINS))) == ["unknown auth plugin 'nonsense'"]
