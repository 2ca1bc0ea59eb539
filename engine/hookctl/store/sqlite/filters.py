"""Finds the deliveries that pass a filter, by an index where there is one for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from hookctl.model import Delivery, DeliveryStatus
from hookctl.store.causes import cause_number, has_cause, read, result_of
from hookctl.store.records import Filter
from hookctl.store.sqlite.overview_tables import HAS_CAUSE
from hookctl.store.sqlite.queue_tables import DELIVERY, READABLE
from hookctl.store.sqlite.reading import delivery
from hookctl.store.texts import document_or_none

LAST_ATTEMPT = "(SELECT CAST(a.record AS BLOB) FROM attempts a WHERE a.delivery = d.seq ORDER BY a.seq DESC LIMIT 1)"
EVENT = "d.event IN (SELECT event FROM known_ids WHERE id = ? UNION ALL SELECT event FROM new_ids WHERE id = ?)"
WAITING = "d.status = 'waiting' AND d.ready_at IS NOT NULL"
DUE = frozenset({DeliveryStatus.WAITING, DeliveryStatus.RETRYING})


def deliveries(connection: sqlite3.Connection, which: Filter, limit: int | None) -> list[Delivery]:
    """See :meth:`hookctl.store.interface.History.deliveries`."""
    found: list[Delivery] = []
    if limit == 0:
        return found
    for one in _passing(connection, which, limit):
        found.append(one)
        if len(found) == limit:
            break
    return found


def _passing(connection: sqlite3.Connection, which: Filter, limit: int | None) -> Iterator[Delivery]:
    """The deliveries that pass, newest first."""
    query, values = query_of(which, limit)
    for *columns, attempt, text in connection.execute(query, values):
        if _needs_attempt(which) and not _led_to(attempt, which):
            continue
        if which.where:
            document = document_or_none(text)
            if document is None or not which.where(document):
                continue
        yield delivery(columns)


def query_of(which: Filter, limit: int | None) -> tuple[str, list[Any]]:
    """The query, and its values, for what SQLite can decide of a filter.

    Its columns are those of a delivery, the last attempt, and the event; the last two only if the rest of the filter
    needs them.
    """
    conditions, values = conditions_of(which)
    attempt = LAST_ATTEMPT if _needs_attempt(which) else "NULL"
    columns = f"{DELIVERY}, {attempt}, {'e.document' if which.where else 'NULL'}"
    tables = f"deliveries d {_index(which)} JOIN events e ON e.seq = d.event"
    where = " AND ".join([*conditions, READABLE])
    order = "d.created_at DESC, d.seq DESC"
    most = -1 if limit is None or _needs_attempt(which) or which.where else limit
    # Fixed texts; values are bound.
    return f"SELECT {columns} FROM {tables} WHERE {where} ORDER BY {order} LIMIT ?", [*values, most]  # noqa: S608


def _needs_attempt(which: Filter) -> bool:
    return bool(which.cause or which.plan_digest)


def conditions_of(which: Filter) -> tuple[list[str], list[Any]]:
    """What SQLite can decide of a filter, of deliveries ``d`` joined with events ``e``, and the values."""
    (conditions, values), (others, bound_to_others) = _of_event(which), _of_attempts(which)
    conditions += others
    values += bound_to_others

    def only(condition: str, *bound: object) -> None:
        conditions.append(condition)
        values.extend(bound)

    if which.statuses is not None:
        only(_has_status(which.statuses))
    if which.webhook is not None:
        only("d.webhook = ?", which.webhook)
    if which.since is not None:
        only("d.created_at >= ?", which.since)
    if which.until is not None:
        only("d.created_at < ?", which.until)
    if which.ids is not None:
        only("d.id IN (SELECT value FROM json_each(?))", msgspec.json.encode(list(which.ids)).decode())
    if which.id_part:
        only("instr(d.id, ?) > 0", which.id_part)
    if which.group:
        only(*in_group(which.group))
    return conditions, values


def _of_event(which: Filter) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if which.event_type is not None:
        conditions.append("e.event_type = ?")
        values.append(which.event_type)
    if which.event_id is not None:
        conditions.append(EVENT)
        values += [which.event_id, which.event_id]
    return conditions, values


def _of_attempts(which: Filter) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if which.attempts:
        conditions.append("d.attempts >= ?")
        values.append(which.attempts)
    if which.due_before is not None:
        conditions.append("d.ready_at IS NOT NULL AND d.due_at < ?")
        values.append(which.due_before)
    return conditions, values


def in_group(key: str) -> tuple[str, *tuple[object, ...]]:
    """The condition for a group of deliveries, and its values; see :class:`hookctl.store.overviews.Group`."""
    status, _, which = key.partition("-")
    if status in {"dead", "retrying"}:
        return f"d.{HAS_CAUSE} AND d.status = '{status}' AND d.cause IS ?", cause_number(which) or None
    if status == "held":
        return "d.status = 'held' AND d.reason = ?", which
    if status == "waiting":
        return f"{WAITING} AND coalesce((SELECT reason FROM circuits c WHERE c.webhook = d.webhook), '') = ?", which  # noqa: S608
    return ("false",)


def _has_status(statuses: Collection[DeliveryStatus]) -> str:
    """The condition, with the statuses in its text: SQLite uses an index of one status only if it can see it."""
    if len(statuses) == 1:
        return f"d.status = '{next(iter(statuses)).value}'"
    listed = ", ".join(f"'{status.value}'" for status in sorted(statuses))
    condition = f"d.status IN ({listed})"
    return f"{condition} AND d.ready_at IS NOT NULL" if statuses and DUE.issuperset(statuses) else condition


def _index(which: Filter) -> str:
    """The index to use, where SQLite cannot know that few deliveries have a status."""
    if which.ids is not None or which.event_id is not None or not which.statuses:
        return ""
    statuses = set(which.statuses)
    if statuses == {DeliveryStatus.DEAD}:
        return "INDEXED BY deliveries_dead"
    if statuses == {DeliveryStatus.HELD}:
        return "INDEXED BY deliveries_held"
    return ""


def _led_to(record: object, which: Filter) -> bool:
    """Whether an attempt, as it is stored, has the cause and the plan of the filter."""
    last = read(record)
    if last is None or not last.plan_digest.startswith(which.plan_digest):
        return False
    return which.cause is None or has_cause(result_of(last), which.cause)
