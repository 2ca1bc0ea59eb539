"""Scenarios: they end as real misbehavior does, at the times that the retry policy gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase

from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.delivery.rehearsal.rehearsal import STAND_IN, Rehearsal
from hookctl.delivery.rehearsal.scenarios import NAMED, Played, Scenario, find_scenario, play
from hookctl.delivery.runner.retry import decide, has_token_auth
from hookctl.errors import SecretError
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, Failure, Json, PluginBlock, Request, Response, Timing
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import AuthContext, AuthType, Settings
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
START = 1_764_000_000.0
VALIDATOR = {"json_path": "$.data.status", "expected_values": ["accepted"]}
BEARER = {"type": "bearer", "token": "${env:NOT_SET}"}
OAUTH = {
    "type": "oauth2",
    "client_id": "c",
    "client_secret": "${env:NOT_SET}",
    "token_url": "https://login.example.com/oauth/token",
}


def scenario(name: str) -> Scenario:
    found = find_scenario(name)
    assert found is not None
    return found


def times(played: Played) -> list[float]:
    return [step.at for step in played.steps]


# -- as real misbehavior ends ---------------------------------------------------------------------------------------

REAL = {
    "timeout": Answer(misbehave=Misbehavior.NO_ANSWER),
    "slow": Answer(misbehave=Misbehavior.TRICKLE_BODY),
    "reset": Answer(misbehave=Misbehavior.RESET),
    "bad-json": Answer(body=b'{"status": "acce'),
    "redirect": Answer.redirect("https://elsewhere.example.com/"),
    "429": Answer(429, headers=(("Retry-After", "120"),)),
    "503": Answer(503, headers=(("Retry-After", "120"),)),
    "410": Answer(410),
    "404": Answer(404),
}


def test_every_named_scenario_is_compared_with_a_real_one() -> None:
    assert set(NAMED) <= set(REAL)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("validators", [(), (VALIDATOR,)], ids=["without", "with validator"])
def test_it_ends_as_the_real_one_does(
    receiver: Receiver,
    plugins: Plugins,
    mock_event: Mapping[str, Json],
    make_plan: MakePlan,
    transport: str,
    *,
    name: str,
    validators: tuple[Any, ...],
) -> None:
    plan = make_plan(transport=transport, validators=validators, timeout_seconds=0.4, retry_schedule=(5,))
    receiver.default = REAL[name]
    real = real_attempt(receiver, plugins, plan, mock_event)
    simulated = play(plan, mock_event, plugins, scenario(name), START).steps[0]
    assert kind(simulated.attempt) == kind(real)
    expected = decide(real, plan.retry_schedule, START, 0.0)
    assert (simulated.outcome.status, simulated.outcome.suspend) == (expected.status, expected.suspend)
    if real.failure is None:
        assert simulated.outcome.reason == expected.reason
        assert simulated.outcome.due_at == expected.due_at


def real_attempt(receiver: Receiver, plugins: Plugins, plan: DeliveryPlan, document: Mapping[str, Json]) -> Attempt:
    engine = AttemptEngine(plugins, receiver.network(), "hookctl/test")
    try:
        engine.start(Job("msg_1", plan, document, 1))
        while not (finished := engine.poll(0.1)):
            pass
        return finished[0].attempt
    finally:
        engine.close()


def kind(attempt: Attempt) -> object:
    return attempt.failure.kind if attempt.failure else attempt.response.status if attempt.response else None


# -- the clock -------------------------------------------------------------------------------------------------------


def test_attempts_come_by_the_schedule(plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan) -> None:
    plan = make_plan(retry_schedule=(5, 300, 7200))
    played = play(plan, mock_event, plugins, scenario("500"), START)
    assert times(played) == [0, 5, 305, 7505]
    assert [step.latest for step in played.steps] == pytest.approx([0, 6, 366, 9006])
    assert [step.outcome.status for step in played.steps] == [*[DeliveryStatus.RETRYING] * 3, DeliveryStatus.DEAD]
    assert played.outcome.reason == "HTTP 500 Internal Server Error; schedule used up after 4 attempts"
    assert [step.attempt.number for step in played.steps] == [1, 2, 3, 4]
    assert [step.attempt.started_at - START for step in played.steps] == times(played)


def test_a_timeout_takes_its_time(plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan) -> None:
    played = play(
        make_plan(retry_schedule=(5, 300), timeout_seconds=15), mock_event, plugins, scenario("timeout"), START
    )
    assert times(played) == [0, 20, 335]
    assert [step.next_in for step in played.steps] == [5, 300, None]


def test_the_target_may_ask_for_more_time(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    played = play(make_plan(retry_schedule=(5, 300)), mock_event, plugins, scenario("429"), START)
    assert times(played) == [0, 120, 420]


@given(
    schedule=st.lists(st.integers(1, 36000), max_size=6),
    name=st.sampled_from(["429", "500", "timeout", "reset"]),
    seed=st.integers(),
)
@settings(max_examples=25, deadline=None)
def test_a_live_delivery_comes_between_earliest_and_latest(
    plugins: Plugins,
    mock_event: Mapping[str, Json],
    delivery_plan: MakePlan,
    *,
    schedule: list[int],
    name: str,
    seed: int,
) -> None:
    plan = delivery_plan(retry_schedule=tuple(schedule))
    played = play(plan, mock_event, plugins, scenario(name), START)
    chance, now = random.Random(seed), START  # noqa: S311  # jitter is no secret
    for step in played.steps:
        assert step.at - 1e-6 <= now - START <= step.latest + 1e-6
        outcome = decide(step.attempt, plan.retry_schedule, now + step.attempt.timing.total, chance.random())
        assert outcome.status is step.outcome.status
        now = outcome.due_at or now


# -- what it depends on ----------------------------------------------------------------------------------------------


def test_a_refused_token_is_tried_again_and_a_refused_secret_is_not(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    for auth, attempts in ((OAUTH, 2), (BEARER, 1)):
        played = play(make_plan(auth=(auth,), retry_schedule=(5,)), mock_event, plugins, scenario("401"), START)
        assert len(played.steps) == attempts
        assert played.was_sent
    assert has_token_auth(make_plan(auth=(BEARER, OAUTH)), plugins)


def test_without_a_validator_bad_json_is_delivered(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    assert (
        play(make_plan(), mock_event, plugins, scenario("bad-json"), START).outcome.status is DeliveryStatus.DELIVERED
    )
    refused = play(
        make_plan(validators=(VALIDATOR,), custom_validation_error_message="Not taken"),
        mock_event,
        plugins,
        scenario("bad-json"),
        START,
    )
    assert refused.outcome.status is DeliveryStatus.DEAD
    assert refused.outcome.reason.startswith("Not taken (json_path $.data.status: ")


def test_a_template_that_fails_is_not_the_targets_fault(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    plan = make_plan(body_template="{{ data.nothing.there }}", retry_schedule=(5,))
    played = play(plan, mock_event, plugins, scenario("timeout"), START)
    assert not played.was_sent
    assert (played.outcome.status, times(played)) == (DeliveryStatus.DEAD, [0])


@pytest.mark.parametrize("name", ["", "299", "600", "0429", "+42", "٤٢٩", "time-out", "4 9"])
def test_names_of_no_scenario(name: str) -> None:
    assert find_scenario(name) is None


# -- stand-ins -------------------------------------------------------------------------------------------------------


class Picky(AuthBase):
    """Works with its own secret alone, as one with a private key does."""

    def __init__(self, settings: Settings) -> None:
        if str(settings["key"]) != "real":
            raise SecretError("the key is no PEM key", hint="Write one.")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


def picky(settings: Settings, context: AuthContext) -> AuthBase:
    del context
    return Picky(settings)


def test_an_auth_that_cannot_work_with_a_stand_in_is_left_out(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    picky_auth = AuthType(name="picky", summary="", schema={}, build=picky)
    with_picky = replace(plugins, auth={**plugins.auth, "picky": picky_auth})
    plan = make_plan(auth=({"type": "picky", "key": "${env:NOT_SET}"},))
    rehearsal = Rehearsal(plan, with_picky, lambda _: (Response(200, "OK", (), b""), Timing()))
    try:
        attempt = rehearsal.attempt(mock_event, 1, START)
    finally:
        rehearsal.close()
    assert attempt.succeeded
    assert attempt.plan_digest == plan.digest
    assert rehearsal.without_auth == "the key is no PEM key"


def test_a_transport_that_there_is_not_is_told(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    plan = replace(make_plan(auth=(BEARER,)), transport=PluginBlock("pigeon", {}))
    rehearsal = Rehearsal(plan, plugins, lambda _: (Response(200, "OK", (), b""), Timing()))
    try:
        attempt = rehearsal.attempt(mock_event, 1, START)
    finally:
        rehearsal.close()
    assert isinstance(attempt.failure, Failure)
    assert "pigeon" in attempt.failure.message
    assert rehearsal.without_auth == ""


def test_what_auth_adds_is_there_and_masked(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> tuple[Response, Timing]:
        asked.append(request)
        return Response(200, "OK", (), b""), Timing()

    plan = make_plan(
        auth=(OAUTH, {"type": "headers", "headers": {"X-Key": "k ${env:NOT_SET}"}}),
        url="https://siem.example.com/${env:NOT_SET}",
    )
    rehearsal = Rehearsal(plan, plugins, answer)
    try:
        attempt = rehearsal.attempt(mock_event, 1, START)
    finally:
        rehearsal.close()
    assert attempt.request is not None
    assert attempt.request.url == "https://siem.example.com/***"
    assert {name: value for name, value in attempt.request.headers if "***" in value} == {
        "Authorization": "Bearer ***",
        "X-Key": "***",
    }
    assert [request.url for request in asked] == [f"https://siem.example.com/{STAND_IN}"]


def test_nobody_is_asked_for_a_name(
    plugins: Plugins, mock_event: Mapping[str, Json], make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a name was resolved")

    monkeypatch.setattr(Network, "resolve", never)
    assert play(make_plan(auth=(OAUTH,)), mock_event, plugins, scenario("410"), START).outcome.suspend
