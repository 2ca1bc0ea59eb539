"""Replays deliveries and waits for what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import Delivery, DeliveryStatus
    from hookctl.network import Network
    from hookctl.store.history import AuditEntry, ReplayOptions
    from hookctl.store.interface import Store
    from hookctl.store.records import Hold

    Replay = Callable[[Sequence[str]], list[str]]
    """Makes deliveries due in one commit, and returns the ids of those that were not in flight."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of deliveries that were to be replayed."""

    found: Sequence[Delivery]
    """The replayed ones, as they are at the end."""
    left_alone: Sequence[str]
    """The ids of those that could not be replayed."""
    holds: Mapping[str, Hold]
    """The held webhooks."""
    interrupted: bool


def replay_now(
    session: Session,
    network: Callable[[], Network],
    ids: Sequence[str],
    *,
    wait: float,
    as_planned: bool,
    statuses: Collection[DeliveryStatus] | None,
    audit: AuditEntry,
) -> Replayed:
    """Replay deliveries, and wait for their attempts, with retries within ``wait`` seconds.

    ``statuses``: leave alone those that have none of these any more; None: whatever their status.

    A runner that is alive on the store makes the attempts, because this process may lack its secrets. Otherwise this
    process makes them, and delivers everything else that is due; ``network`` is called only then.

    Raises StateError if nothing was ever applied, and what the store raises.
    """
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import applied_store

    with catching_interrupts() as interrupts:

        def stopping() -> bool:
            return interrupts.requested

        store, _ = applied_store(session, stopping)
        options: ReplayOptions = {"as_planned": as_planned, "statuses": statuses, "audit": audit}
        if store.has_runner():
            replay = partial(store.replay, now=time.time(), **options)
            return _hand_over(store, replay, ids, wait, stopping)
        return _deliver(session, network(), ids, options, wait=wait, stopping=stopping)


def _hand_over(store: Store, replay: Replay, ids: Sequence[str], wait: float, stopping: Callable[[], bool]) -> Replayed:
    """Replay deliveries, and follow them while a runner makes the attempts."""
    from hookctl.cli.running import while_busy
    from hookctl.delivery.following import follow_replayed

    replayed = _in_batches(replay, ids, stopping)
    while_busy(lambda: store.reconcile(store.read_state()), stopping)  # for webhooks that are held, inactive or gone
    store.wake_runners()
    if not follow_replayed(store, replayed, wait=wait, stopping=stopping):
        echo("The `hookctl run` on this store has ended. The next one continues with the deliveries.", err=True)
    return _ended(store, ids, replayed, interrupted=stopping())


def _deliver(
    session: Session,
    network: Network,
    ids: Sequence[str],
    options: ReplayOptions,
    *,
    wait: float,
    stopping: Callable[[], bool],
) -> Replayed:
    """The same with attempts that this process makes."""
    from hookctl.cli.running import GRACE, report_busy, running
    from hookctl.delivery.runner.sending import deliver

    with running(session, network, stopping=stopping) as (runner, store):
        replayed = _in_batches(partial(runner.replay, **options), ids, stopping)
        deliver(runner, store, wait=wait, stopping=stopping, progress=lambda: None, stalled=report_busy)
        runner.stop(GRACE)
        return _ended(store, ids, replayed, interrupted=stopping())


def _in_batches(replay: Replay, ids: Sequence[str], stopping: Callable[[], bool]) -> list[str]:
    """Replay deliveries in several commits, and wait while the store is busy; the ids of those that were replayed."""
    from hookctl.cli.running import while_busy
    from hookctl.delivery.past.batches import batches

    return [name for batch in batches(ids) for name in while_busy(partial(replay, batch), stopping)]


def _ended(store: Store, ids: Sequence[str], replayed: Sequence[str], *, interrupted: bool) -> Replayed:
    from hookctl.store.records import Filter

    found = store.deliveries(Filter(ids=replayed)) if replayed else []
    holds = store.holds()
    store.check()
    known = set(replayed)
    return Replayed(found, [name for name in ids if name not in known], holds, interrupted)
