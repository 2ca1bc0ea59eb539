"""The SQLite tables behind pages: stores of earlier versions, damage, and queries that use indexes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hookctl.model import DeliveryStatus
from hookctl.store import causes
from hookctl.store.overview_bounds import LE
from hookctl.store.records import Filter
from hookctl.store.sqlite import groups, listing, monitoring, summaries
from hookctl.store.sqlite import overview_tables as tables
from hookctl.store.sqlite import queue_tables as queue
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.filters import in_group
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.store import SqliteStore

NOW = 500_000 * 3600.0 + 60
EARLIER = queue.SCRIPTS.index(tables.QUEUE_SCRIPT)
"""The version of the queue's tables before attempts had columns for lists."""


def record(status: int | None, at: float = NOW, body: str = "", total: float = 0.1) -> str:
    response = status and {"status": status, "reason": "", "headers": [], "body": body, "truncated": False}
    failure = None if status else {"kind": "timeout", "message": "slow", "cause": ""}
    return json.dumps(
        {
            "plan_digest": "d",
            "number": 1,
            "started_at": at,
            "request": None,
            "response": response,
            "failure": failure,
            "timing": {"total": total},
            "verdicts": [],
        }
    )


def fill(connection: sqlite3.Connection, *rows: tuple[str, list[str]]) -> None:
    """One event, and for each row a delivery with this status and these records of attempts."""
    connection.execute(
        "INSERT INTO events (seq, id, event_type, event_time, received_at, document)"
        " VALUES (1, 'e', 'anomaly', 1.0, 1.0, '{}')"
    )
    for seq, (status, records) in enumerate(rows, 1):
        connection.execute(
            "INSERT INTO deliveries (seq, id, event, webhook, status, attempts, created_at, due_at)"
            " VALUES (?, ?, 1, 'A', ?, ?, 1.0, 1.0)",
            (seq, f"d{seq}", status, len(records)),
        )
        for one in records:
            connection.execute("INSERT INTO attempts (delivery, record) VALUES (?, ?)", (seq, one))


def test_the_attempts_of_an_earlier_version_are_counted(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "hookctl.db")) as connection:
        migrate(connection, queue.COMPONENT, queue.SCRIPTS[:EARLIER])
        fill(
            connection,
            ("delivered", [record(503), record(200)]),
            ("delivered", [record(409)]),  # by the webhook's outcomes
            ("dead", [record(None)]),
            ("dead", [record(404, body="no such tenant")]),
            ("dead", ["damaged"]),
            ("dead", [record(404, at=NOW - 48 * 3600, body="no such tenant")]),
        )
    store = SqliteStore(tmp_path / "hookctl.db")
    assert store.summaries(["A"])["A"].failed == 0
    while (progress := store.count_attempts(NOW, 2)).counted < progress.last:
        pass
    found = store.summaries(["A"])["A"]
    assert (found.succeeded, found.failed) == (2, 3)
    assert [(one.cause, one.line, one.count) for one in store.groups()] == [
        ("404", "no such tenant", 2),
        ("", "", 1),
        ("timeout", "slow", 1),
    ]
    assert [row.last for row in store.delivery_page(Filter()).rows] == ["404", "", "404", "timeout", "409", "200"]
    assert [row.delivery.id for row in store.delivery_page(Filter(cause="4xx")).rows] == ["d6", "d4", "d2"]
    store.close()


def test_two_that_count_count_each_attempt_once(tmp_path: Path) -> None:
    one, other = (SqliteStore(tmp_path / "hookctl.db") for _ in range(2))
    fill(one._connection, ("delivered", [record(200)] * 7))
    while not one.count_attempts(NOW, 2).counted == other.count_attempts(NOW, 1).counted == 7:
        pass
    assert one.summaries(["A"])["A"].succeeded + one.summaries(["A"])["A"].failed == 7
    one.close()
    other.close()


def test_nothing_is_written_when_there_is_nothing_to_count(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    store.count_attempts(NOW)
    with closing(sqlite3.connect(tmp_path / "hookctl.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # a commit would have to wait for it
        assert store.count_attempts(NOW + 1).counted == 0
        other.execute("ROLLBACK")
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE attempts SET started_at = 'then', result = 5, delivered = 'x', seconds = NULL",
        "UPDATE attempts SET record = x'ff', result = '404', delivered = 0, started_at = 1800000060.0, seconds = 'x'",
        "UPDATE deliveries SET webhook = 7",
        "UPDATE deliveries SET created_at = 'then'",
        "UPDATE counted SET attempt = 'x'",
        "DELETE FROM counted",
        "INSERT INTO recent SELECT 'B', 'x', 'y', " + ", ".join("0" for _ in LE),
        "UPDATE deliveries SET cause = 'x'",
        "UPDATE deliveries SET cause = 77",
    ],
)
def test_damage_spoils_no_page(tmp_path: Path, damage: str) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    fill(store._connection, ("dead", [record(404)]), ("delivered", [record(200)]))
    store._connection.execute(damage)
    for _ in range(2):
        store.count_attempts(NOW)
    store.summaries()
    store.hours(["A"], NOW)
    store.reasons("A", NOW)
    store.groups()
    store.delivery_page()
    for by in summaries.RANKINGS:
        store.ranking(by)
    store.close()


def test_the_head_of_a_cause() -> None:
    pretty = record(400, body='{"error": {"code": 7}, "id": "req_0123456789abc"}').encode()
    assert causes.head_of(pretty) == '"error": {\n"code": 7\n"id": "#"'
    assert causes.head_of(record(None).encode()) == "slow"
    assert causes.head_of(record(400, body="\x00a\x1b[b\n\n  at 2026-11-28T12:00:00Z").encode()) == "a [b\nat #"
    assert causes.head_of(record(400, body='["x",' * 5_000).encode()) == '["x",' * (causes.MAX_LINE // 5)
    assert causes.head_of(record(400, body="{" * 5_000).encode()) == ""  # it has no text
    assert causes.head_of(record(400, body="\n".join(map(str, range(99)))).encode()).count("\n") == causes.MAX_LINES - 1
    assert causes.head_of(b"damaged") == causes.head_of(None) == ""


def test_the_line_that_tells_heads_apart() -> None:
    assert causes.lines_of(["<a>\nx", "<a>\ny\nz", "w"]) == ["x", "y", "w"]
    assert causes.lines_of(["<html>\n<p>Sorry</p>"]) == ["<p>Sorry</p>"]
    assert causes.lines_of(["a", "a\nb", ""]) == ["a", "b", ""]


def test_the_causes_with_one_result_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.store.sqlite.counting.MAX_HEADS", 2)
    store = SqliteStore(tmp_path / "hookctl.db")
    fill(store._connection, *(("dead", [record(404, body=f"no {name}")]) for name in "abcd"))
    store.count_attempts(NOW)
    assert sorted((one.line, one.count) for one in store.groups()) == [("", 2), ("no a", 1), ("no b", 1)]
    store.close()


QUERIES: dict[str, str] = {
    "recent of some": summaries.RECENT.format(summaries.AMONG),
    "hours": summaries.OF_HOURS,
    "reasons": summaries.REASONS,
    **{f"ranking {by}": query for by, query in summaries.RANKINGS.items()},
    **{name: getattr(monitoring, name).format(monitoring.AMONG) for name in ("TO_TRY", "RETRYING", "HELD", "DEAD")},
    "by cause": groups.BY_CAUSE.format(only=""),
    "held": groups.HELD.format(only=""),
    "webhooks": groups.WEBHOOKS.format(condition=in_group("dead-1")[0], only=""),
    "waiting": monitoring.WAITING.format(""),
    "tally": listing.TALLY.format(index="deliveries_by_cause", conditions=in_group("dead-1")[0]),
    "blocks": listing.BLOCKS,
    "in block": listing.IN_BLOCK,
    "before": listing.BEFORE,
    "since": listing.SINCE,
    "next tries": listing.NEXT_TRIES,
    "never tried": tables.NEVER_TRIED,
    "end": tables.END,
    "old": tables.OLD,
    **{
        f"keys {which}": keys.query
        for which in (
            Filter(),
            Filter(ids=["x"]),
            Filter(event_id="e"),
            Filter(group="dead-1"),
            *(Filter(statuses={status}) for status in DeliveryStatus),
            *(Filter(webhook="A", statuses={status}) for status in DeliveryStatus),
        )
        for keys in listing.keys_of(which)
        if keys.name != "deliveries_of_webhook"
    },
}


SMALL = {f"deliveries_{name}" for name in ("ready", "retrying", "held", "dead", "by_cause", "by_status")}
"""Indexes that have nothing that was delivered."""


def test_no_query_reads_all_deliveries_or_attempts(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "hookctl.db").close()
    with closing(sqlite3.connect(tmp_path / "hookctl.db")) as connection:
        for name, query in QUERIES.items():
            steps = connection.execute(f"EXPLAIN QUERY PLAN {query}", [1] * query.count("?")).fetchall()
            for *_, step in steps:
                table, _, index = step.partition(" USING ")
                if table in {"SCAN deliveries", "SCAN d", "SCAN t", "SCAN attempts", "SCAN a"}:
                    is_page = name.startswith("keys")  # it stops at its limit
                    assert is_page or index.split()[-1:] in [[one] for one in SMALL], (name, step)
