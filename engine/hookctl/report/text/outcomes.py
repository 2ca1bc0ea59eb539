"""What the results of a webhook's requests lead to, in the effects of a plan."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.config.effects import Outcomes
from hookctl.delivery.outcomes import MISMATCH, Decision
from hookctl.model import Json
from hookctl.model.quantities import counted
from hookctl.report.style import Line

MEANINGS = {
    Decision.DELIVERED: "counts as delivered",
    Decision.RETRY: "is retried",
    Decision.HOLD: "holds the webhook",
    Decision.DEAD: "makes the delivery dead",
}


def outcome_lines(outcomes: Outcomes) -> Iterator[Line]:
    """What differs from the default, and whether an accepted request may be repeated."""
    most = counted(outcomes.requests, "request")
    if outcomes.chosen:
        meanings = (f"{_named(result, outcomes)} {MEANINGS[decision]}" for result, decision in outcomes.chosen)
        yield Line(f"outcomes: {'; '.join(meanings)}; at most {most} for one event")
    if outcomes.may_repeat:
        what = f"a 2xx response to a {outcomes.may_repeat} that response_validators reject is retried"
        times = f"the target may process one event {outcomes.requests} times"
        fix = "To prevent this: outcomes: {mismatch: dead}"
        yield Line(f"may repeat a request: {what}, so {times}. {fix}", is_important=True)


def outcomes_document(outcomes: Outcomes) -> Json:
    """The same, as ``schemas/plan.schema.json`` has it."""
    return {
        "chosen": {result: decision.value for result, decision in outcomes.chosen},
        "requests_per_event": outcomes.requests,
        "may_repeat": bool(outcomes.may_repeat),
    }


def _named(result: str, outcomes: Outcomes) -> str:
    if result == MISMATCH:
        return "a 2xx response that response_validators reject"
    others = outcomes.except_for.get(result, ())
    return f"any {result} except {', '.join(others)}" if others else f"a {result}"
