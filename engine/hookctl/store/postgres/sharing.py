"""Sharing the limits of webhooks in PostgreSQL, inside the caller's transaction: see ``hookctl.store.sharing``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hookctl.store.postgres.claiming import CLOCK
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Members, Part
from hookctl.store.sharing import Member, change, is_current, members, refilled

TABLES = """
    -- The workers that share limits, and the version of their list, which changes when one comes or goes.
    CREATE TABLE members (
        name text COLLATE "C" PRIMARY KEY,
        joined bigint NOT NULL,
        adopted bigint NOT NULL,     -- the version that it follows
        over text[] NOT NULL,        -- webhooks of which it has more in flight than its share
        ends double precision NOT NULL    -- the end of its lease, by the server's clock
    );
    CREATE TABLE membership (version bigint NOT NULL);
    INSERT INTO membership VALUES (0);
    -- The tokens of webhooks with a rate limit, and when there were so many, by the server's clock.
    CREATE TABLE rates (
        webhook text COLLATE "C" PRIMARY KEY,
        tokens double precision NOT NULL,
        at double precision NOT NULL
    ) WITH (fillfactor = 50);
"""
READ = f"""
    SELECT s.version, {CLOCK}, m.joined, m.name, m.adopted, m.over, m.ends
    FROM membership s LEFT JOIN members m ON true
"""  # noqa: S608 - constants
LOCK = "SELECT 1 FROM membership FOR UPDATE"
SET = """
    INSERT INTO members (joined, name, adopted, over, ends) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET
        joined = excluded.joined, adopted = excluded.adopted, over = excluded.over, ends = excluded.ends
"""
REMOVE = """
    WITH gone AS (DELETE FROM members WHERE name = ANY(%s) RETURNING 1)
    UPDATE membership SET version = version + 1 WHERE EXISTS (SELECT 1 FROM gone)
"""
ADD_BUCKETS = f"""
    INSERT INTO rates (webhook, tokens, at)
    SELECT w, 1, {CLOCK} FROM unnest(%(webhooks)s::text[]) AS w
    WHERE NOT EXISTS (SELECT 1 FROM rates WHERE webhook = w)
    ON CONFLICT DO NOTHING
"""  # noqa: S608
TOKENS = f"""
    SELECT webhook, tokens, at, {CLOCK} FROM rates WHERE webhook = ANY(%(webhooks)s::text[])
    ORDER BY webhook FOR UPDATE SKIP LOCKED
"""  # noqa: S608
"""Leaves out the webhooks of which another worker is claiming: it should not have to wait for that commit."""
SPEND = """
    UPDATE rates r SET tokens = g.tokens, at = g.at
    FROM unnest(%s::text[], %s::float8[], %s::float8[]) AS g (webhook, tokens, at) WHERE r.webhook = g.webhook
"""


def look(connection: Connection, name: str, part: Part, lease_seconds: float, clock: float | None) -> Members | None:
    """The members; None if :func:`take_part` has something to write."""
    version, now, rows = _read(connection, clock)
    return members(rows, version, name) if is_current(rows, name, part, now, lease_seconds) else None


def take_part(connection: Connection, name: str, part: Part, lease_seconds: float, clock: float | None) -> Members:
    """See :meth:`hookctl.store.runners_interface.Workers.take_part`. One worker at a time does this."""
    connection.execute(LOCK)
    version, now, rows = _read(connection, clock)
    to_write = change(rows, version, name, part, now=now, lease_seconds=lease_seconds)
    mine = to_write.mine
    connection.execute("DELETE FROM members WHERE name = ANY(%s)", ([*to_write.gone],))
    connection.execute(SET, (mine.joined, name, mine.adopted, [*mine.over], mine.ends))
    connection.execute("UPDATE membership SET version = %s", (to_write.version,))
    others = [row for row in rows if row.name != name and row.name not in to_write.gone]
    return members([*others, mine], to_write.version, name, is_new=to_write.is_new)


def remove(connection: Connection, names: Sequence[str]) -> None:
    """These workers have ended."""
    connection.execute(LOCK)
    connection.execute(REMOVE, ([*names],))


def tokens(
    connection: Connection, rates: Mapping[str, float], clock: float | None
) -> tuple[dict[str, float], dict[str, float]]:
    """The tokens that each webhook has, and from when on its bucket fills; ``rates`` are in tokens per second.

    A webhook is missing while another worker claims deliveries of it.
    """
    values = {"webhooks": sorted(rates), "clock": clock}
    connection.execute(ADD_BUCKETS, values)
    have: dict[str, float] = {}
    since: dict[str, float] = {}
    for webhook, stored, at, now in connection.execute(TOKENS, values).fetchall():
        have[webhook], since[webhook] = refilled(stored, at, now, rates[webhook])
    return have, since


def store_tokens(
    connection: Connection, left: Mapping[str, float], since: Mapping[str, float], spent: Collection[str]
) -> None:
    """Store what is left of tokens."""
    names = sorted(spent)
    if names:
        connection.execute(SPEND, (names, [left[name] for name in names], [since[name] for name in names]))


def _read(connection: Connection, clock: float | None) -> tuple[int, float, list[Member]]:
    """The version of the members, the clock of leases, and the members."""
    found = connection.execute(READ, {"clock": clock}).fetchall()
    rows = [
        Member(joined, name, adopted, tuple(over), ends) for _, _, joined, name, adopted, over, ends in found if name
    ]
    return found[0][0], found[0][1], rows
