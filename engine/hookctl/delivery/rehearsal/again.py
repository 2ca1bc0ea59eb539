"""Repeats past attempts with another delivery plan: renders, checks and validates as a delivery does, sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from hookctl.delivery.rehearsal.rehearsal import Rehearsal
from hookctl.model import Attempt, DeliveryPlan, Json, Request, Response, Timing
from hookctl.plugin.calls import Plugins

Repeat = Callable[[Mapping[str, Json], Response | None], Attempt]
"""The attempt for an event, whose target answers with the given response; None: with an empty 204."""
EMPTY = Response(204, "No Content", (), b"")


@contextmanager
def repeating(plan: DeliveryPlan, plugins: Plugins) -> Iterator[Repeat]:
    """Inside the block, attempts can be repeated. Auth is left out, so that no code of an auth plugin runs."""
    answer = EMPTY

    def answered(_: Request) -> tuple[Response, Timing]:
        return answer, Timing()

    rehearsal = Rehearsal(replace(plan, auth=()), plugins, answered)

    def repeat(document: Mapping[str, Json], response: Response | None) -> Attempt:
        nonlocal answer
        answer = response or EMPTY
        return rehearsal.attempt(document, 1, 0.0)

    try:
        yield repeat
    finally:
        rehearsal.close()
