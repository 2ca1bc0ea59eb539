"""What auth plugins say that they add, beside what they do add."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hookctl.delivery.rehearsal.rehearsal import Rehearsal
from hookctl.delivery.rehearsal.render import render_request
from hookctl.errors import PluginError
from hookctl.model import DeliveryPlan, Json, PluginBlock, Response, Timing
from hookctl.plugin.added import added_by
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins

BLOCKS: Mapping[str, dict[str, Json]] = {
    "bearer": {"token": "${env:T}"},
    "basic": {"username": "me", "password": "${env:T}"},
    "headers": {"headers": {"X-Key": "${env:T}", "Authorization": "Token token=${env:T}"}},
    "oauth2": {"client_id": "me", "client_secret": "${env:T}", "token_url": "https://login.example.com/token"},
    "standard_webhooks": {"secret": "${env:T}"},
    "hmac": {"preset": "github", "secret": "${env:T}"},
}


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


def test_every_built_in_auth_says_what_it_adds(plugins: Plugins) -> None:
    assert set(BLOCKS) == set(plugins.auth)
    assert all(kind.adds for kind in plugins.auth.values())


@pytest.mark.parametrize(
    "names", [*([name] for name in BLOCKS), ["headers", "bearer"], ["bearer", "headers"], ["basic", "oauth2", "hmac"]]
)
def test_what_is_said_is_what_a_delivery_has(
    plugins: Plugins, delivery_plan: Callable[..., DeliveryPlan], names: list[str]
) -> None:
    plan = delivery_plan(
        headers={"authorization": "mine", "X-Own": "1"}, auth=tuple(PluginBlock(name, BLOCKS[name]) for name in names)
    )
    event = plugins.event_types["anomaly"].mock
    rehearsal = Rehearsal(plan, plugins, lambda _: (Response(200, "OK", (), b""), Timing()))
    try:
        sent = rehearsal.attempt(event, 1, 0.0).request
    finally:
        rehearsal.close()
    assert sent
    added = added_by(plan.auth, plugins.auth)
    said = added.put_into(render_request(plan, event, plugins, "rehearsal", 0.0).headers)
    assert not added.unsaid
    assert _shown(said) == _shown(sent.headers)


def _shown(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """An attempt's record masks a whole value; a plan shows what of it is written in the file."""
    return {name.lower(): re.sub(r"^(Token token=|v1,|sha256=)\*\*\*$", "***", value) for name, value in headers}


def _fail(_: Mapping[str, Json]) -> Mapping[str, str]:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("adds", "why"),
    [(_fail, "ZeroDivisionError"), (lambda _: {"X": 1}, "it returned {'X': 1}"), (lambda _: 3, "TypeError")],
)
def test_one_that_fails_is_named(plugins: Plugins, adds: Any, why: str) -> None:
    mine = replace(plugins.auth["bearer"], name="mine", adds=adds)
    with pytest.raises(PluginError, match="the auth 'mine' failed to list what it adds") as failed:
        added_by([PluginBlock("mine", {})], {"mine": mine})
    assert why in failed.value.message


def test_no_reference_is_shown(plugins: Plugins) -> None:
    said = added_by([PluginBlock(name, settings) for name, settings in BLOCKS.items()], plugins.auth).headers
    assert {name: value for name, (value, _) in said.items()} == {
        "X-Key": "***",
        "Authorization": "Bearer ***",
        "webhook-signature": "v1,***",
        "X-Hub-Signature-256": "sha256=***",
    }
