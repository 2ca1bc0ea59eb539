"""What holds of policies for any plan and any settings."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.check import ask_policies
from hookctl.config.diff import make_plan
from hookctl.errors import SettingsError
from hookctl.model import AppliedState, DeliveryPlan, Plan, PluginBlock
from hookctl.plugin import Finding, Policy, Severity
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins

Build = Callable[..., DeliveryPlan]

PLUGINS = load_plugins()
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
LABELS = st.lists(st.sampled_from(["a", "b", "example", "com", "xn--bcher-kva"]), min_size=1, max_size=4)
KEYS = st.sampled_from(["hosts", "seconds", "duration", "label", "severity", "x", ""])
WORDS = st.sampled_from(["error", "warning", "1d", "*.example.com"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def created(*plans: DeliveryPlan) -> Plan:
    return make_plan(AppliedState(), {plan.name: plan for plan in plans}, {})


def ask(plan: Plan, name: str, table: Mapping[str, Any], plugins: Plugins = PLUGINS) -> list[Finding]:
    return ask_policies(plan, {name: table}, plugins)


@given(host=LABELS, allowed=st.lists(st.tuples(st.booleans(), LABELS), min_size=1, max_size=4))
def test_a_host_is_allowed_by_name_or_by_a_name_above_it(
    delivery_plan: Build, host: list[str], allowed: list[tuple[bool, list[str]]]
) -> None:
    hosts = list(dict.fromkeys(("*." if below else "") + ".".join(labels) for below, labels in allowed))
    expected = any(host[-len(labels) :] == labels and (len(host) > len(labels)) == below for below, labels in allowed)
    found = ask(
        created(delivery_plan(url=f"https://{'.'.join(host)}/in?to=https://a.example.com/")),
        "allowed_hosts",
        {"hosts": hosts},
    )
    assert (not found) == expected


@pytest.mark.parametrize(
    "url",
    [
        "spool:users",
        "/etc/spool",
        "https://a.example.com\\@b.example.net/",
        "https://b.example.net@a.example.com/",
        "https://b.example.net\\.a.example.com/",
        "https://[2001:db8::1]/",
        "https:a.example.com",
        "https:///a.example.com",
        "https://a.example.com:x/",
        "https://a.example.com,b.example.net/",
        "https://a.example.com.",
        "",
    ],
)
def test_a_host_that_cannot_be_told_is_not_allowed(delivery_plan: Build, url: str) -> None:
    (said,) = ask(created(delivery_plan(url=url)), "allowed_hosts", {"hosts": ["*.example.com"]})
    assert said.is_error
    assert "has no recognizable host" in said.message or "is not an allowed host" in said.message


@pytest.mark.parametrize("url", ["amqps://a.example.com:5671/queue", "mqtts://a.example.com", "https://A.example.com/"])
def test_urls_of_other_transports_have_hosts_too(delivery_plan: Build, url: str) -> None:
    plan = created(
        delivery_plan(url=url, transport=PluginBlock("x", {"fallback_url": url, "topic": "https://b.example.net/"}))
    )
    assert ask(plan, "allowed_hosts", {"hosts": ["a.example.com"]}) == []
    assert [said.pointer for said in ask(plan, "allowed_hosts", {"hosts": ["b.example.com"]})] == [
        ("url",),
        ("transport", "fallback_url"),
    ]


@given(timeout=st.integers(1, 300_000), most=st.integers(1, 300_000))
def test_a_timeout_is_refused_above_the_most(delivery_plan: Build, timeout: int, most: int) -> None:
    found = ask(created(delivery_plan(timeout_seconds=timeout / 1000)), "timeout_at_most", {"seconds": most / 1000})
    assert bool(found) == (timeout > most)


@given(
    delays=st.lists(st.integers(0, 10**6), max_size=12),
    count=st.integers(0, 999_999),
    unit=st.sampled_from(sorted(UNITS)),
)
def test_a_horizon_is_refused_below_the_least(delivery_plan: Build, delays: list[int], count: int, unit: str) -> None:
    plan = created(delivery_plan(retry_schedule=tuple(delay / 1000 for delay in delays)))
    found = ask(plan, "retry_horizon_at_least", {"duration": f"{count}{unit}"})
    assert bool(found) == (sum(delays) < count * UNITS[unit] * 1000 - 0.5)


@given(value=st.text(string.whitespace + "ab", max_size=3) | st.none())
def test_an_owner_is_more_than_space(delivery_plan: Build, value: str | None) -> None:
    plan = created(delivery_plan(labels={} if value is None else {"owner": value}))
    assert bool(ask(plan, "owner_label", {})) == (not (value or "").strip())


@settings(max_examples=300)
@given(
    name=st.sampled_from(sorted(PLUGINS.policies)) | st.text(max_size=5),
    table=st.dictionaries(KEYS, VALUES, max_size=3) | VALUES,
)
def test_any_settings_are_taken_or_refused_by_name(delivery_plan: Build, name: str, table: Any) -> None:
    try:
        found = ask(created(delivery_plan()), name, table)
    except SettingsError as error:
        refused = error
    else:
        assert name in PLUGINS.policies
        assert {said.is_error for said in found} <= {table.get("severity", "error") == "error"}
        return
    assert name in refused.message if name in PLUGINS.policies else repr(name) in refused.message
    assert refused.hint


@given(before=st.lists(st.sampled_from("abcd"), unique=True), after=st.lists(st.sampled_from("abcd"), unique=True))
def test_errors_are_of_what_the_plan_touches(delivery_plan: Build, before: list[str], after: list[str]) -> None:
    applied = {name: delivery_plan(name, description=name) for name in before}
    desired = {name: delivery_plan(name, description=name) for name in after}
    found = ask(make_plan(AppliedState(1, applied), desired, {}), "authenticated", {})
    assert {said.webhook: said.is_error for said in found} == {name: name not in before for name in after}


# -- policies that misbehave -------------------------------------------------------------------------------------------


def fails(_: object) -> Any:
    raise ZeroDivisionError("one eye is shut")


def refuses(_: object) -> Any:
    raise SettingsError("`eyes` must be two", hint="Open the other.")


def plugins_with(**fields: Any) -> Plugins:
    policy = Policy(**{"name": "two_eyes", "summary": "", "schema": {}, "build": fails, **fields})

    class Acme:
        __name__ = "acme"

    from hookctl.plugin import hookimpl

    acme = Acme()
    acme.hookctl_policies = hookimpl(lambda: [policy])  # type: ignore[attr-defined]
    return load_plugins([acme])


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (fails, "policy two_eyes of plugin acme: build raised ZeroDivisionError: one eye is shut"),
        (lambda _: fails, "policy two_eyes of plugin acme: check raised ZeroDivisionError: one eye is shut"),
        (
            lambda _: None,
            "policy two_eyes of plugin acme: build returned the policy two_eyes, whose check is not a function",
        ),
        (lambda _: lambda _: None, "policy two_eyes of plugin acme: check returned None, not a list of Finding"),
        (lambda _: lambda _: ["blink"], "policy two_eyes of plugin acme: check returned a str, not a Finding"),
    ],
)
def test_a_policy_that_fails_is_an_error_and_the_others_are_asked(delivery_plan: Build, build: Any, said: str) -> None:
    tables = {"two_eyes": {"severity": "warning"}, "authenticated": {}}
    first, second = ask_policies(created(delivery_plan()), tables, plugins_with(build=build))
    assert first.source == "two_eyes"
    assert first.message.startswith(said)
    assert first.is_error
    assert second.source == "authenticated"


def test_a_policys_own_word_on_its_settings(delivery_plan: Build) -> None:
    with pytest.raises(SettingsError, match=r"^\[policies.two_eyes\]: `eyes` must be two$") as raised:
        ask(created(delivery_plan()), "two_eyes", {}, plugins_with(build=refuses))
    assert raised.value.hint == "Open the other."


def test_a_schema_that_is_none(delivery_plan: Build) -> None:
    from hookctl.errors import PluginError

    with pytest.raises(PluginError, match="the schema of the policy 'two_eyes' is not a valid JSON Schema"):
        ask(created(delivery_plan()), "two_eyes", {}, plugins_with(schema={"type": "objekt"}))


def test_a_finding_on_the_whole_plan_counts_as_it_says(delivery_plan: Build) -> None:
    same = {"Siem": delivery_plan()}
    plugins = plugins_with(
        build=lambda _: lambda _: [Finding(message="it is Friday"), Finding(message="soon", severity=Severity.WARNING)]
    )
    plan = make_plan(AppliedState(1, same), same, {})
    assert [said.is_error for said in ask(plan, "two_eyes", {}, plugins)] == [True, False]
    assert [said.is_error for said in ask(plan, "two_eyes", {"severity": "warning"}, plugins)] == [False, False]


def test_a_check_never_sees_the_severity(delivery_plan: Build) -> None:
    seen: list[Mapping[str, Any]] = []

    def build(table: Mapping[str, Any]) -> Callable[[Plan], list[Finding]]:
        seen.append(dict(table))
        return lambda _: []

    schema = {"type": "object", "properties": {"eyes": {"type": "integer"}}, "additionalProperties": False}
    assert (
        ask(
            created(delivery_plan()),
            "two_eyes",
            {"eyes": 2, "severity": "error"},
            plugins_with(build=build, schema=schema),
        )
        == []
    )
    assert seen == [{"eyes": 2}]
