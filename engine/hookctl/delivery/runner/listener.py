"""What a runner reports to its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from hookctl.delivery.runner.observing import Observers
from hookctl.model import AppliedState, Attempt, Delivery
from hookctl.store.records import Circuit, Result


def _ignore(*_: object) -> None:
    """The default of each callback."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks, called on the runner's thread after what they report was stored. What they raise ends the step."""

    attempted: Callable[[Delivery, Attempt], None] = _ignore
    """An attempt was recorded; the delivery is as it stands after it."""
    circuit: Callable[[str, Circuit | None], None] = _ignore
    """A webhook's circuit opened, became half open, or closed again (None)."""
    applied: Callable[[AppliedState], None] = _ignore
    """The runner uses this applied state from now on."""


def notify(results: Iterable[Result], listener: Listener, observers: Observers) -> None:
    """Report attempts that were recorded, to the listener on this thread and to observers on threads of their own.

    Raises what the listener raises.
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
