"""What a change means for who reads the body, for hosts, for events, for retries and for what waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hookctl.config.effects import Break, ChangeEffects, Effects, Leaving, Payload, Waiting
from hookctl.config.effects.events import FEWEST, MAX_EVALUATIONS, Recent, bounded
from hookctl.config.effects.outcomes import outcomes_of
from hookctl.config.effects.retries import retries_of
from hookctl.config.effects.structure import INSIDE, ITEM
from hookctl.config.effects.targets import host_of, target_of
from hookctl.model import Action, Change, DeliveryPlan, DeliveryStatus, Plan, PluginBlock, Status

Build = Callable[..., DeliveryPlan]
Find = Callable[..., Effects]
Event = Callable[..., dict[str, Any]]


def only(effects: Effects) -> ChangeEffects:
    (change,) = effects.changes.values()
    return change


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('{"a": 1}', '{"a": 1}', (Payload.SAME, [])),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', (Payload.SAME, [])),
        ('{"a": 1}', '{"a": 2.5}', (Payload.COMPATIBLE, [])),
        ('{"a": 1}', '{"a": 1, "b": {}}', (Payload.COMPATIBLE, [])),
        ('{"a": 1}', '{"b": 1}', (Payload.BREAKING, [(("a",), "number", "")])),
        ('{"a": 1}', '{"a": "1"}', (Payload.BREAKING, [(("a",), "number", "string")])),
        ('{"a": {"b": {"c": 1}}}', '{"x": 1}', (Payload.BREAKING, [(("a",), "object", "")])),
        ('{"a": {"b": 1, "c": 1}}', '{"a": {"c": 1}}', (Payload.BREAKING, [(("a", "b"), "number", "")])),
        ('{"a": {"b": 1}}', '{"a": "{\\"b\\": 1}"}', (Payload.BREAKING, [(("a",), "object", "JSON text")])),
        ('{"a": "{\\"b\\": 1}"}', '{"a": "{\\"c\\": 1}"}', (Payload.BREAKING, [(("a", INSIDE, "b"), "number", "")])),
        ('{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 1}]}', (Payload.COMPATIBLE, [])),
        (
            '{"a": [{"b": 1}, {"b": "x"}]}',
            '{"a": [{"b": 1}, {"b": null}]}',
            (Payload.BREAKING, [(("a", ITEM, "b"), "number or string", "null or number")]),
        ),
        ('{"a": {{ data.resource }}}', "{\"a\": {{ data.resource | default('') }}}", (Payload.SAME, [])),
        ('{"a": 1}', None, (Payload.BREAKING, [((), "object", "")])),
        (None, '{"a": 1}', (Payload.COMPATIBLE, [])),
    ],
)
def test_payload(
    effects_of: Find, delivery_plan: Build, before: str, after: str, expected: tuple[Payload, list[Any]]
) -> None:
    change = only(
        effects_of([delivery_plan(body_template=before)], [delivery_plan(body_template=after, description="x")])
    )
    assert (change.payload, list(change.breaks)) == (expected[0], [Break(*one) for one in expected[1]])


def test_a_break_that_only_a_given_event_shows(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    before, after = (
        delivery_plan(body_template='{"a": {{ data.resource }}}'),
        delivery_plan(body_template='{"a": "{{ data.resource }}"}'),
    )
    after_text = delivery_plan(
        body_template='{"a": {{ data.resource.name | default("none") if data.severity == "Low" else data.resource }}}'
    )
    assert only(effects_of([before], [after_text])).payload is Payload.SAME
    assert only(effects_of([before], [after_text], samples=[event("e", severity="Low")])).payload is Payload.BREAKING
    assert only(effects_of([before], [after])).payload is Payload.BREAKING


BODY = '{"a": "{{ data.severity }}", "r": {{ data.request }}}'
FIELDS = ("data.request.friendly_id", "data.request.id", "data.request.status", "data.severity")


def test_what_newly_leaves(effects_of: Find, delivery_plan: Build) -> None:
    siem = delivery_plan(body_template=BODY)
    assert only(effects_of([], [siem])).leaving == (Leaving("siem.example.com", "anomaly", FIELDS),)
    more = delivery_plan(body_template='{"a": "{{ data.severity }}", "t": "{{ data.title }}"}')
    assert only(effects_of([siem], [more])).leaving == (Leaving("siem.example.com", "anomaly", ("data.title",)),)
    assert only(effects_of([more], [delivery_plan(body_template='{"a": "{{ data.severity }}"}')])).leaving == ()
    moved = delivery_plan(body_template=BODY, url="https://other.example.com/")
    assert only(effects_of([siem], [moved])).leaving == (Leaving("other.example.com", "anomaly", FIELDS),)


def test_what_leaves_in_the_url_and_in_headers_counts(effects_of: Find, delivery_plan: Build) -> None:
    siem = delivery_plan(body_template=None)
    told = delivery_plan(
        body_template=None,
        url="https://siem.example.com/{{ data.request.id }}?s={{ data.severity }}",
        headers={"X-A": "{{ data.title | tojson }}"},
    )
    assert only(effects_of([siem], [told])).leaving == (
        Leaving("siem.example.com", "anomaly", ("data.request.id", "data.severity", "data.title")),
    )
    assert only(effects_of([told], [delivery_plan(body_template='{"s": {{ data.severity }}}')])).leaving == ()


def test_what_another_webhook_sends_to_the_host_already_does_not_newly_leave(
    effects_of: Find, delivery_plan: Build
) -> None:
    siem, other = (
        delivery_plan(body_template=BODY),
        delivery_plan("Other", body_template='{"t": "{{ data.severity }}"}', url="https://siem.example.com/x"),
    )
    assert effects_of([siem], [siem, other]).changes["Other"].leaving == ()
    paused = delivery_plan(body_template=BODY, status=Status.INACTIVE)
    leaving = Leaving("siem.example.com", "anomaly", ("data.severity",))
    assert effects_of([paused], [paused, other]).changes["Other"].leaving == (leaving,)


def test_what_is_inactive_sends_nothing(effects_of: Find, delivery_plan: Build) -> None:
    paused = delivery_plan(body_template=BODY, status=Status.INACTIVE)
    change = only(effects_of([], [paused]))
    assert (change.leaving, change.new_hosts) == ((), ())
    change = only(effects_of([paused], [delivery_plan(body_template=BODY)]))
    assert change.leaving
    assert change.new_hosts == ("siem.example.com",)


def test_a_token_server_is_a_host_too(effects_of: Find, delivery_plan: Build) -> None:
    oauth2 = PluginBlock(
        "oauth2", {"client_id": "a", "client_secret": "${env:S}", "token_url": "https://login.example.com/token"}
    )
    siem = delivery_plan()
    assert only(effects_of([siem], [delivery_plan(auth=(oauth2,))])).new_hosts == ("login.example.com",)
    effects = effects_of(
        [siem], [delivery_plan(auth=(oauth2,)), delivery_plan("B", url="https://b.example.com/", auth=(oauth2,))]
    )
    assert effects.new_hosts == ("b.example.com", "login.example.com")


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://A.example.com/x?y=1#z", "a.example.com", "a.example.com/x"),
        ("https://a.example.com", "a.example.com", "a.example.com/"),
        ("https://a.example.com?x", "a.example.com", "a.example.com/"),
        ("amqp://user:pw@a.example.com:5672/q", "a.example.com", "a.example.com/q"),
        ("https://[::1]:8443/x", "[::1]", "[::1]/x"),
        ("queue", "queue", "queue/"),
    ],
)
def test_hosts_and_targets(url: str, host: str, target: str) -> None:
    assert (host_of(url), target_of(url)) == (host, target)


def counts(change: ChangeEffects) -> tuple[int, int, int, int]:
    assert change.matching is not None
    return (
        len(change.matching.newly),
        len(change.matching.no_longer),
        len(change.matching.still),
        len(change.matching.twice),
    )


def test_events_that_go_elsewhere(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    recent = [
        event(f"e{number}", severity=severity)
        for number, severity in enumerate(["Low"] * 5 + ["Medium"] * 3 + ["High"] * 2)
    ]
    high, not_low = delivery_plan(when="data.severity == 'High'"), delivery_plan(when="data.severity != 'Low'")
    assert counts(only(effects_of([high], [not_low], recent=recent))) == (3, 0, 2, 0)
    assert counts(only(effects_of([not_low], [high], recent=recent))) == (0, 3, 2, 0)
    assert counts(only(effects_of([], [high], recent=recent))) == (2, 0, 0, 0)
    assert counts(only(effects_of([high], [], recent=recent))) == (0, 2, 0, 0)
    assert counts(only(effects_of([high], [delivery_plan(status=Status.INACTIVE)], recent=recent))) == (0, 2, 0, 0)
    assert counts(only(effects_of([high], [delivery_plan(when="abs(data.severity) == `1`")], recent=recent))) == (
        0,
        2,
        0,
        0,
    )
    assert only(effects_of([high], [not_low])).matching is None
    assert only(effects_of([high], [not_low], recent=[])).matching is None


def test_events_that_are_sent_twice(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    recent = [event(f"e{number}", severity=severity) for number, severity in enumerate(["Low"] * 5 + ["High"] * 2)]
    siem = delivery_plan(when="data.severity == 'High'")
    again = delivery_plan("Again", url="https://siem.example.com/ingest?source=2")
    effects = effects_of([siem], [siem, again], recent=recent)
    assert counts(effects.changes["Again"]) == (7, 0, 0, 2)
    assert effects.changes["Again"].matching is not None
    assert effects.changes["Again"].matching.twice_with == ("Siem",)
    elsewhere = delivery_plan("Again", url="https://siem.example.com/other")
    assert counts(effects_of([siem], [siem, elsewhere], recent=recent).changes["Again"])[3] == 0
    wider = delivery_plan()
    assert counts(effects_of([siem, again], [wider, again], recent=recent).changes["Siem"]) == (5, 0, 2, 5)
    assert counts(effects_of([siem, elsewhere], [siem, again], recent=recent).changes["Again"])[3] == 2
    moved = effects_of([siem, again], [delivery_plan(when="data.severity == 'Low'"), again], recent=recent)
    assert (moved.events("newly"), moved.events("no_longer"), moved.events("twice")) == (5, 2, 5)


def plan_of(changes: Sequence[Change]) -> Plan:
    return Plan(0, tuple(changes), {}, {}, {})


def test_with_very_many_conditions_the_newest_events_are_looked_at(delivery_plan: Build) -> None:
    changes = [
        Change(f"W{number}", Action.CREATE, None, delivery_plan(f"W{number}", when=f"data.a == '{number}'"))
        for number in range(1000)
    ]
    recent = Recent("here", [{"id": str(number)} for number in range(1000)])
    assert [event["id"] for event in bounded(recent, plan_of(changes)).documents] == [
        str(number) for number in range(MAX_EVALUATIONS // 1000)
    ]
    assert len(bounded(recent, plan_of(changes[:10])).documents) == 1000
    assert FEWEST < 1000


@pytest.mark.parametrize(
    ("schedule", "rate", "expected"),
    [
        ((), None, (1, 0, 0, 1, None)),
        ((5, 300), None, (3, 305, 396, 3, None)),
        ((5, 300, 1800, 7200, 18000, 36000, 36000), None, (8, 99305, 119271, 4, None)),
        ((7200, 10, 10, 10), 0.5, (5, 7230, 8736, 4, 1800)),
        ((3600,), 50, (2, 3600, 4335, 1, 180000)),
    ],
)
def test_retries(
    delivery_plan: Build, schedule: tuple[float, ...], rate: float | None, expected: tuple[float, ...]
) -> None:
    found = retries_of(delivery_plan(retry_schedule=schedule, rate_limit=rate), jitter=0.2)
    assert (
        found.attempts,
        found.last_after,
        found.last_after_at_most,
        found.per_event_in_an_hour,
        found.per_hour,
    ) == pytest.approx(expected)


CHECKS = (PluginBlock("json_path", {"json_path": "$.data.ok"}),)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"response_validators": CHECKS}, "POST"),
        ({"response_validators": CHECKS, "method": "PATCH"}, "PATCH"),
        ({"response_validators": CHECKS, "method": "PUT"}, ""),
        ({"response_validators": CHECKS, "outcomes": {"mismatch": "dead"}}, ""),
        ({"response_validators": CHECKS, "outcomes": {"mismatch": "hold"}}, ""),
        ({"response_validators": CHECKS, "outcomes": {"mismatch": "retry"}}, "POST"),
        ({"response_validators": CHECKS, "retry_schedule": ()}, ""),
        ({}, ""),
    ],
)
def test_a_validator_may_repeat_a_request(delivery_plan: Build, fields: dict[str, Any], expected: str) -> None:
    found = outcomes_of(delivery_plan(**{"method": "POST", "retry_schedule": (5, 5), **fields}))
    assert (found.may_repeat, found.requests) == (expected, 1 + len(fields.get("retry_schedule", (5, 5))))


def test_a_class_names_the_statuses_that_it_leaves_out(delivery_plan: Build) -> None:
    found = outcomes_of(delivery_plan(outcomes={"4xx": "retry", "404": "dead", "5xx": "dead"}))
    assert found.except_for == {"4xx": ("401", "403", "404", "408", "410", "425", "429"), "5xx": ()}
    assert [result for result, _ in found.chosen] == ["404", "4xx", "5xx"]


COUNTS = {
    "Siem": {
        DeliveryStatus.WAITING: 2,
        DeliveryStatus.RETRYING: 3,
        DeliveryStatus.HELD: 4,
        DeliveryStatus.DEAD: 9,
        DeliveryStatus.DELIVERED: 9,
    },
    "Other": {DeliveryStatus.WAITING: 7},
}


def test_what_becomes_of_deliveries_that_wait(effects_of: Find, delivery_plan: Build) -> None:
    siem, after = delivery_plan(), delivery_plan(method="PUT")
    assert only(effects_of([siem], [after], waiting=COUNTS)).waiting == Waiting(sent=5, released=4)
    assert only(effects_of([siem], [delivery_plan(status=Status.INACTIVE)], waiting=COUNTS)).waiting == Waiting(held=9)
    assert only(effects_of([siem], [], waiting=COUNTS)).waiting == Waiting(cancelled=9)
    assert only(effects_of([], [delivery_plan("New")], waiting=COUNTS)).waiting == Waiting()
    renamed = effects_of([siem], [delivery_plan("Renamed")], waiting=COUNTS)
    assert renamed.changes["Renamed"].waiting == Waiting(sent=5, released=4)
    assert renamed.waiting == Waiting(sent=5, released=4)


def test_what_is_unchanged_has_no_effects(effects_of: Find, delivery_plan: Build) -> None:
    assert effects_of([delivery_plan()], [delivery_plan()]).changes == {}
    effects = effects_of([delivery_plan()], [delivery_plan(), delivery_plan("New")])
    assert list(effects.changes) == ["New"]


def test_all_together(effects_of: Find, delivery_plan: Build) -> None:
    before = [
        delivery_plan("A", body_template='{"a": 1}'),
        delivery_plan("B", body_template='{"a": 1}'),
        delivery_plan("C"),
    ]
    after = [
        delivery_plan("A", body_template='{"b": "{{ data.title }}"}'),
        delivery_plan("B", body_template='{"a": 1, "t": "{{ data.id }}"}'),
        delivery_plan("C", timeout_seconds=1, retry_schedule=(5, 3600)),
    ]
    effects = effects_of(before, after)
    assert effects.leaving == (Leaving("siem.example.com", "anomaly", ("data.id", "data.title")),)
    assert (effects.names(Payload.BREAKING), effects.names(Payload.COMPATIBLE), effects.names(Payload.SAME)) == (
        ("A",),
        ("B",),
        ("C",),
    )
    assert effects.without_request == ("C",)
    assert effects.longest is not None
    assert effects.longest.name == "C"
