"""Who is told of what a runner does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from hookctl.errors import HookctlError
from hookctl.model import AppliedState, Attempt, Delivery, DeliveryStatus
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import Observer
from hookctl.queue.interface import Circuit, Result

log = logging.getLogger(__name__)


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


def tell(results: Iterable[Result], listener: Listener, observers: Collection[Observer], told: set[str]) -> None:
    """Tell of attempts that were recorded. What the listener raises comes out; what an observer raises is logged, unless ``told`` has it."""
    for result in results:
        outcome = result.outcome
        due_at = result.claimed.delivery.due_at if outcome.due_at is None else outcome.due_at
        delivery = replace(result.claimed.delivery, status=outcome.status, attempts=result.attempt.number, due_at=due_at, reason=outcome.reason)
        listener.attempted(delivery, result.attempt)
        for observer in observers:
            if observer.attempted:
                _observe(partial(observer.attempted, delivery, result.attempt), observer.name, told)
            if observer.ended and outcome.status is not DeliveryStatus.RETRYING:
                _observe(partial(observer.ended, delivery), observer.name, told)


def _observe(call: Callable[[], None], name: str, told: set[str]) -> None:
    """Tell an observer; it cannot break a delivery. What goes wrong is logged once: it is likely to go wrong for every delivery."""
    message = ""
    try:
        call()
    except HookctlError as error:
        message = error.message
    except BaseException as error:
        if is_interrupt(error):
            raise
        message = f"observer {name} raised {type(error).__name__}"
    if message and message not in told:
        told.add(message)
        log.warning("%s. It misses what it is not told; deliveries go on. This is said once.", message)
