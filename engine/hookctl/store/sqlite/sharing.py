"""Sharing limits in the SQLite store, inside the caller's transaction: see ``hookctl.store.sharing``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping

from hookctl.store.records import Members, Part
from hookctl.store.sharing import Change, Member, change, is_current, members, refilled

COMPONENT = "sharing"
SCRIPTS = (
    """
    -- The workers that share limits, and the version of their list, which changes when one comes or goes.
    CREATE TABLE members (
        name TEXT PRIMARY KEY,
        joined INTEGER NOT NULL,
        adopted INTEGER NOT NULL,    -- the version that it follows
        over TEXT NOT NULL,          -- webhooks of which it has more in flight than its share, as JSON
        ends REAL NOT NULL           -- the end of its lease, on the clock that nobody sets
    ) WITHOUT ROWID;
    CREATE TABLE membership (version INTEGER NOT NULL);
    INSERT INTO membership VALUES (0);
    -- The tokens of webhooks with a rate limit, and when there were so many, on the clock that nobody sets.
    CREATE TABLE rates (webhook TEXT PRIMARY KEY, tokens REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
    """,
)
READ = "SELECT joined, name, adopted, over, ends FROM members"
SET = "INSERT OR REPLACE INTO members (joined, name, adopted, over, ends) VALUES (?, ?, ?, ?, ?)"
TOKENS = "SELECT webhook, tokens, at FROM rates WHERE webhook IN (SELECT value FROM json_each(?))"
SPEND = "INSERT OR REPLACE INTO rates (webhook, tokens, at) VALUES (?, ?, ?)"


def look(connection: sqlite3.Connection, name: str, part: Part, now: float, lease_seconds: float) -> Members | None:
    """The members; None if :func:`take_part` has something to write."""
    rows = _rows(connection)
    if not is_current(rows, name, part, now, lease_seconds):
        return None
    return members(rows, _version(connection), name)


def take_part(connection: sqlite3.Connection, name: str, part: Part, now: float, lease_seconds: float) -> Members:
    """See :meth:`hookctl.store.runners_interface.Workers.take_part`."""
    to_write: Change = change(_rows(connection), _version(connection), name, part, now=now, lease_seconds=lease_seconds)
    connection.executemany("DELETE FROM members WHERE name = ?", [(gone,) for gone in to_write.gone])
    mine = to_write.mine
    connection.execute(SET, (mine.joined, name, mine.adopted, json.dumps(mine.over), mine.ends))
    connection.execute("UPDATE membership SET version = ?", (to_write.version,))
    return members(_rows(connection), to_write.version, name, is_new=to_write.is_new)


def remove(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """These workers have ended."""
    if connection.executemany("DELETE FROM members WHERE name = ?", [(name,) for name in names]).rowcount > 0:
        connection.execute("UPDATE membership SET version = version + 1")


def tokens(connection: sqlite3.Connection, rates: Mapping[str, float], now: float) -> dict[str, float]:
    """The tokens that each webhook has; ``rates`` are in tokens per second. A damaged row counts as a new one."""
    rows = connection.execute(TOKENS, (json.dumps([*rates]),)).fetchall()
    stored: dict[str, tuple[float, float]] = {}
    for webhook, have, at in rows:
        if isinstance(have, int | float) and isinstance(at, int | float):
            stored[webhook] = have, at
    found: dict[str, float] = {}
    for name, rate in rates.items():
        have, at = stored.get(name, (1.0, now))
        found[name], _ = refilled(have, at, now, rate)
    return found


def store_tokens(connection: sqlite3.Connection, left: Mapping[str, float], spent: Collection[str], now: float) -> None:
    """Store what is left of tokens."""
    connection.executemany(SPEND, [(name, left[name], now) for name in spent])


def _rows(connection: sqlite3.Connection) -> list[Member]:
    """The members. A damaged row counts as a worker that has ended."""
    return [_member(*row) for row in connection.execute(READ).fetchall()]


def _member(joined: object, name: str, adopted: object, over: object, ends: object) -> Member:
    try:
        webhooks = tuple(map(str, json.loads(over))) if isinstance(over, str) else None
    except (ValueError, TypeError):
        webhooks = None
    if webhooks is None or not (isinstance(joined, int) and isinstance(adopted, int) and isinstance(ends, int | float)):
        return Member(0, name, 0, (), float("-inf"))
    return Member(joined, name, adopted, webhooks, float(ends))


def _version(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT version FROM membership").fetchone()
    return row[0] if row and isinstance(row[0], int) else 0
