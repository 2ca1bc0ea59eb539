"""The page of one delivery: its times, every attempt, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from starlette.routing import Route

from hookctl.model import DeliveryStatus
from hookctl.report.text.curl import curl_command
from hookctl.report.text.holds import also_ends
from hookctl.report.text.invocation import PHASES, request_lines, response_lines, timing_line
from hookctl.report.text.printable import printable
from hookctl.report.text.tips import tips_for
from hookctl.serve.access import Scope, requires
from hookctl.serve.deliveries import links
from hookctl.serve.deliveries.done import done_text
from hookctl.serve.deliveries.showing import show
from hookctl.serve.pages.failures import not_found, page
from hookctl.serve.pages.state import pages_of
from hookctl.serve.stores import in_store
from hookctl.store.records import UNENDED, Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.model import Attempt, Delivery, DeliveryPlan, Timing
    from hookctl.store.history import StoredEvent
    from hookctl.store.interface import Store
    from hookctl.store.records import Hold

MOST_ATTEMPTS = 50
"""The most attempts on one page, the newest; ``hookctl deliveries show`` has all of them."""
BAR = 1000
"""The width of a bar of phases, in units of its drawing."""
SHORTEST_PHASE = 2


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the time that an attempt took."""

    label: str
    start: float
    """Units of the bar."""
    width: float
    """Units of the bar."""
    seconds: float


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt, as the page shows it."""

    attempt: Attempt
    label: str
    """Such as ``2``, or ``1 after replay 1``."""
    request: str
    """Empty if the request could not be made."""
    response: str
    """Empty if there was none."""
    timing: str
    phases: Sequence[Phase]
    tips: Sequence[str]
    curl: str
    """Empty if there is no request."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One delivery, as the page shows it."""

    delivery: Delivery
    event: StoredEvent | None
    """None if it is damaged."""
    attempts: Sequence[AttemptView]
    """Newest first."""
    left_out: int
    """How many older attempts are not shown."""
    hold: Hold | None
    """What holds its webhook."""
    hold_ends: str
    has_plan: bool
    """The delivery plan of the last attempt is kept, so a replay can use it."""

    @property
    def is_due(self) -> bool:
        """Whether it has a next attempt."""
        return self.delivery.status in {DeliveryStatus.WAITING, DeliveryStatus.RETRYING}

    @property
    def can_be_cancelled(self) -> bool:
        """Whether it has not ended."""
        return self.delivery.status in UNENDED


@requires(Scope.READ)
@page
async def delivery(request: Request) -> Response:
    """One delivery."""
    return await in_store(request, _page, request, request.path_params["delivery_id"])


def _page(store: Store, request: Request, delivery_id: str) -> Response:
    view = view_of(store, delivery_id)
    if view is None:
        hint = "Its event may have been deleted after the retention time. The address has the complete id."
        return not_found(request, printable(f"There is no delivery {delivery_id}"), hint)
    place = pages_of(request).files.find(view.delivery.webhook)
    return show(request, "delivery.html", view=view, place=place, done=done_text(request.query_params))


def view_of(store: Store, delivery_id: str) -> DeliveryView | None:
    """The delivery with this id; None if there is none."""
    found = store.deliveries(Filter(ids=[delivery_id]), 1)
    if not found:
        return None
    made = store.attempts(delivery_id)
    labels = _labels(made)
    plans = {digest: store.plan(digest) for digest in {attempt.plan_digest for attempt in made[-MOST_ATTEMPTS:]}}
    shown = [*zip(made, labels, strict=True)][-MOST_ATTEMPTS:]
    hold = store.holds().get(found[0].webhook)
    return DeliveryView(
        delivery=found[0],
        event=store.event(found[0].event_id),
        attempts=[_attempt(attempt, label, plans[attempt.plan_digest]) for attempt, label in reversed(shown)],
        left_out=len(made) - len(shown),
        hold=hold,
        hold_ends=also_ends(hold) if hold else "",
        has_plan=bool(made) and plans[made[-1].plan_digest] is not None,
    )


def _labels(attempts: Sequence[Attempt]) -> list[str]:
    """The number of each attempt; a replay starts to number from 1 again."""
    labels: list[str] = []
    before = replays = 0
    for attempt in attempts:
        replays += attempt.number <= before
        before = attempt.number
        labels.append(f"{attempt.number} after replay {replays}" if replays else str(attempt.number))
    return labels


def _attempt(attempt: Attempt, label: str, plan: DeliveryPlan | None) -> AttemptView:
    return AttemptView(
        attempt,
        label,
        request=_text(request_lines(attempt.request)) if attempt.request else "",
        response=_text(response_lines(attempt.response)) if attempt.response else "",
        timing=timing_line(attempt.timing, attempt.failure),
        phases=phases(attempt.timing),
        tips=tips_for(attempt, plan) if plan else (),
        curl=curl_command(attempt.request, plan) if attempt.request else "",
    )


def _text(lines: Iterable[str]) -> str:
    return dedent("\n".join(lines))


def phases(timing: Timing) -> list[Phase]:
    """The known phases of an attempt, in order; the last one is the rest of its time."""
    ends = [(label, at) for name, label in PHASES if (at := getattr(timing, name)) is not None]
    total = max([timing.total, *(at for _, at in ends)], default=0.0)
    if total <= 0:
        return []
    found, before = [], 0.0
    for label, at in [*ends, ("rest", total)]:
        seconds = max(0.0, at - before)
        width = max(seconds / total * BAR, SHORTEST_PHASE if seconds else 0)
        found.append(Phase(label, round(before / total * BAR, 1), round(width, 1), seconds))
        before = max(before, at)
    return found


ROUTES: Sequence[BaseRoute] = (Route(f"{links.DELIVERIES}/{{delivery_id}}", delivery),)
