"""The callbacks by which a runner reports to its caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from hookctl.delivery.runner.observing import Observers
from hookctl.model import AppliedState, Attempt, Delivery
from hookctl.store.records import Circuit, Result


def _ignore(*_: object) -> None:
    """Do nothing: the default of each callback."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks, called after the change was stored; on the runner's thread unless it says otherwise.

    An exception of a callback ends the step.
    """

    attempted: Callable[[Sequence[tuple[Delivery, Attempt]]], None] = _ignore
    """Called with the attempts that one commit has recorded, each after the delivery as it is then."""
    circuit: Callable[[str, Circuit | None], None] = _ignore
    """Called when a webhook's circuit opens, becomes half-open, or closes (None)."""
    applied: Callable[[AppliedState], None] = _ignore
    """Called with the applied state that the runner uses from now on."""
    held: Callable[[str, str], None] = _ignore
    """Called with a webhook that is held from now on, and the reason. Attempts in flight may repeat it."""
    resumed: Callable[[str], None] = _ignore
    """Called with a webhook whose hold the runner has ended, because one of its secrets has changed."""
    recorded: Callable[[Sequence[Result]], None] = _ignore
    """Called with everything that one commit has recorded, before :attr:`attempted` is called."""
    committed: Callable[[float], None] = _ignore
    """Called after each commit with the seconds that it took, on the thread of the store's writer."""


def notify(results: Sequence[Result], listener: Listener, observers: Observers) -> None:
    """Report recorded attempts: to the listener on this thread, and to observers on their own threads.

    Raises the listener's exceptions.
    """
    listener.recorded(results)
    news = []
    held: dict[str, str] = {}
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
        news.append((delivery, result.attempt))
        if outcome.hold:
            held[delivery.webhook] = outcome.reason
    if news:
        listener.attempted(news)
    for webhook, reason in held.items():
        listener.held(webhook, reason)
    observers.notify(news)
