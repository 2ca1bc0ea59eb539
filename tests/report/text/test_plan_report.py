"""A plan as its reviewer reads it."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.config.diff import make_plan
from hookctl.config.review import Review
from hookctl.model import AppliedState, DeliveryPlan, Finding, Plan, PluginBlock, Severity, Status
from hookctl.report.text.fields import duration, rate
from hookctl.report.text.plan import plan_json, render_text
from hookctl.report.text.printable import printable
from hookctl.schema_files import read_schema

Build = Callable[..., DeliveryPlan]
Reviewed = Callable[..., Review]

TEMPLATE = (
    "{\n" + "".join(f'  "key{number}": {{{{ data.value{number} }}}},\n' for number in range(20)) + '  "last": 1\n}\n'
)
FINDINGS = (
    Finding(
        source="allowed-hosts",
        webhook="Tickets",
        message="tickets2.example.com is not an allowed host",
        hint="Ask the platform team.",
    ),
    Finding(source="owner", webhook="Kept 1", message="no label owner", severity=Severity.WARNING),
    Finding(source="freeze", message="nothing is applied on a Friday", hint="Wait for Monday."),
)


@pytest.fixture
def plan(delivery_plan: Build) -> Plan:
    oauth = PluginBlock(
        "oauth2",
        {
            "client_id": "${env:ID}",
            "client_secret": "${env:SECRET}",
            "scopes": ["read"],
            "token_url": "https://login.example.com/token",
        },
    )
    accepted = PluginBlock("json_path", {"json_path": "$.data.status", "expected_values": ["accepted", "1"]})
    before = delivery_plan(
        "Tickets",
        url="https://tickets.example.com/api",
        headers={"X-Source": "hookctl", "X-Old": "yes"},
        auth=(oauth,),
        body_template=TEMPLATE,
        response_validators=(accepted,),
        labels={"team": "a"},
    )
    after = delivery_plan(
        "Tickets",
        url="https://tickets2.example.com/api",
        status=Status.INACTIVE,
        headers={"X-Source": "${env:SOURCE}", "X-New": " padded"},
        auth=(PluginBlock("oauth2", {**oauth.settings, "scopes": ["read", "write"]}),),
        body_template=TEMPLATE.replace('"key9": {{ data.value9 }}', '"nine": {{ data.value9 }}').replace(
            '"last": 1', '"last": 2'
        ),
        response_validators=(
            PluginBlock("json_path", {"json_path": "$.data.status", "expected_values": ["accepted", 1]}),
            PluginBlock("status", {"codes": [202]}),
        ),
        timeout_seconds=0.5,
        retry_schedule=(0.5, 90, 3600, 86400),
        rate_limit=100 / 60,
        labels={"team": "b"},
        custom_validation_error_message="10",
        protected=True,
    )
    kept = {f"Kept {number}": delivery_plan(f"Kept {number}") for number in range(1, 8)}
    new = delivery_plan(
        "New",
        auth=(PluginBlock("bearer", {"token": "${env:T}"}), PluginBlock("headers", {"headers": {"X": "${env:X}"}})),
        when="data",
        body_template='{\n  "a": 1\n}',
    )
    return make_plan(
        AppliedState(4, {"Tickets": before, "Old": delivery_plan("Old"), **kept}),
        {"Tickets": after, "New": new, **kept},
        {"hookctl": "1"},
    )


def test_text(plan: Plan, snapshot: SnapshotAssertion, reviewed: Reviewed) -> None:
    assert render_text(reviewed(plan, ()), color=False) == snapshot


def test_text_with_findings(plan: Plan, snapshot: SnapshotAssertion, reviewed: Reviewed) -> None:
    assert render_text(reviewed(plan, FINDINGS), color=False) == snapshot


def test_color_adds_color_alone(plan: Plan, reviewed: Reviewed) -> None:
    colored = render_text(reviewed(plan, FINDINGS), color=True)
    assert click.unstyle(colored) == render_text(reviewed(plan, FINDINGS), color=False)
    assert click.style("  + New", fg="green", bold=True) in colored
    assert click.style("      - headers.X-Old: yes", fg="red") in colored


def test_no_changes(delivery_plan: Build, reviewed: Reviewed) -> None:
    same = {"Siem": delivery_plan()}
    assert (
        render_text(reviewed(make_plan(AppliedState(1, same), same, {}), ()), color=False)
        == "No changes. The applied webhooks match the files.\n"
    )
    assert (
        render_text(reviewed(make_plan(AppliedState(), {}, {}), ()), color=False)
        == "No changes. The applied webhooks match the files.\n"
    )


def test_a_template_of_which_only_the_end_differs(delivery_plan: Build, reviewed: Reviewed) -> None:
    plan = make_plan(
        AppliedState(1, {"Siem": delivery_plan(body_template="{}")}), {"Siem": delivery_plan(body_template="{}\n")}, {}
    )
    assert "      ~ body_template:\n          (only the final line break)\n" in render_text(
        reviewed(plan, ()), color=False
    )


def test_json_is_as_the_schema_says_and_counts_as_the_text_does(plan: Plan, reviewed: Reviewed) -> None:
    document = json.loads("".join(plan_json(reviewed(plan, FINDINGS))))
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    counts = document["summary"]
    assert (
        f"Plan: {counts['create']} to add, {counts['update']} to change, {counts['delete']} to remove."
        in render_text(reviewed(plan, ()), color=False)
    )
    assert [(finding["policy"], finding["webhook"], finding["severity"]) for finding in document["findings"]] == [
        ("allowed-hosts", "Tickets", "error"),
        ("owner", "Kept 1", "warning"),
        ("freeze", None, "error"),
    ]


@pytest.mark.parametrize(
    "nasty", ["\x1b[2J", "\x9b31m", "a\rb", "\u202e", "\u200b", "\u2028", "\x00", "\x7f", "\U000e0041"]
)
def test_text_of_others_cannot_drive_the_terminal(delivery_plan: Build, nasty: str, reviewed: Reviewed) -> None:
    hostile = delivery_plan(
        "Siem",
        url=f"https://a/{nasty}",
        headers={f"X{nasty}": nasty},
        body_template=f"{{{nasty}\n{nasty}}}",
        description=nasty,
        labels={nasty: nasty},
        auth=(PluginBlock("x", {"a": [nasty], nasty: {nasty: 1}}),),
    )
    findings = [
        Finding(source=f"p{nasty}", webhook="Siem", message=nasty, hint=nasty),
        Finding(source="q", webhook=f"gone{nasty}", message=nasty, hint=nasty),
    ]
    for plan in (
        make_plan(AppliedState(), {"Siem": hostile}, {}),
        make_plan(AppliedState(1, {"Siem": hostile}), {}, {}),
        make_plan(AppliedState(1, {"Siem": delivery_plan()}), {"Siem": hostile}, {}),
    ):
        text = render_text(reviewed(plan, findings), color=False)
        assert nasty not in text
        assert all(character == "\n" or character.isprintable() for character in text)


def test_printable() -> None:
    assert printable("Grüße, 世界 ✓ {}") == "Grüße, 世界 ✓ {}"
    assert printable("a\tb\r\n\x1b\u202e\U000e0001") == r"a\tb\r\n\u001b\u202e\U000e0001"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.5, "0.5s"),
        (15, "15s"),
        (90, "90s"),
        (300, "5m"),
        (5400, "90m"),
        (36000, "10h"),
        (86400, "1d"),
        (129600, "36h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (50, "50/s"),
        (100 / 60, "100/m"),
        (1 / 3600, "1/h"),
        (0.5, "30/m"),
        (1 / 7, "0.142857/s"),
        (0.1 / 3600, "0.1/h"),
    ],
)
def test_rates(per_second: float, text: str) -> None:
    assert rate(per_second) == text
