"""Stores the events of an input, and follows their deliveries while a runner in another process makes them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from hookctl.delivery.events.intake import BadEvent, EventReader
from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.patience import Patience
from hookctl.delivery.runner.sending import COMMIT_EVENTS, PAUSE, InputEvents, Intake, Source, store_all, take_in
from hookctl.delivery.runner.tally import Tally
from hookctl.errors import StateError
from hookctl.model import Delivery, DeliveryStatus
from hookctl.store.interface import Store
from hookctl.store.records import Circuit, Filter, Followed

FOLLOW_SECONDS = 0.05
"""The minimum number of seconds between two looks at the deliveries."""
STALLED_SECONDS = 330.0
"""Seconds without any change after which a runner counts as stalled. No attempt takes longer than 300."""
FOLLOW_SHARE = 10
"""A look that takes long is followed by a pause of this many times its length."""
DUE = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING)


def store_events(
    source: Source,
    reader: EventReader,
    producer: Producer,
    *,
    stopping: Callable[[], bool],
    progress: Callable[[Intake], None],
    stalled: Callable[[StateError], None],
    rejected: Callable[[Sequence[BadEvent]], None],
    make_room: Callable[[Intake], bool] = lambda _: False,
) -> Intake:
    """Store the input's events, each batch durably before more is read. Ends early once ``stopping()`` is true.

    If the store is full, ``make_room`` may wait until a runner has delivered something, and returns whether to try
    again. If there is still no room then, reading ends, and the intake names the first event that was not taken in.

    Waits while another process keeps the store busy; ``stalled`` is called when that begins. ``rejected`` is called
    with bad events.

    Raises:
        EventError: the input cannot be read.
        StateLockedError: the store stays busy for too long, or until ``stopping()`` is true.
    """
    intake = Intake(rejected=rejected)
    patience = Patience(None, stopping, failed=stalled)
    events = InputEvents(source, reader, intake)
    while not stopping():
        if batch := events.take(COMMIT_EVENTS):
            if not take_in(batch, patience, producer, intake, lambda: make_room(intake)):
                return intake
        elif intake.has_ended:
            return intake
        else:
            events.read(PAUSE)
        progress(intake)
    store_all(events, patience, producer, intake)  # asked to stop: events from a pipe exist nowhere else
    return intake


def follow(
    store: Store,
    producer: Producer,
    tally: Tally,
    *,
    wait: float,
    stopping: Callable[[], bool],
    progress: Callable[[Followed], None],
) -> bool:
    """Wait while a runner makes the deliveries that were added through ``store``, and count them in ``tally``.

    Every first attempt is waited for, and retries that are due within ``wait`` seconds from now. Ends early once
    ``stopping()`` is true, and if nothing has changed for ``STALLED_SECONDS``.

    Returns:
        False if no runner is alive any more although there is something to wait for.
    """

    def look() -> tuple[Followed, Mapping[str, float]]:
        followed = store.followed()
        count(followed, tally)
        progress(followed)
        active = producer.active_webhooks()
        return followed, {name: at for name, at in followed.due.items() if name in active}

    return _wait(store, look, wait=wait, stopping=stopping)


def follow_replayed(store: Store, ids: Sequence[str], *, wait: float, stopping: Callable[[], bool]) -> bool:
    """The same for deliveries that were replayed in the store, by their ids."""

    def look() -> tuple[list[Delivery], Mapping[str, float]]:
        left = store.deliveries(Filter(ids=ids, statuses=DUE))
        due: dict[str, float] = {}
        for one in left:
            due[one.webhook] = min(one.due_at, due.get(one.webhook, one.due_at))
        return left, due

    return _wait(store, look, wait=wait, stopping=stopping)


def _wait(
    store: Store, look: Callable[[], tuple[object, Mapping[str, float]]], *, wait: float, stopping: Callable[[], bool]
) -> bool:
    """Wait as :func:`follow` does.

    ``look`` gives what a runner changes, and when the next delivery of each webhook is due.
    """
    last, changed_at = None, time.monotonic()
    until = time.monotonic() + wait  # not the wall clock, which may be set during the wait
    while True:
        is_alive = store.has_runner()  # before the look: what a runner did at its end is seen
        began = time.monotonic()
        found, due = look()
        if stopping() or not _is_any_due(due, store.circuits(), until - time.monotonic()):
            return True
        if not is_alive:
            return False
        if found != last:
            last, changed_at = found, began
        elif began - changed_at > STALLED_SECONDS:
            return True
        time.sleep(max(FOLLOW_SECONDS, FOLLOW_SHARE * (time.monotonic() - began)))


def count(followed: Followed, tally: Tally) -> None:
    """Make ``tally`` contain what was followed, and nothing else."""

    def by_webhook(status: DeliveryStatus) -> Counter[str]:
        return Counter({name: counts[status] for name, counts in followed.counts.items() if counts.get(status)})

    tally.attempts = followed.attempts
    tally.delivered, tally.dead = by_webhook(DeliveryStatus.DELIVERED), by_webhook(DeliveryStatus.DEAD)
    tally.retrying_elsewhere = by_webhook(DeliveryStatus.RETRYING).total()


def _is_any_due(due: Mapping[str, float], circuits: Mapping[str, Circuit], seconds: float) -> bool:
    """Whether a delivery is due within so many seconds. Those of a failing target are due when it is probed."""
    until = time.time() + seconds
    return any(max(at, circuits[name].until if name in circuits else at) <= until for name, at in due.items())
