"""Counts attempts into the tables behind pages, a batch at a time; inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from hookctl.store import causes
from hookctl.store.counting import HOUR, MAX_HEADS, NEVER_TRIED, window
from hookctl.store.overviews import Progress
from hookctl.store.sqlite import overview_tables as tables


def progress(connection: sqlite3.Connection) -> Progress:
    """See :meth:`hookctl.store.pages_interface.Overviews.progress`."""
    counted, _ = _counted(connection)
    return Progress(counted, connection.execute(tables.LAST).fetchone()[0])


def count_attempts(connection: sqlite3.Connection, now: float, limit: int) -> Progress:
    """See :meth:`hookctl.store.pages_interface.Overviews.count_attempts`."""
    after, first = _counted(connection)
    which = window(now)
    if which["first"] != first:
        for statement in tables.FORGET_HOURS:
            connection.execute(statement, which)
    end = max(after, connection.execute(tables.END, (after, limit)).fetchone()[0])
    if end > after:
        _count(connection, which | {"after": after, "end": end})
    _name_never_tried(connection)
    connection.execute(tables.SET_COUNTED, (end, which["first"]))
    return Progress(end, connection.execute(tables.LAST).fetchone()[0])


def is_due(connection: sqlite3.Connection, now: float) -> bool:
    """Whether there is anything to count, or counts to delete."""
    counted, first = _counted(connection)
    return (
        connection.execute(tables.LAST).fetchone()[0] != counted
        or first != window(now)["first"]
        or connection.execute(tables.NEVER_TRIED, (1,)).fetchone() is not None
    )


def rename(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Give what is counted for a webhook its new name."""
    for statement in tables.RENAME:
        connection.execute(statement, {"old": old, "new": new})


def _counted(connection: sqlite3.Connection) -> tuple[int, int]:
    row = connection.execute("SELECT attempt, hour FROM counted").fetchone()
    return (row[0], row[1]) if row and all(isinstance(value, int) for value in row) else (0, 0)


def _count(connection: sqlite3.Connection, which: dict[str, int]) -> None:
    for statement in tables.BATCH:
        connection.execute(statement)
    old = connection.execute(tables.OLD, (which["after"], which["end"])).fetchall()
    connection.executemany(tables.ADD_OLD, [row for one in old if (row := _old_row(*one))])
    connection.execute(tables.COUNT_ALL if old else tables.COUNT_NEW, which)
    connection.execute(tables.ADD_HOURS)
    connection.execute(tables.ADD_RECENT)
    _count_failures(connection, tables.FAILED_ALL if old else tables.FAILED_NEW, which)


def _old_row(seq: int, record: object, is_delivered: int) -> tuple[int, float, float, str, int] | None:
    """What an attempt of an older hookctl has instead of the columns; None if its record is damaged."""
    last = causes.read(record)
    if last is None:
        return None
    result = causes.result_of(last)
    is_success = len(result) == 3 and result.startswith("2")
    return seq, last.started_at, last.timing.total if last.timing else 0.0, result, is_success or bool(is_delivered)


def _count_failures(connection: sqlite3.Connection, query: str, which: dict[str, int]) -> None:
    known: dict[tuple[str, str], int] = {}
    newest: dict[int, int] = {}
    counts: dict[tuple[int, str, int], tuple[int, float, str]] = {}
    for seq, delivery_id, webhook, started_at, result, record in connection.execute(query, which).fetchall():
        key = (causes.shown(result), causes.head_of(record))
        if key not in known:
            known[key] = _cause(connection, *key)
        newest[seq] = cause = known[key]
        hour = int(started_at // HOUR)
        if which["first"] <= hour <= which["last"]:
            count, last_at, _ = counts.get((hour, webhook, cause), (0, started_at, ""))
            counts[hour, webhook, cause] = (count + 1, max(last_at, started_at), delivery_id)
    connection.executemany(tables.ADD_HOUR_CAUSES, [(*key, *values) for key, values in counts.items()])
    connection.executemany(tables.SET_CAUSE, [(cause, seq) for seq, cause in newest.items()])


def _name_never_tried(connection: sqlite3.Connection) -> None:
    rows = connection.execute(tables.NEVER_TRIED, (NEVER_TRIED,)).fetchall()
    known: dict[str, int] = {}
    for _, reason in rows:
        head = causes.head_of_reason(reason)
        if head not in known:
            known[head] = _cause(connection, "", head)
    named = [(known[causes.head_of_reason(reason)], seq) for seq, reason in rows]
    connection.executemany(tables.SET_CAUSE, named)


def _cause(connection: sqlite3.Connection, result: str, head: str) -> int:
    """The number of a cause, which is added if it is new."""
    if found := connection.execute(tables.FIND_CAUSE, (result, head)).fetchone():
        return int(found[0])
    if head and connection.execute(tables.COUNT_CAUSES, (result,)).fetchone()[0] >= MAX_HEADS:
        return _cause(connection, result, "")
    return int(connection.execute(tables.ADD_CAUSE, (result, head)).lastrowid or 0)
