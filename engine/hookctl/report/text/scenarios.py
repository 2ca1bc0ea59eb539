"""Simulated scenarios: the time and the outcome of each attempt, up to the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hookctl.delivery.outcomes import describe, result_of
from hookctl.delivery.rehearsal.scenarios import Played, Step
from hookctl.model import DeliveryStatus, Json
from hookctl.model.delivery_plan import JITTER
from hookctl.model.quantities import counted, span
from hookctl.report.style import STATUS_COLORS, heading, styled
from hookctl.report.text.holds import resume_command
from hookctl.report.text.printable import json_text, printable

FORMAT_VERSION = 1


def render_text(played: Sequence[Played], *, color: bool) -> str:
    """A block for each webhook and scenario: a line for each attempt, and the outcome."""
    blocks = ["\n".join(_block(one, color)) for one in played]
    retried = any(len(one.steps) > 1 for one in played)
    note = (
        f"Nothing was sent. Times are minimums: jitter adds up to {JITTER * 100:.0f} % to each wait."
        if retried
        else "Nothing was sent."
    )
    return "\n\n".join([*blocks, note]) + "\n"


def render_json(played: Sequence[Played]) -> str:
    """The scenarios as JSON, as in ``schemas/scenario.schema.json``."""
    document: dict[str, Json] = {"format_version": FORMAT_VERSION, "scenarios": [_played_json(one) for one in played]}
    return json_text(document) + "\n"


def _block(played: Played, color: bool) -> Iterator[str]:
    several = f" ({played.event_type})" if len(played.plan.events) > 1 else ""
    name = printable(f"{played.plan.name}{several}")
    title = heading(name, color)
    yield f"{title}  {played.scenario.name}: the target {played.scenario.summary}"
    width = max(len(span(step.at)) for step in played.steps)
    shared = _shared_reason(played.steps)
    if shared:
        yield f"  each attempt: {printable(shared)}"
    for step in played.steps:
        what = _what(step).removeprefix(f"{shared}; ")
        yield f"  {step.attempt.number:>3}  {span(step.at):>{width}}  {printable(what)}"
    hue = STATUS_COLORS.get(played.outcome.status)
    first, *rest = _end(played)
    yield f"  {styled(first, color, fg=hue)}"
    yield from (f"  {line}" for line in rest)


def _shared_reason(steps: Sequence[Step]) -> str:
    """The reason with which every attempt fails, so that it is shown once; empty for one attempt or several reasons."""
    reason = steps[0].outcome.reason
    is_shared = len(steps) > 1 and all(_what(step).startswith(f"{reason}; ") for step in steps)
    return reason if is_shared else ""


def _what(step: Step) -> str:
    if step.next_in is not None:
        return f"{step.outcome.reason}; again in {span(step.next_in)}"
    return step.outcome.reason or describe(step.attempt)


def _end(played: Played) -> Iterator[str]:
    last, outcome = played.steps[-1], played.outcome
    if outcome.status is DeliveryStatus.DELIVERED:
        if not last.attempt.succeeded:
            yield f"Delivered: outcomes of the webhook count {_result(last)} as delivered."
            return
        yield "Delivered."
        if not played.plan.response_validators:
            yield "It has no response_validators, so only the status decides."
        return
    attempts = counted(len(played.steps), "attempt")
    when = (
        f"; the last one {span(last.at)} after the first, at the latest {span(last.latest)}"
        if len(played.steps) > 1
        else ""
    )
    if outcome.status is DeliveryStatus.HELD:
        yield f"Held after {attempts}{when}: the webhook and all its deliveries wait."
    else:
        yield f"Dead after {attempts}{when}."
    if outcome.hold:
        others = "" if outcome.status is DeliveryStatus.HELD else "The webhook is held: its other deliveries wait. "
        command = resume_command(played.plan.name)
        yield f"{others}To continue: {command}. A changed secret or an apply that changes it also ends the hold."


def _result(step: Step) -> str:
    """The result of an attempt, as ``outcomes`` names it."""
    result = result_of(step.attempt)
    return f"a {result}" if result.isdecimal() else f"a {result} of the validators"


def _played_json(played: Played) -> Json:
    return {
        "webhook": played.plan.name,
        "event": played.event_type,
        "scenario": played.scenario.name,
        "summary": f"the target {played.scenario.summary}",
        "outcome": played.outcome.status.value,
        "reason": played.outcome.reason,
        "holds": played.outcome.hold,
        "attempts": [_step_json(step) for step in played.steps],
    }


def _step_json(step: Step) -> Json:
    attempt = step.attempt
    return {
        "number": attempt.number,
        "after_seconds": round(step.at, 3),
        "latest_after_seconds": round(step.latest, 3),
        "took_seconds": round(attempt.timing.total, 3),
        "status": attempt.response.status if attempt.response else None,
        "failure": attempt.failure.kind.value if attempt.failure else None,
        "outcome": step.outcome.status.value,
        "reason": step.outcome.reason,
        "next_in_seconds": None if step.next_in is None else round(step.next_in, 3),
    }
