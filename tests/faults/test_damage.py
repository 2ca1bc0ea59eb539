"""A cell of the store that holds anything: the row is set aside and named, and nothing else is held up."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hookctl.store.records import Filter
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer

pytestmark = pytest.mark.one_store("sqlite", "it damages the file; a server has its own checksums")

EXAMPLES = int(os.environ.get("HOOKCTL_DAMAGE_EXAMPLES", "25"))
NAMES = ("Gone", "Inactive", "Other", "Siem", "Slow")
DELIVERED_TO = ("Other", "Siem")

texts = st.one_of(
    st.text(max_size=5), st.sampled_from(["[]", "{}", '{"a":', "1e999", "null", "../../x", "[" * 2000, "open", "dead"])
)
values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 2**62, 2**63 - 1]),
    st.floats(allow_nan=False),
    texts.filter(lambda text: "\x00" not in text),
    st.binary(max_size=5),
)


@pytest.fixture
def base(site: Any, webhook: Callable[..., str]) -> Path:
    """A store with something in every table: a rename, deliveries that wait, are held, dead, retried and replayed."""
    retry = "retry: {schedule: [1h]}"
    files = {name: webhook(name, retry) for name in ("Gone", "Slow", *DELIVERED_TO)}
    site.apply(
        **{
            **files,
            "Old": webhook("Old", retry, "labels: {renamed: yes}"),
            "Inactive": webhook("Inactive", "status: inactive"),
        }
    )
    site.receiver.answer("/Gone", Answer(410))
    site.receiver.answer("/Slow", Answer(503))
    site.apply(
        **files,
        Inactive=webhook("Inactive", "status: inactive"),
        New=webhook("New", retry, "labels: {renamed: yes}").replace("/New", "/Old"),
    )
    site.send(site.write(3), "--wait", "0")
    site.take_in(3, 10)
    queue = SqliteQueue(site.store)
    queue.replay([one.id for one in queue.deliveries(Filter(webhook="Other")) if one.attempts], 1.0, as_planned=True)
    queue.close()
    path: Path = site.root / "base.db"
    with closing(sqlite3.connect(site.store)) as store, store:
        store.execute("INSERT INTO circuits VALUES ('Slow', 'open', 'it failed', 1.0, 2.0)")
        store.execute("PRAGMA writable_schema = ON")
        store.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'")
    shutil.copy(site.store, path)
    return path


def cells(path: Path) -> list[tuple[str, str, int]]:
    """Each table and column, with the number of rows."""
    with closing(sqlite3.connect(path)) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: store.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608 - names of tables
        return [
            (name, row[1], counts[name])
            for name in tables
            if counts[name]
            for row in store.execute(f"PRAGMA table_info({name})")
        ]


def put(path: Path, table: str, column: str, row: int, value: object) -> set[str]:
    """Put a value into a cell. Gives the ids of the deliveries that it concerns: those that need no longer arrive."""
    with closing(sqlite3.connect(path)) as store, store:
        keys = [name for name, *_, is_key in _columns(store, table) if is_key] or ["rowid"]
        found = store.execute(f"SELECT {', '.join(keys)} FROM {table} LIMIT 1 OFFSET ?", (row,)).fetchone()  # noqa: S608 - as above
        where = " AND ".join(f"{key} IS ?" for key in keys)
        concerned = {
            "events": "SELECT id FROM deliveries WHERE event = ?",
            "deliveries": "SELECT id FROM deliveries WHERE seq = ?",
            "applied_webhooks": "SELECT id FROM deliveries WHERE webhook = ?",
            "holds": "SELECT id FROM deliveries WHERE webhook = ?",
            "circuits": "SELECT id FROM deliveries WHERE webhook = ?",
            "plans": "SELECT id FROM deliveries WHERE planned = ?",
        }.get(table, "SELECT id FROM deliveries WHERE 0 AND 1 IS ?")
        ids = {name for (name,) in store.execute(concerned, found[:1])}
        try:
            store.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *found))  # noqa: S608 - as above
        except (sqlite3.IntegrityError, OverflowError):
            assume(False)  # SQLite itself does not let such a row be
        return ids


def _columns(store: sqlite3.Connection, table: str) -> Iterator[tuple[str, int]]:
    for _, name, _, _, _, is_key in store.execute(f"PRAGMA table_info({table})"):
        yield name, is_key


COMMANDS = (
    ["doctor"],
    ["list"],
    ["list", "--format", "json"],
    ["show", "Siem"],
    ["plan"],
    ["deliveries", "list"],
    ["deliveries", "list", "--format", "json"],
    ["deliveries", "list", "--cause", "404", "--where", "data"],
    ["events", "list"],
    ["events", "list", "--unmatched", "--format", "json"],
    ["log"],
    ["backfill", "Slow", "--since", "2026-01-01", "--yes"],
    ["deliveries", "cancel", "--webhook", "Slow", "--yes"],
    ["deliveries", "resume", "Gone"],
)


@given(data=st.data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_damaged_cell_holds_up_nothing_else(site: Any, base: Path, data: st.DataObject) -> None:
    """Any value in any cell: each command ends with a message at worst, and deliveries of other rows arrive."""
    table, column, count = data.draw(st.sampled_from(cells(base)))
    row, value = data.draw(st.integers(0, count - 1)), data.draw(values)
    check_damage(site, base, (table, column, row, value))


@pytest.mark.parametrize("value", [-1000000000001.0, float("-inf")])
def test_a_time_before_any_possible_one_holds_up_nothing_else(site: Any, base: Path, value: float) -> None:
    check_damage(site, base, ("deliveries", "ready_at", 2, value))


def check_damage(site: Any, base: Path, cell: tuple[str, str, int, object]) -> None:
    """Put a value into a cell, run the commands, and look at what they print and what arrives."""
    table, column, row, value = cell
    for left in site.store.parent.glob("hookctl.db*"):
        left.unlink()
    shutil.copy(base, site.store)
    with closing(sqlite3.connect(site.store)) as store:
        waiting = {
            name
            for (name,) in store.execute(
                "SELECT id FROM deliveries WHERE webhook IN ('Other', 'Siem') AND ready_at IS NOT NULL"
            )
        }
    concerned = put(site.store, table, column, row, value)
    site.receiver.requests.clear()
    commands = [
        *COMMANDS,
        ["deliveries", "show", min(waiting)],
        ["send", site.write(2, 20), "--wait", "0"],
        ["apply", "--auto-approve"],
    ]
    ended = [site.run_cli(*command, cwd=site.root, env=site.env) for command in commands]
    assert [one.exit_code for one in ended if one.exit_code not in {0, 1}] == [], ended
    assert [one.stderr for one in ended if "Traceback" in one.stderr] == []
    if table == "table_versions":  # how the tables are built is not known any more
        return
    arrived = {one.header("webhook-id") for one in site.receiver.requests}
    assert waiting - concerned <= arrived
    new = {one.path for one in site.receiver.requests if b'"e20"' in one.body}
    assert {f"/{name}" for name in DELIVERED_TO} <= new or table in {"applied_webhooks", "holds", "circuits"}


def test_a_damaged_delivery_plan_is_named_and_the_others_go_on(site: Any, base: Path) -> None:
    """Its deliveries wait, neither cancelled nor sent, until it is applied again."""
    shutil.copy(base, site.store)
    with closing(sqlite3.connect(site.store)) as store, store:
        waiting = {
            name
            for (name,) in store.execute("SELECT id FROM deliveries WHERE webhook = 'Siem' AND ready_at IS NOT NULL")
        }
        store.execute("UPDATE applied_webhooks SET document = replace(document, 'Siem', 'Evil') WHERE name = 'Siem'")
    site.receiver.requests.clear()

    def run(*command: str) -> Any:
        return site.run_cli(*command, cwd=site.root, env=site.env)

    doctor = run("doctor")
    assert doctor.exit_code == 1
    assert "Siem cannot be read: its delivery plan does not match its digest" in doctor.stdout
    for command in (["list"], ["send", os.devnull, "--wait", "0"]):
        assert "The applied webhook Siem cannot be read" in run(*command).stderr
    assert "Siem" in run("plan").stdout
    assert not waiting & {one.header("webhook-id") for one in site.receiver.requests}
    assert {one.path for one in site.receiver.requests} >= {"/Other"}
    assert {status.value for (name, one, _), status in site.stored().items() if one in waiting} == {"waiting"}
    assert run("apply", "--auto-approve").exit_code == 0
    run("send", os.devnull, "--wait", "0")
    assert waiting <= {one.header("webhook-id") for one in site.receiver.requests}
    assert "cannot be read" not in run("list").stderr


def test_doctor_names_a_damaged_row_and_what_to_do(site: Any, base: Path) -> None:
    shutil.copy(base, site.store)
    with closing(sqlite3.connect(site.store)) as store, store:
        store.execute("UPDATE events SET document = '{' WHERE id = 'e10'")
        store.execute("UPDATE deliveries SET status = 'unheard-of' WHERE seq = 1")
        store.execute("UPDATE attempts SET record = '{}' WHERE seq = 2")
    doctor = site.run_cli("doctor", cwd=site.root, env=site.env)
    assert doctor.exit_code == 1
    for named in (
        "events 4: document",
        "status contains a value",
        "attempts 2: record",
        "Have its publisher send it again",
    ):
        assert named in doctor.stdout
