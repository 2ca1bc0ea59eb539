"""Attempts that are repeated with another delivery plan."""

from __future__ import annotations

from collections.abc import Callable

from hookctl.delivery.rehearsal.again import repeating
from hookctl.model import DeliveryPlan, PluginBlock, Response
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
EVENT = PLUGINS.event_types["anomaly"].mock
VALIDATOR = PluginBlock("json_path", {"json_path": "$.data.ok", "expected_values": [True]})


def test_auth_is_left_out_and_secrets_are_masked(delivery_plan: Callable[..., DeliveryPlan]) -> None:
    """No code of an auth plugin runs, since it might open a connection."""
    plan = delivery_plan(
        url="https://siem.example.com/${env:NOT_SET}", auth=(PluginBlock("bearer", {"token": "${env:NEITHER}"}),)
    )
    with repeating(plan, PLUGINS) as repeat:
        request = repeat(EVENT, None).request
    assert request is not None
    assert request.url == "https://siem.example.com/***"
    assert "authorization" not in {name.lower() for name, _ in request.headers}


def test_each_attempt_gets_its_own_response(delivery_plan: Callable[..., DeliveryPlan]) -> None:
    with repeating(delivery_plan(response_validators=(VALIDATOR,)), PLUGINS) as repeat:
        results = [
            repeat(EVENT, Response(200, "OK", (), body)).succeeded
            for body in (b'{"ok": true}', b'{"ok": false}', b'{"ok": true}')
        ]
        assert results == [True, False, True]
        empty = repeat(EVENT, None)
    assert empty.response
    assert empty.response.status == 204
