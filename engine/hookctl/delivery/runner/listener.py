"""Who is told of what a runner does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from hookctl.delivery.runner.observing import Observers
from hookctl.model import AppliedState, Attempt, Delivery
from hookctl.store.interface import Circuit, Result


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Called on the runner's thread, after what it is told of was stored. What it raises ends the step."""

    attempted: Callable[[Delivery, Attempt], None] = _ignore
    """The delivery as it stands after the attempt."""
    circuit: Callable[[str, Circuit | None], None] = _ignore
    """A webhook's circuit opened, is half open, or closed again (None)."""
    applied: Callable[[AppliedState], None] = _ignore
    """An apply was taken up."""


def notify(results: Iterable[Result], listener: Listener, observers: Observers) -> None:
    """Tell of attempts that were recorded. What the listener raises comes out; observers are told on threads of their own."""
    news = []
    for result in results:
        outcome = result.outcome
        due_at = result.claimed.delivery.due_at if outcome.due_at is None else outcome.due_at
        delivery = replace(
            result.claimed.delivery,
            status=outcome.status,
            attempts=result.attempt.number,
            due_at=due_at,
            reason=outcome.reason,
        )
        listener.attempted(delivery, result.attempt)
        news.append((delivery, result.attempt))
    observers.notify(news)
