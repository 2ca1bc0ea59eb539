"""Writes a batch to PostgreSQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from hookctl.model import DeliveryPlan
from hookctl.store.postgres import claiming, enqueuing, finishing, reading, repeats, sharing, upkeep
from hookctl.store.postgres.claiming import Lease
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.enqueuing import Room
from hookctl.store.records import Batch, Claimed, Committed
from hookctl.store.sharing import bounded, rated, spend


def write(  # noqa: PLR0917 - what a commit consists of
    connection: Connection,
    batch: Batch,
    rows: Sequence[Any],
    plans: Mapping[str, DeliveryPlan],
    lease: Lease,
    room: Room,
    *,
    claims: bool,
    is_repeated: bool,
) -> tuple[Committed, range]:
    """See :meth:`hookctl.store.interface.Work.submit`. Also returns the numbers of the deliveries that were added.

    Args:
        connection: has a transaction.
        batch: what to write, with times of the server.
        rows: the attempts of its results, from :func:`hookctl.store.postgres.finishing.row_of`.
        plans: the delivery plans of its results that may not be stored yet, by digest.
        lease: what claims are marked with.
        room: how much room there was for events at the last look.
        claims: whether to claim what is due.
        is_repeated: whether an earlier call for this batch was rolled back.
    """
    lost = finishing.finish(connection, batch.results, rows, plans, now=batch.now, owner=lease.owner)
    finishing.release(connection, batch.released, lease.owner)
    upkeep.set_circuits(connection, batch.circuits)
    repeats.add_keys(connection, batch.keys, batch.now)
    made, is_new, claimed = range(0), list[bool](), list[Claimed]()
    rates = rated(batch, reading.ready(connection) if claims else {}) if batch.rates else {}
    left, since = sharing.tokens(connection, rates, lease.clock) if rates else ({}, {})
    wanted = bounded(batch.wanted, rates, left) if rates else batch.wanted
    if batch.events:
        bound = replace(batch, wanted=wanted) if rates else batch
        made, is_new, claimed = enqueuing.enqueue(connection, bound, lease, room, is_repeated=is_repeated)
        if batch.refuse_changed and not all(is_new):
            repeats.refuse_changed(connection, batch.events, is_new)
    if claims:
        if rates and claimed:
            wanted = bounded(batch.wanted, rates, spend(left, claimed)[0])
        claimed += claiming.claim(connection, batch.now, batch.limit, lease, wanted)
    left, spent = spend(left, claimed)
    sharing.store_tokens(connection, left, since, spent)
    return Committed(lost, is_new, claimed, left), made
