"""Replays deliveries and waits for what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import Delivery
    from hookctl.network import Network
    from hookctl.store.history import AuditEntry


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of deliveries that were to be replayed."""

    found: Sequence[Delivery]
    """The replayed ones, as they are at the end."""
    left_alone: Sequence[str]
    """The ids of those that could not be replayed."""
    interrupted: bool


def replay_now(
    session: Session, network: Network, ids: Sequence[str], *, wait: float, as_planned: bool, audit: AuditEntry
) -> Replayed:
    """Replay deliveries, and deliver everything that is due, with retries within ``wait`` seconds.

    Raises StateError if nothing was ever applied, and what the store raises.
    """
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import GRACE, report_busy, running, while_busy
    from hookctl.delivery.past.batches import batches
    from hookctl.delivery.runner.sending import deliver
    from hookctl.store.records import Filter

    replayed: list[str] = []
    with (
        catching_interrupts() as interrupts,
        running(session, network, stopping=lambda: interrupts.requested) as (runner, store),
    ):
        for batch in batches(ids):
            replay_batch = partial(runner.replay, batch, as_planned=as_planned, audit=audit)
            replayed += while_busy(replay_batch, lambda: interrupts.requested)
        deliver(
            runner,
            store,
            wait=wait,
            stopping=lambda: interrupts.requested,
            progress=lambda: None,
            stalled=report_busy,
        )
        runner.stop(GRACE)
        found = store.deliveries(Filter(ids=replayed)) if replayed else []
        store.check()
    known = set(replayed)
    return Replayed(found, [name for name in ids if name not in known], interrupts.requested)
