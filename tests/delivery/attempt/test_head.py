"""Events' values in headers and URLs, sent to a real receiver: no event changes the structure of the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookctl.delivery.attempt.engine import AttemptEngine, Finished
from hookctl.delivery.rehearsal.render import render_request
from hookctl.errors import RenderError
from hookctl.model import Attempt, DeliveryPlan, FailureKind, Json, Problem
from hookctl.plugin.calls import Plugins
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]

URL = "https://siem.example.com/tickets/{{ data.id }}/x-{{ data.title }}?title={{ data.title }}&fixed=1"
HEADERS = {"X-Id": "{{ data.id }}", "X-Fixed": "yes"}
HOSTILE = [
    "../../admin",
    "a/b?c#d",
    "%2e%2e",
    "..%2f",
    "a&fixed=2",
    "@evil.example.com",
    "\\..\\",
    "$" + "{env:CANARY}",
    "{{ data.title }}",
    "a b;c=d",
]


def with_data(event: Mapping[str, Json], **data: Any) -> dict[str, Json]:
    known = event["data"]
    assert isinstance(known, dict)
    return {**event, "data": {**known, **data}}


def structure(target: str) -> tuple[list[str], list[tuple[str, str]]]:
    path, _, query = target.partition("?")
    return [unquote(segment) for segment in path.split("/")], parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_arrives_as_what_it_is(
    *,
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    transport: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "canary-secret")
    made = attempt(
        make_plan(url=URL, headers=HEADERS, transport=transport), document=with_data(mock_event, id=value, title=value)
    )
    assert made.succeeded, made.failure
    (request,) = receiver.requests
    assert structure(request.target) == (["", "tickets", value, f"x-{value}"], [("title", value), ("fixed", "1")])
    assert [text for name, text in request.headers if name.lower() == "x-id"] == [value]
    assert request.header("host") == "siem.example.com"
    assert made.request is not None
    assert made.request.url == f"https://siem.example.com{request.target}"
    assert dict(made.request.headers)["X-Id"] == value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"id": "a\r\nX-Evil: 1"}, "the header X-Id: the value of data.id contains the character U+000D"),
        ({"id": "a\0"}, "U+0000"),
        ({"id": "Zoë 😀"}, "U+1F600"),
        ({"id": ".."}, "the URL: the value of data.id would make a path segment"),
        ({"id": ""}, "the URL: the value of data.id would make a path segment"),
        ({"id": {"a": 1}}, "the URL: the value of data.id is an object"),
        ({"id": "x" * 8200}, "longer than 8192 characters"),
    ],
)
def test_what_cannot_be_sent_is_a_render_failure_and_reaches_nobody(
    *,
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    plugins: Plugins,
    data: dict[str, Any],
    why: str,
) -> None:
    plan = make_plan(url=URL, headers=HEADERS)
    document = with_data(mock_event, **data)
    made = attempt(plan, document=document)
    assert made.request is None
    assert made.failure is not None
    assert made.failure.kind is FailureKind.RENDER
    assert why in made.failure.message
    assert not receiver.requests
    with pytest.raises(RenderError) as caught:
        render_request(plan, document, plugins, "id")
    assert caught.value.message == made.failure.message


def test_a_value_that_is_not_there_is_named(attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver) -> None:
    made = attempt(make_plan(headers={"X-A": "{{ data.nothing }}"}))
    assert made.failure is not None
    assert (made.failure.kind, made.failure.message) == (
        FailureKind.RENDER,
        "the header X-A: the event has no data.nothing",
    )
    assert not receiver.requests


@pytest.mark.parametrize("value", ["", "  ", " a ", "é"])
def test_a_header_is_there_whatever_its_value(
    *,
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    transport: str,
    value: str,
) -> None:
    made = attempt(
        make_plan(headers={"X-Title": "{{ data.title }}"}, transport=transport),
        document=with_data(mock_event, title=value),
    )
    assert made.succeeded
    assert receiver.requests[0].header("x-title") == value.strip()


VALUES = st.sampled_from([*HOSTILE, "", "..", "\r\nX-Evil: 1"]) | st.text(max_size=12) | st.integers() | st.none()


@given(first=VALUES, second=VALUES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_event_changes_the_structure_of_a_request(
    *,
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    engines: list[AttemptEngine],
    first: object,
    second: object,
) -> None:
    engine = engines[0] if engines else make_engine()
    engines[:] = [engine]
    known = len(receiver.requests)
    (one,) = finish(engine, make_plan(url=URL, headers=HEADERS), document=with_data(mock_event, id=first, title=second))
    if one.attempt.request is None:
        assert one.attempt.failure is not None
        assert one.attempt.failure.kind is FailureKind.RENDER
        assert len(receiver.requests) == known
        return
    request = receiver.requests[-1]
    segments, pairs = structure(request.target)
    assert (segments[:2], len(segments)) == (["", "tickets"], 4)
    assert [name for name, _ in pairs] == ["title", "fixed"]
    names = [name.lower() for name, _ in request.headers]
    assert sorted(names) == sorted(
        [
            "host",
            "x-id",
            "x-fixed",
            "content-type",
            "content-length",
            "user-agent",
            "webhook-id",
            "webhook-timestamp",
            "accept-encoding",
        ]
    )


@pytest.fixture
def engines() -> list[AttemptEngine]:
    """The engine that all examples of a property share."""
    return []


def test_a_reference_is_resolved_and_masked_and_a_value_is_neither(
    *,
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    plugins: Plugins,
    transport: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "canary-secret")
    monkeypatch.setenv("OTHER", "leaked-secret")
    reference = "${env:OTHER}"
    plan = make_plan(
        url="https://siem.example.com/${env:CANARY}/{{ data.id }}?k=${env:CANARY}&v={{ data.id }}",
        headers={"X-Key": "Key ${env:CANARY} for {{ data.id }}", "X-Near": "$" + "{{ data.title }}"},
        transport=transport,
    )
    document = with_data(mock_event, id=reference, title="{env:OTHER}")
    made = attempt(plan, document=document, clock=lambda: 1_700_000_000.0)
    (request,) = receiver.requests
    encoded = "%24%7Benv%3AOTHER%7D"
    assert request.target == f"/canary-secret/{encoded}?k=canary-secret&v={encoded}"
    assert (request.header("x-key"), request.header("x-near")) == (f"Key canary-secret for {reference}", reference)
    assert made.request is not None
    assert made.request.url == f"https://siem.example.com/***/{encoded}?k=***&v={encoded}"
    shown = dict(made.request.headers)
    assert (shown["X-Key"], shown["X-Near"]) == (f"Key *** for {reference}", reference)
    assert "secret" not in repr(made)
    rendered = render_request(plan, document, plugins, "delivery-0", at=1_700_000_000.0)
    assert rendered.url == made.request.url
    assert {name: text for name, text in rendered.headers if name != "User-Agent"} == {
        name: text for name, text in shown.items() if name != "User-Agent"
    }


def test_auth_is_applied_to_each_request(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "canary-secret")
    plan = make_plan(url=URL, headers=HEADERS, auth=({"type": "bearer", "token": "${env:CANARY}"},))
    made = attempt(plan, document=with_data(mock_event, id="a/b", title="t"))
    assert receiver.requests[0].header("authorization") == "Bearer canary-secret"
    assert receiver.requests[0].target == "/tickets/a%2Fb/x-t?title=t&fixed=1"
    assert made.request is not None
    assert dict(made.request.headers) | {"Authorization": "Bearer ***", "X-Id": "a/b"} == dict(made.request.headers)


def test_a_plan_makes_each_event_its_own_request(
    make_engine: Callable[..., AttemptEngine],
    finish: Callable[..., list[Finished]],
    make_plan: MakePlan,
    receiver: Receiver,
    mock_event: Mapping[str, Json],
) -> None:
    engine, plan = make_engine(), make_plan(url=URL, headers=HEADERS)
    for number in range(3):
        finish(engine, plan, document=with_data(mock_event, id=f"id-{number}", title="t"))
    assert [request.target for request in receiver.requests] == [
        f"/tickets/id-{number}/x-t?title=t&fixed=1" for number in range(3)
    ]
    assert [request.header("x-id") for request in receiver.requests] == ["id-0", "id-1", "id-2"]


def test_a_transports_own_rule_holds_for_what_an_event_makes(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver, mock_event: Mapping[str, Json], plugins: Plugins
) -> None:
    def check_url(url: str) -> list[Problem]:
        return (
            [Problem("url-invalid", "too long for a queue's name", "Shorten it.", 0, len(url))] if len(url) > 60 else []
        )

    strict = replace(
        plugins, transports={**plugins.transports, "curl": replace(plugins.transports["curl"], check_url=check_url)}
    )
    plan = make_plan(url="https://siem.example.com/queue/{{ data.id }}")
    assert attempt(plan, document=with_data(mock_event, id="short"), plugins=strict).succeeded
    made = attempt(plan, document=with_data(mock_event, id="x" * 60), plugins=strict)
    assert made.failure is not None
    named = "transport curl of plugin hookctl_plugins.transport"
    assert (made.failure.kind, made.failure.message) == (
        FailureKind.RENDER,
        f"with the event's values inserted, the URL breaks the rule url-invalid of {named}",
    )
    assert len(receiver.requests) == 1
