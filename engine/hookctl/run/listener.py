"""Who is told of what a runner does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hookctl.model import AppliedState, Attempt, Delivery
from hookctl.queue.interface import Circuit


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
