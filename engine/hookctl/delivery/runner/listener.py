"""The callbacks by which a runner reports to its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from hookctl.delivery.runner.observing import Observers
from hookctl.model import AppliedState, Attempt, Delivery
from hookctl.store.records import Circuit, Result


def _ignore(*_: object) -> None:
    """Do nothing: the default of each callback."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks, called on the runner's thread after the change was stored.

    An exception of a callback ends the step.
    """

    attempted: Callable[[Delivery, Attempt], None] = _ignore
    """Called with a recorded attempt and the delivery after it."""
    circuit: Callable[[str, Circuit | None], None] = _ignore
    """Called when a webhook's circuit opens, becomes half-open, or closes (None)."""
    applied: Callable[[AppliedState], None] = _ignore
    """Called with the applied state that the runner uses from now on."""


def notify(results: Iterable[Result], listener: Listener, observers: Observers) -> None:
    """Report recorded attempts: to the listener on this thread, and to observers on their own threads.

    Raises the listener's exceptions.
    """
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
