"""Scenarios: simulate a delivery to a target that always misbehaves in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from hookctl.delivery.outcomes import decide
from hookctl.delivery.rehearsal.rehearsal import Rehearsal
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, Failure, FailureKind, Json, Request, Response, Timing
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Outcome

RETRY_AFTER = 120
"""Seconds in the ``Retry-After`` of a target that answers 429 or 503."""
STATUSES = range(300, 600)
"""Any status of these classes is also a scenario."""
JSON = ("Content-Type", "application/json")

Result = tuple[Response | Failure, Timing]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which a target misbehaves."""

    name: str
    summary: str
    answer: Callable[[DeliveryPlan], Result]


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt of a simulated delivery. Times are seconds since the first attempt began."""

    attempt: Attempt
    outcome: Outcome
    at: float
    """The earliest time when it begins, without jitter."""
    latest: float
    """The latest time when it begins, with maximum jitter."""
    next_in: float | None
    """Seconds from its end to the next attempt, without jitter; None after the last attempt."""


@dataclass(frozen=True, slots=True)
class Played:
    """A delivery, from its first attempt to its last."""

    plan: DeliveryPlan
    event_type: str
    scenario: Scenario
    steps: tuple[Step, ...]

    @property
    def outcome(self) -> Outcome:
        """Its outcome."""
        return self.steps[-1].outcome

    @property
    def was_sent(self) -> bool:
        """Whether any request could be made, so that the target's behaviour had an effect."""
        return self.steps[-1].attempt.request is not None


def _never(plan: DeliveryPlan) -> Result:
    message = f"no answer within {plan.timeout_seconds:g} s"
    return Failure(FailureKind.TIMEOUT, message), Timing(
        resolved=0.0, connected=0.0, tls=0.0, total=plan.timeout_seconds
    )


def _trickled(plan: DeliveryPlan) -> Result:
    message = f"the response started but did not finish within {plan.timeout_seconds:g} s"
    return Failure(FailureKind.TIMEOUT, message), Timing(
        resolved=0.0, connected=0.0, tls=0.0, first_byte=0.0, total=plan.timeout_seconds
    )


def _reset(_: DeliveryPlan) -> Result:
    return Failure(FailureKind.CONNECT, "the connection was reset before a response began"), Timing(
        resolved=0.0, connected=0.0, tls=0.0
    )


def _cut_json(_: DeliveryPlan) -> Result:
    return Response(200, "OK", (JSON,), b'{"status": "acce'), Timing()


def _moved(_: DeliveryPlan) -> Result:
    return Response(302, "Found", (("Location", "https://elsewhere.example.com/"),), b""), Timing()


NAMED: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("timeout", "accepts the request and never answers", _never),
        Scenario("slow", "starts to answer at once, and then sends single bytes without end", _trickled),
        Scenario("reset", "resets the connection instead of answering", _reset),
        Scenario("bad-json", "answers 200 with truncated JSON", _cut_json),
        Scenario("redirect", "answers 302 with another host", _moved),
    )
}


def find_scenario(name: str) -> Scenario | None:
    """The scenario for a name, or for a status such as ``429``; None if there is none."""
    if name in NAMED:
        return NAMED[name]
    if not (name.isascii() and name.isdecimal() and len(name) == 3 and int(name) in STATUSES):
        return None
    status = int(name)
    asks = status in {429, 503}
    headers = (JSON, ("Retry-After", str(RETRY_AFTER))) if asks else (JSON,)
    response = Response(status, _phrase(status), headers, b"{}")
    summary = f"answers {status} {_phrase(status)}".rstrip() + (f" with Retry-After: {RETRY_AFTER}" if asks else "")
    return Scenario(name, summary, lambda _: (response, Timing()))


def play(
    plan: DeliveryPlan, document: Mapping[str, Json], plugins: Plugins, scenario: Scenario, start: float
) -> Played:
    """Simulate deliveries to a target that misbehaves each time, until the event is delivered, held or dead.

    Nothing is sent, and no time passes. ``start`` is the time of the first attempt, in epoch seconds.
    """
    result = scenario.answer(plan)

    def answer(_: Request) -> Result:
        return result

    rehearsal = Rehearsal(plan, plugins, answer)
    steps: list[Step] = []
    at = latest = start
    try:
        while not steps or steps[-1].outcome.status is DeliveryStatus.RETRYING:
            attempt = rehearsal.attempt(document, len(steps) + 1, at)
            took = attempt.timing.total if attempt.request else 0.0
            outcome, late = (decide(attempt, plan, now + took, jitter) for now, jitter in ((at, 0.0), (latest, 1.0)))
            next_in = None if outcome.due_at is None else outcome.due_at - at - took
            steps.append(Step(attempt, outcome, at - start, latest - start, next_in))
            at, latest = outcome.due_at or at, late.due_at or latest
    finally:
        rehearsal.close()
    return Played(plan, str(document.get("event_type", "")), scenario, tuple(steps))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
