"""Finds the deliveries that pass a filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hookctl.model import Delivery, DeliveryStatus
from hookctl.store.causes import cause_number, has_cause, read, result_of
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.reading import DELIVERY, delivery
from hookctl.store.records import Filter
from hookctl.store.texts import document_or_none

LAST_ATTEMPT = "(SELECT a.record FROM attempts a WHERE a.delivery = d.seq ORDER BY a.seq DESC LIMIT 1)"
EVENT = "d.event = ANY(ARRAY(SELECT seq FROM events WHERE id = %s))"
UNENDED = frozenset({DeliveryStatus.WAITING, DeliveryStatus.RETRYING, DeliveryStatus.HELD})
"""The statuses of deliveries that are never in a partition of ended ones."""
DUE = frozenset({DeliveryStatus.WAITING, DeliveryStatus.RETRYING})


def deliveries(connection: Connection, which: Filter, limit: int | None) -> list[Delivery]:
    """See :meth:`hookctl.store.interface.History.deliveries`."""
    found: list[Delivery] = []
    if limit == 0:
        return found
    for one in _passing(connection, which, limit):
        found.append(one)
        if len(found) == limit:
            break
    return found


def _passing(connection: Connection, which: Filter, limit: int | None) -> Iterator[Delivery]:
    """The deliveries that pass, newest first."""
    conditions, values = conditions_of(which)
    needs_attempt = bool(which.cause or which.plan_digest)
    attempt = LAST_ATTEMPT if needs_attempt else "NULL"
    most = None if needs_attempt or which.where else limit
    query = f"""
        SELECT {DELIVERY}, {attempt}, {"e.document" if which.where else "NULL"}
        FROM deliveries d JOIN events e ON e.seq = d.event WHERE {" AND ".join(conditions)}
        ORDER BY d.created_at DESC, d.seq DESC LIMIT %s
    """  # noqa: S608 - fixed texts; values are bound
    for *columns, record, text in connection.execute(query, [*values, most]):
        if needs_attempt and not _led_to(record, which):
            continue
        if which.where:
            document = document_or_none(text)
            if document is None or not which.where(document):
                continue
        yield delivery(columns)


def conditions_of(which: Filter) -> tuple[list[str], list[Any]]:
    """What the server can decide of a filter, of deliveries ``d`` joined with events ``e``, and the values."""
    conditions, values = ["true"], list[Any]()

    def only(condition: str, *bound: object) -> None:
        conditions.append(condition)
        values.extend(bound)

    plain = {
        "e.event_type = %s": which.event_type,
        EVENT: which.event_id,
        "d.webhook = %s": which.webhook,
        "d.created_at >= %s": which.since,
        "d.created_at < %s": which.until,
        "d.attempts >= %s": which.attempts or None,
        "NOT d.ended AND d.ready_at IS NOT NULL AND d.due_at < %s": which.due_before,
    }
    for condition, value in plain.items():
        if value is not None:
            only(condition, value)
    if which.statuses is not None:
        only("d.status = ANY(%s)", [status.value for status in sorted(which.statuses)])
        if UNENDED.issuperset(which.statuses):
            only("NOT d.ended")
    if which.ids is not None:
        only("d.id = ANY(%s)", [*which.ids])
    if which.id_part:
        only("strpos(d.id, %s) > 0", which.id_part)
    if which.group:
        only(*in_group(which.group))
    return conditions, values


def in_group(key: str) -> tuple[str, *tuple[object, ...]]:
    """The condition for a group of deliveries, and its values; see :class:`hookctl.store.overviews.Group`."""
    status, _, which = key.partition("-")
    if status in {"dead", "retrying"}:
        number = cause_number(which)
        ended = "d.ended" if status == "dead" else "NOT d.ended"
        cause = "d.cause = %s" if number else "d.cause IS NULL"
        return f"{ended} AND d.status = '{status}' AND {cause}", *([number] if number else [])
    if status == "held":
        return "NOT d.ended AND d.status = 'held' AND d.reason = %s", which
    if status == "waiting":
        reason = "coalesce((SELECT reason FROM circuits c WHERE c.webhook = d.webhook), '')"
        return f"NOT d.ended AND d.status = 'waiting' AND d.ready_at IS NOT NULL AND {reason} = %s", which
    return ("false",)


def _led_to(record: str | None, which: Filter) -> bool:
    """Whether an attempt, as it is stored, has the cause and the plan of the filter."""
    last = read(record.encode() if record is not None else None)
    if last is None or not last.plan_digest.startswith(which.plan_digest):
        return False
    return which.cause is None or has_cause(result_of(last), which.cause)
