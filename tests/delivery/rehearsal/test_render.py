"""The request that would be sent, from the delivery plan alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from hookctl.delivery.rehearsal.render import render_request
from hookctl.errors import RenderError
from hookctl.model import DeliveryPlan, Json
from hookctl.plugin.calls import Plugins
from hookctl.testing.receiver import Receiver


def test_references_are_masked_and_never_resolved(
    make_plan: Callable[..., DeliveryPlan],
    plugins: Plugins,
    mock_event: Mapping[str, Json],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "canary")
    plan = make_plan(
        url="https://siem.example.com/${env:CANARY}",
        headers={"X-Key": "Key ${env:CANARY}", "X-Other": "${env:NOT_SET}"},
        auth=({"type": "bearer", "token": "${env:CANARY}"},),
    )
    request = render_request(plan, mock_event, plugins, "some-id", at=1_700_000_000.7)
    assert request.url == "https://siem.example.com/***"
    assert request.body == b'{"severity": "High"}'
    headers = dict(request.headers)
    assert headers.pop("User-Agent").startswith("hookctl/")
    assert headers == {
        "X-Key": "Key ***",
        "X-Other": "***",
        "Content-Type": "application/json",
        "webhook-id": "some-id",
        "webhook-timestamp": "1700000000",
    }


def test_what_is_rendered_is_what_is_sent(
    make_plan: Callable[..., DeliveryPlan],
    plugins: Plugins,
    mock_event: Mapping[str, Json],
    receiver: Receiver,
    attempt: Callable[..., object],
) -> None:
    plan = make_plan(
        method="PUT", body_template='{"all": {{ data }}, "text": "{{ data.title }}"}', headers={"X-A": "b"}
    )
    attempt(plan, clock=lambda: 1_700_000_000.0)
    rendered = render_request(plan, mock_event, plugins, "delivery-0", at=1_700_000_000.0)
    sent = receiver.requests[0]
    assert (sent.method, f"https://siem.example.com{sent.target}", sent.body) == (
        rendered.method,
        rendered.url,
        rendered.body,
    )
    headers = {name: value for name, value in rendered.headers if name != "User-Agent"}
    assert headers.items() <= dict(sent.headers).items()


def test_a_template_that_fails_says_so(
    make_plan: Callable[..., DeliveryPlan], plugins: Plugins, mock_event: Mapping[str, Json]
) -> None:
    with pytest.raises(RenderError, match="nothing"):
        render_request(make_plan(body_template='{"a": {{ data.nothing }}}'), mock_event, plugins, "id")
