"""The request of a change, before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hookctl.config.effects import Effects, Payload, RequestChange, find
from hookctl.config.effects.find import MAX_NEW_RENDERED
from hookctl.config.effects.structure import ABSENT, INSIDE, JsonText, Masked
from hookctl.model import DeliveryPlan, DeliveryStatus, PluginBlock, Status

Build = Callable[..., DeliveryPlan]
Find = Callable[..., Effects]
Event = Callable[..., dict[str, Any]]


def only(effects: Effects) -> RequestChange:
    (change,) = effects.changes.values()
    assert change.requests is not None
    (shown,) = change.requests.shown
    return shown


def changed(change: RequestChange) -> dict[Any, tuple[Any, Any]]:
    return {step.path: (step.before, step.after) for step in change.steps if not step.same}


def test_each_part_of_a_created_webhooks_request_comes(effects_of: Find, delivery_plan: Build) -> None:
    bearer = PluginBlock("bearer", {"token": "${env:T}"})
    change = only(
        effects_of(
            [],
            [
                delivery_plan(
                    headers={"X-A": "key ${env:K}"}, auth=(bearer,), body_template='{"a": "{{ data.severity }}"}'
                )
            ],
        )
    )
    assert all(step.op == "add" for step in change.steps)
    assert {path: after for path, (_, after) in changed(change).items()} == {
        ("method",): "POST",
        ("url",): "https://siem.example.com/ingest",
        ("headers", "X-A"): Masked("key ***", "key ${env:K}"),
        ("headers", "Content-Type"): "application/json",
        ("headers", "Authorization"): Masked("Bearer ***", '["bearer",{"token":"${env:T}"}]'),
        ("body",): {"a": "High"},
    }
    assert change.is_mock
    assert change.after.is_sent


def test_the_header_of_another_auth_is_another_and_one_that_is_written_is_overridden(
    effects_of: Find, delivery_plan: Build
) -> None:
    one, other = (
        delivery_plan(auth=(PluginBlock("basic", {"username": "a", "password": f"${{env:{key}}}"}),)) for key in "AB"
    )
    before, after = changed(only(effects_of([one], [other])))["headers", "Authorization"]
    assert (before.text, after.text) == ("Basic ***", "Basic ***")
    assert before != after
    written = delivery_plan(headers={"authorization": "mine"}, auth=one.auth)
    assert effects_of([one], [written]).without_request == ("Siem",)


def test_another_secret_in_a_body_is_a_change_of_the_text_that_holds_it(effects_of: Find, delivery_plan: Build) -> None:
    one, other = (
        delivery_plan(
            body_template=f'{{"key": "${{env:{key}}}", "text": "{{\\"k\\": \\"${{env:{key}}}\\"}}", "id": "x"}}'
        )
        for key in "AB"
    )
    found = changed(only(effects_of([one], [other])))
    assert {path: (before.text, after.text) for path, (before, after) in found.items()} == {
        ("body", "key"): ("***", "***"),
        ("body", "text", INSIDE, "k"): ("***", "***"),
    }


def test_a_secret_in_a_key_of_json_text_that_an_event_makes(effects_of: Find, delivery_plan: Build) -> None:
    template = """{"text": "{{ '{' }}\\"${env:A}\\": 1}"}"""
    one, other = (delivery_plan(body_template=text) for text in (template, template.replace("env:A", "env:B")))
    ((path, (before, after)),) = changed(only(effects_of([one], [other]))).items()
    assert (path, before.text, after.text) == (("body", "text"), '{"***": 1}', '{"***": 1}')


def test_only_the_text_whose_secret_is_another_is_a_change(effects_of: Find, delivery_plan: Build) -> None:
    template = '{"key": "${env:KEY}", "list": ["x${env:A}", "{\\"k\\": \\"${env:KEY}\\"}"], "id": "***"}'
    one, other = (delivery_plan(body_template=text) for text in (template, template.replace("env:A", "env:B")))
    found = changed(only(effects_of([one], [other])))
    assert {path: (before.text, after.text) for path, (before, after) in found.items()} == {
        ("body", "list", 0): ("x***", "x***")
    }


def test_an_auth_that_does_not_say_what_it_adds_is_shown_by_its_settings(
    effects_of: Find, delivery_plan: Build
) -> None:
    gone = PluginBlock("gone", {"key": "${env:K}", "level": 3})
    assert changed(only(effects_of([delivery_plan()], [delivery_plan(auth=(gone,))]))) == {
        ("auth",): (ABSENT, [{"type": "gone", "key": Masked("***", "${env:K}"), "level": 3}]),
    }


def test_the_difference_is_one_of_keys_and_values(effects_of: Find, delivery_plan: Build) -> None:
    before = delivery_plan(
        body_template='{"a": "{{ data.severity }}", "t": "{ \\"id\\": \\"{{ data.id }}\\", \\"n\\": 1 }", "gone": null}'
    )
    after = delivery_plan(
        body_template=(
            '{"t": "{ \\"id\\": \\"{{ data.id }}\\", \\"n\\": 2 }",\n "a": "{{ data.severity }}", "new": [1]}'
        ),
        method="PUT",
    )
    assert changed(only(effects_of([before], [after]))) == {
        ("method",): ("POST", "PUT"),
        ("body", "t", INSIDE, "n"): (1, 2),
        ("body", "gone"): (None, ABSENT),
        ("body", "new"): (ABSENT, [1]),
    }


def test_values_in_the_url_and_in_headers_are_part_of_the_difference(effects_of: Find, delivery_plan: Build) -> None:
    before = delivery_plan(headers={"X-A": "${env:K} {{ data.severity }}"})
    after = delivery_plan(
        url="https://siem.example.com/{{ data.severity }}", headers={"X-A": "${env:K} is {{ data.severity }}"}
    )
    change = only(effects_of([before], [after]))
    assert changed(change) == {
        ("url",): ("https://siem.example.com/ingest", "https://siem.example.com/High"),
        ("headers", "X-A"): (
            Masked("*** High", "${env:K} {{ data.severity }}"),
            Masked("*** is High", "${env:K} is {{ data.severity }}"),
        ),
    }
    assert [step.after.text for step in change.steps if isinstance(step.after, Masked)] == ["*** is High"]


@pytest.mark.parametrize(
    "fields",
    [
        {"when": "data.severity == 'High'"},
        {"timeout_seconds": 1},
        {"retry_schedule": ()},
        {"description": "x"},
        {"labels": {"a": "b"}},
        {"status": Status.INACTIVE},
    ],
)
def test_a_change_that_no_request_shows_says_so(effects_of: Find, delivery_plan: Build, fields: dict[str, Any]) -> None:
    (change,) = effects_of(
        [delivery_plan(body_template='{"a": 1}')], [delivery_plan(body_template='{"a": 1}', **fields)]
    ).changes.values()
    assert change.changes_no_request
    assert change.requests is not None
    assert (change.requests.shown, change.requests.changed, change.requests.unchanged) == ((), 0, 1)


@pytest.mark.parametrize("fields", [{"status": Status.INACTIVE}, {"when": "data.severity == 'Low'"}])
def test_what_is_no_longer_sent_though_its_request_stays(
    effects_of: Find, delivery_plan: Build, event: Event, fields: dict[str, Any]
) -> None:
    sent, stopped = delivery_plan(), delivery_plan(**fields)
    (found,) = effects_of([sent], [stopped]).changes.values()
    assert found.requests is not None
    assert (
        found.requests.changed,
        found.requests.newly_sent,
        found.requests.no_longer_sent,
        found.requests.is_mock,
    ) == (0, 0, 1, True)
    (found,) = effects_of(
        [stopped], [sent], samples=[event("e1"), event("e2"), event("e3", severity="Low")]
    ).changes.values()
    assert found.requests is not None
    assert (found.requests.newly_sent, found.requests.no_longer_sent, found.requests.is_mock) == (
        2 + ("status" in fields),
        0,
        False,
    )
    (found,) = effects_of([], [sent]).changes.values()
    assert found.requests is not None
    assert found.requests.newly_sent == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"headers": {"A": "${env:A}"}}, {"headers": {"A": "${env:B}"}}),
        ({"url": "https://siem.example.com/${env:A}"}, {"url": "https://siem.example.com/${env:B}"}),
        (
            {"auth": (PluginBlock("bearer", {"token": "${env:A}"}),)},
            {"auth": (PluginBlock("bearer", {"token": "${env:B}"}),)},
        ),
    ],
)
def test_another_secret_is_a_difference_that_shows_no_secret(
    effects_of: Find, delivery_plan: Build, before: Any, after: Any
) -> None:
    ((old, new),) = changed(only(effects_of([delivery_plan(**before)], [delivery_plan(**after)]))).values()
    assert old != new
    assert old.text == new.text
    assert "***" in new.text


def test_the_same_json_written_differently(effects_of: Find, delivery_plan: Build) -> None:
    change = only(
        effects_of([delivery_plan(body_template='{"a": 1, "b": 2}')], [delivery_plan(body_template='{"b":2,"a":1}')])
    )
    assert change.is_rewritten
    assert changed(change) == {}


def test_a_request_that_cannot_be_made(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    effects = effects_of(
        [delivery_plan(body_template='{"a": 1}')],
        [delivery_plan(body_template='{"a": "{{ data.resource.name }}"}')],
        samples=[event("e1", resource=None), event("e2")],
    )
    (change,) = effects.changes.values()
    assert change.requests is not None
    broken, fine = change.requests.shown
    assert "data.resource.name" in broken.after.problem
    assert ("body",) in changed(broken)
    assert fine.after.problem == ""


def test_samples_that_neither_side_lets_through_are_left_out(
    effects_of: Find, delivery_plan: Build, event: Event
) -> None:
    before = delivery_plan(when="data.severity == 'High'", body_template='{"a": "{{ data.title }}"}')
    after = delivery_plan(when="data.severity == 'Low'", body_template='{"b": "{{ data.title }}"}')
    samples = [event("high", severity="High"), event("medium", severity="Medium"), event("low", severity="Low")]
    (change,) = effects_of([before], [after], samples=samples).changes.values()
    assert change.requests is not None
    assert [(one.event_id, one.before.is_sent, one.after.is_sent) for one in change.requests.shown] == [
        ("high", True, False),
        ("low", False, True),
    ]
    (change,) = effects_of([before], [after], samples=[event("medium", severity="Medium")]).changes.values()
    assert change.requests is not None
    assert [one.is_mock for one in change.requests.shown] == [True]


def test_few_are_shown_and_all_are_counted(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    samples = [event(f"e{number}", title="a" if number % 2 else "b") for number in range(20)]
    after = delivery_plan(body_template='{"a": "{% if data.title == \'a\' %}x{% else %}y{% endif %}"}')
    (change,) = effects_of([delivery_plan(body_template='{"a": "y"}')], [after], samples=samples).changes.values()
    assert change.requests is not None
    assert (len(change.requests.shown), change.requests.changed, change.requests.unchanged) == (3, 10, 10)


def test_of_very_many_new_webhooks_not_all_are_rendered(effects_of: Find, delivery_plan: Build) -> None:
    before = delivery_plan("Z", body_template='{"a": 1}')
    new = [
        delivery_plan(f"New {number}", body_template='{"a": "{{ data.title }}"}')
        for number in range(MAX_NEW_RENDERED + 2)
    ]
    changes = effects_of([before], [*new, delivery_plan("Z", body_template='{"b": 1}')]).changes
    assert [name for name, change in changes.items() if change.requests is None] == list(changes)[
        MAX_NEW_RENDERED : MAX_NEW_RENDERED + 2
    ]
    assert changes["Z"].payload is Payload.BREAKING
    assert all(change.leaving for name, change in changes.items() if name != "Z")
    assert [name for name, change in changes.items() if change.is_brief] == list(changes)[
        MAX_NEW_RENDERED : MAX_NEW_RENDERED + 2
    ]


def test_what_is_told_in_short_means_what_it_means_at_length(
    effects_of: Find, delivery_plan: Build, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the request: known hosts and fields, a token's host, an inactive webhook, events, waiting deliveries."""
    oauth2 = PluginBlock(
        "oauth2", {"client_id": "a", "client_secret": "${env:A}", "token_url": "https://Login.example.com/token"}
    )
    applied = [
        delivery_plan(body_template='{"a": "{{ data.title }}"}'),
        delivery_plan("Old", url="https://old.example.com/"),
    ]
    new = [
        delivery_plan(
            "A", body_template='{"a": "{{ data.title }}", "b": "{{ data.severity }}"}', auth=(oauth2,), rate_limit=0.5
        ),
        delivery_plan(
            "B",
            body_template='{"a": {{ data.request }}}',
            url="https://b.example.com/{{ data.id }}",
            retry_schedule=(),
            events=("unknown",),
        ),
        delivery_plan(
            "C", status=Status.INACTIVE, url="https://c.example.com/", body_template='{"a": "{{ data.title }}"}'
        ),
        delivery_plan("D", when="data.severity == 'Low'", headers={"X-A": "{{ data.title }}"}, timeout_seconds=0.5),
        delivery_plan("E", body_template="{{ nonsense"),
    ]
    waiting = {"A": {DeliveryStatus.WAITING: 2}, "C": {DeliveryStatus.HELD: 1}}
    recent = [event("a", severity="Low"), event("b", severity="High")]

    def effects() -> Effects:
        return effects_of(applied, [applied[0], *new], recent=recent, waiting=waiting)

    whole = effects()
    monkeypatch.setattr(find, "MAX_NEW_RENDERED", 0)
    short = effects()
    assert {name for name, change in short.changes.items() if change.is_brief} == {"A", "B", "C", "D", "E"}
    assert short.leaving == whole.leaving
    for name, change in whole.changes.items():
        assert replace(short.changes[name], is_brief=False) == replace(change, requests=None, payload=Payload.SAME)


def test_a_body_that_is_nested_too_deeply_is_compared_as_text(effects_of: Find, delivery_plan: Build) -> None:
    deep = '{"a": ' + "[" * 70 + "]" * 70 + "}"
    change = only(effects_of([delivery_plan(body_template='{"a": 1}')], [delivery_plan(body_template=deep)]))
    assert changed(change) == {("body",): ({"a": 1}, deep)}


def test_a_string_of_an_event_that_holds_json_is_opened(effects_of: Find, delivery_plan: Build, event: Event) -> None:
    effects = effects_of(
        [], [delivery_plan(body_template='{"a": "{{ data.title }}"}')], samples=[event("e", title='{"x": 1}')]
    )
    assert changed(only(effects))[("body",)][1] == {"a": JsonText({"x": 1}, '{"x": 1}')}
