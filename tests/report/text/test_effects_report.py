"""What a plan means, as its reviewer and as a machine reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import click
import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.config.diff import make_plan, read_plan
from hookctl.config.effects import Effects, Leaving, Recent, find
from hookctl.config.effects.structure import ITEM, Step, compare
from hookctl.config.review import Review, plan_effects
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Finding, Plan, PluginBlock, Status
from hookctl.plugin.host import load_plugins
from hookctl.report.text.differences import MAX_LINES, difference_lines, json_paths
from hookctl.report.text.leaving import leaving_text
from hookctl.report.text.plan import plan_json, render_text
from hookctl.schema_files import read_schema
from hookctl.testing.events import generate

Build = Callable[..., DeliveryPlan]
Reviewed = Callable[..., Review]
BEFORE = """{
  "severity": "{{ data.severity }}",
  "title": "{{ data.title }}",
  "time": {{ event_time }},
  "flow": {{ data.access_flow }},
  "request": {{ data.request }},
  "note": "LONG, and is cut where both are still the same: END",
  "payload": "{\\"id\\": \\"{{ data.id }}\\", \\"n\\": 1, \\"list\\": [1, 2, 3, 4]}"
}"""
LONG = "a text so long, " + "really so very long, " * 5 + ", that it does not stand in one line with what it becomes"
BEFORE = BEFORE.replace("LONG", LONG).replace("END", "here it ends, for now")
AFTER = (
    BEFORE.replace(
        '"request": {{ data.request }},\n',
        '"request": "{{ data.request.id }}",\n  "requester": {{ data.requester }},\n',
    )
    .replace("for now", "for ever")
    .replace('\\"n\\": 1', '\\"n\\": \\"1\\"')
    .replace("[1, 2, 3, 4]", "[1, 2, {}, 3, 4]")
)
WAITING = {
    "Siem": {DeliveryStatus.WAITING: 2, DeliveryStatus.RETRYING: 10, DeliveryStatus.HELD: 1},
    "Old": {DeliveryStatus.HELD: 3},
    "Paused": {DeliveryStatus.WAITING: 1},
}


@pytest.fixture(scope="module")
def plan(delivery_plan: Build) -> Plan:
    oauth2 = PluginBlock(
        "oauth2",
        {"client_id": "${env:ID}", "client_secret": "${env:SECRET}", "token_url": "https://login.example.com/token"},
    )
    siem = delivery_plan(body_template=BEFORE, headers={"X-Key": "${env:A}", "X-Same": "1", "X-Gone": "x"})
    before = [siem, delivery_plan("Old"), delivery_plan("Paused"), delivery_plan("Kept"), delivery_plan("Tuned")]
    after = [
        delivery_plan(
            body_template=AFTER,
            headers={"X-Key": "${env:B}", "X-Same": "1"},
            when="data.severity != 'Low'",
            url="https://siem2.example.com/x",
        ),
        delivery_plan("Paused", status=Status.INACTIVE),
        delivery_plan("Kept"),
        delivery_plan("Tuned", retry_schedule=(), when="data.severity == 'Critical'"),
        delivery_plan(
            "New",
            auth=(oauth2,),
            body_template='{"a": "{{ data.resource.name }}"}',
            rate_limit=0.5,
            url="https://siem2.example.com/x",
        ),
    ]
    return make_plan(
        AppliedState(4, {one.name: one for one in before}), {one.name: one for one in after}, {"hookctl": "1"}
    )


@pytest.fixture(scope="module")
def effects(plan: Plan) -> Effects:
    recent = list(generate(300, seed=1))
    without = next(event for event in recent if isinstance(event["data"], dict) and event["data"]["resource"] is None)
    return plan_effects(
        plan, load_plugins(), samples=[without, *recent[:12]], recent=Recent("events.jsonl", recent), waiting=WAITING
    )


@pytest.fixture(scope="module")
def on_mock_events(plan: Plan) -> Effects:
    return plan_effects(plan, load_plugins())


def test_text(plan: Plan, on_mock_events: Effects, snapshot: SnapshotAssertion, reviewed: Reviewed) -> None:
    assert render_text(reviewed(plan, (), on_mock_events), color=False) == snapshot


def test_text_with_events_and_waiting_deliveries(
    plan: Plan, effects: Effects, snapshot: SnapshotAssertion, reviewed: Reviewed
) -> None:
    assert render_text(reviewed(plan, (), effects), color=False) == snapshot


def test_json(plan: Plan, effects: Effects, snapshot: SnapshotAssertion, reviewed: Reviewed) -> None:
    document = json.loads("".join(plan_json(reviewed(plan, (), effects))))
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    assert document["summary"]["effects"] == snapshot
    assert next(change["effects"] for change in document["changes"] if change["name"] == "Siem") == snapshot


def test_color_adds_color_alone(plan: Plan, effects: Effects, reviewed: Reviewed) -> None:
    colored = render_text(reviewed(plan, (), effects), color=True)
    assert click.unstyle(colored) == render_text(reviewed(plan, (), effects), color=False)
    assert click.style("-   headers.X-Gone: x", fg="red") in colored


def test_of_very_many_new_webhooks_most_are_a_line(
    delivery_plan: Build, monkeypatch: pytest.MonkeyPatch, reviewed: Reviewed
) -> None:
    """What is changed or goes is whole, what all mean together is of all, and the JSON has everything."""
    monkeypatch.setattr(find, "MAX_NEW_RENDERED", 1)
    template = '{"a": "{{ data.title }}"}'
    oauth2 = PluginBlock(
        "oauth2", {"client_id": "a", "client_secret": "${env:A}", "token_url": "https://login.example.com/"}
    )
    new = [
        delivery_plan("A", body_template=template),
        delivery_plan(
            "B",
            method="PUT",
            url="https://b.example.com/x",
            body_template=template,
            auth=(oauth2,),
            retry_schedule=(86400,),
        ),
        delivery_plan("C", status=Status.INACTIVE, url="https://c.example.com/\u202e"),
        delivery_plan("Z", body_template='{"b": 1}'),
    ]
    before = [delivery_plan("Gone"), delivery_plan("Z", body_template='{"a": 1}')]
    plan = make_plan(
        AppliedState(1, {one.name: one for one in before}), {one.name: one for one in new}, {"hookctl": "1"}
    )
    recent = Recent("events.jsonl", list(generate(3, seed=1)))
    effects = plan_effects(plan, load_plugins(), recent=recent)
    findings = [Finding(source="owner", webhook="B", message="nobody owns it", hint="Say who.")]
    text = render_text(reviewed(plan, findings, effects), color=False)
    assert click.unstyle(render_text(reviewed(plan, findings, effects), color=True)) == text
    outlined = """
  2 more are new, one line each; see one in full with `--only NAME`:
  + B  PUT https://b.example.com/x for anomaly, new host: b.example.com, login.example.com, \
recent events: 3 newly match, 0 no longer match, 0 match as before
    error[owner]: nobody owns it
      Say who.
  + C  POST https://c.example.com/\\u202e for anomaly, inactive, recent events: 0 newly match, \
0 no longer match, 0 match as before

Effects:
  newly sent to b.example.com, siem.example.com (anomaly): data.title
  new hosts: b.example.com, login.example.com
  payload: breaking for Z
  of the 3 recent events in events.jsonl: 3 newly match, 3 no longer match, 3 match twice
  longest retries: B, 2 attempts, the last 24h after the first

Plan: 3 to add, 1 to change, 1 to remove.
1 error: this plan cannot be applied.
"""
    assert text.endswith(outlined)
    assert "  + A\n" in text
    assert "  - Gone" in text
    assert "payload: breaking: $.a (number) is gone" in text
    document = json.loads("".join(plan_json(reviewed(plan, findings, effects))))
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    by_name = {change["name"]: change for change in document["changes"]}
    assert by_name["B"]["fields"]
    leaving = {"host": "b.example.com", "event": "anomaly", "fields": ["data.title"], "personal": []}
    assert by_name["B"]["effects"]["leaving"] == [leaving]
    assert read_plan(json.dumps(document)) == replace(plan, unchanged={})


def test_a_saved_plan_is_read_back_without_what_it_means(plan: Plan, effects: Effects, reviewed: Reviewed) -> None:
    assert read_plan("".join(plan_json(reviewed(plan, (), effects)))) == replace(plan, unchanged={})


def blocks(text: str) -> dict[str, str]:
    """The lines of each change, by its name."""
    found = re.split(r"^  [-+~] (\w+).*\n", text.partition("\nEffects:")[0], flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def sayings(effects: dict[str, Any]) -> Iterator[str]:
    """What the text must say of a change, by its JSON."""
    if effects["changes_no_request"]:
        yield "request unchanged\n"
    for request in (effects["requests"] or {"shown": []})["shown"]:
        yield "request for the mock event" if request["is_mock"] else f"request for event {request['event_id']}"
        yield from filter(None, (request["problem_before"], request["problem_after"]))
        for difference in request["differences"]:
            place = (
                ".".join(["headers", *difference["path"]]) if difference["part"] == "headers" else difference["part"]
            )
            yield f"{ {'add': '+', 'remove': '-', 'change': '~'}[difference['op']] }   {place}"
            if difference["part"] == "body":
                yield f"body {' (JSON text) '.join(difference['path'])}:"
    yield from (f"payload: breaking: {' (JSON text) '.join(one['path'])} " for one in effects["payload"]["breaks"])
    if effects["payload"]["class"] == "compatible":
        yield "payload: compatible\n"
    for one in effects["leaving"]:
        yield f"newly sent to {one['host']}: {leaving_text(Leaving(**one))}"
    if effects["new_hosts"]:
        yield f"new host: {', '.join(effects['new_hosts'])}\n"
    if events := effects["events"]:
        yield (
            f"recent events: {events['newly']} newly match, {events['no_longer']} no longer match, "
            f"{events['still']} match as before\n"
        )
        if events["twice"]:
            yield f"{events['twice']} would also be sent to the same target by {', '.join(events['twice_with'])}\n"
    words = {
        "sent": "will be sent by the new plan",
        "held": "will be held",
        "cancelled": "will be cancelled",
        "released": "held will be sent by the new plan",
    }
    yield from (f"{count} waiting deliver" for name, count in effects["waiting"].items() if count and words[name])


@pytest.mark.parametrize("which", ["effects", "on_mock_events"])
def test_the_text_says_what_the_json_says(
    plan: Plan, which: str, request: pytest.FixtureRequest, reviewed: Reviewed
) -> None:
    effects = request.getfixturevalue(which)
    text, document = (
        render_text(reviewed(plan, (), effects), color=False),
        json.loads("".join(plan_json(reviewed(plan, (), effects)))),
    )
    by_name = blocks(text)
    changed = {change["name"]: change["effects"] for change in document["changes"]}
    assert set(by_name) == set(changed)
    assert document["unchanged"].keys() == plan.unchanged.keys()
    for name, meaning in changed.items():
        for saying in sayings(meaning):
            assert saying in by_name[name]
        for word, key in (
            ("request unchanged", "changes_no_request"),
            ("newly sent to", "leaving"),
            ("new host", "new_hosts"),
            ("recent events", "events"),
        ):
            assert (word in by_name[name]) == bool(meaning[key])
        shown = sum(len(one["differences"]) for one in (meaning["requests"] or {"shown": []})["shown"])
        assert len(re.findall(r"^      [-+~]   (?:method|url|headers|auth|body)", by_name[name], re.MULTILINE)) == shown
    together, summary = document["summary"]["effects"], text.partition("\nEffects:\n")[2]
    assert all(
        f"newly sent to {one['host']} ({one['event']}): {leaving_text(Leaving(**one))}" in summary
        for one in together["leaving"]
    )
    assert f"new hosts: {', '.join(together['new_hosts'])}\n" in summary
    assert f"payload: breaking for {', '.join(together['payload']['breaking'])}\n" in summary
    assert f"requests unchanged: {', '.join(together['changes_no_request'])}\n" in summary
    assert (
        f"longest retries: {together['longest_retries']['webhook']}, {together['longest_retries']['attempts']} attempts"
        in summary
    )
    if events := together["events"]:
        assert (
            f"of the {events['looked_at']} recent events in {events['origin']}: "
            f"{events['newly']} newly match, {events['no_longer']} no longer match" in summary
        )
    assert ("recent events" in summary) == bool(events)


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from ((f"{path}/{name}", part) for name, part in value.items())
            yield from properties(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from properties(item, f"{path}/{index}")


def test_every_property_is_described() -> None:
    assert [path for path, part in properties(read_schema("plan.schema.json")) if not part.get("description")] == []


@pytest.mark.parametrize(
    ("path", "paths"),
    [((), ["$"]), (("a", 0, "b c", 'd"'), ['$.a[0]["b c"]["d\\""]']), (("a", ITEM), ["$.a[*]"])],
)
def test_json_paths(path: Any, paths: list[str]) -> None:
    assert list(json_paths(path)) == paths


def test_a_request_without_headers_has_no_line_for_them() -> None:
    assert [*difference_lines(compare({"headers": {}}, {"method": "GET", "headers": {}}))] == [("+", "method: GET")]


def test_long_values_are_cut() -> None:
    lines = list(difference_lines([Step(("body", "a"), None, [["x" * 300] * 3] * 200)]))
    assert max(len(line) for _, line in lines) < 1000
    *_, (_, last) = difference_lines(
        [Step(("body",), {}, {}, same=True), Step(("body", "b"), "x" * 500, "x" * 500 + "y")]
    )
    assert len(last) < 250
    assert '"x' in last
    assert 'y"' in last
    assert MAX_LINES < 200


@pytest.mark.parametrize("nasty", ["\x1b[2J", "\u202e", "\u2028", "\r", "\x00"])
def test_text_of_others_cannot_drive_the_terminal(delivery_plan: Build, nasty: str, reviewed: Reviewed) -> None:
    plugins = load_plugins()
    mock: Any = plugins.event_types["anomaly"].mock
    sample = {
        **mock,
        "id": f"e{nasty}",
        "data": {
            **mock["data"],
            "title": f"a{nasty}",
            "resource": {"id": "1", "name": "n", "type": "t", f"k{nasty}": nasty},
        },
    }
    after = delivery_plan(
        body_template='{"a": "{{ data.title }}", "r": {{ data.resource }}}',
        url=f"https://siem.example.com/{nasty}",
        headers={"X": nasty},
    )
    plan = make_plan(AppliedState(1, {"Siem": delivery_plan(body_template='{"a": "b"}')}), {"Siem": after}, {})
    text = render_text(reviewed(plan, (), plan_effects(plan, plugins, samples=[sample])), color=False)
    assert nasty not in text
