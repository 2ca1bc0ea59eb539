"""The applied state: replaced whole, by a plan that starts from it, or not at all."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from hookctl.config.diff import make_plan, to_document
from hookctl.errors import StalePlanError, StateError, StateLockedError, StoreError
from hookctl.model import AppliedState, DeliveryPlan, Plan, Rename
from hookctl.store.sqlite.applied import COMPONENT, SCRIPTS, AppliedStore
from hookctl.store.sqlite.connection import connect, transaction
from hookctl.store.sqlite.migrations import migrate

Build = Callable[..., DeliveryPlan]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "hookctl.db"


def planned(store: AppliedStore, *desired: DeliveryPlan) -> Plan:
    return make_plan(store.read(), {plan.name: plan for plan in desired}, {"hookctl": "1"})


def test_nothing_applied_and_no_file(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    assert store.read() == AppliedState(0, {})
    store.check(planned(store, delivery_plan()))
    assert not path.parent.exists()


def test_what_is_applied_is_read_back(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    first = store.apply(
        planned(store, delivery_plan("A"), delivery_plan("B"), delivery_plan("C", labels={"ü": "\u2028"}))
    )
    assert (
        first
        == store.read()
        == AppliedState(
            1,
            {
                plan.name: plan
                for plan in (delivery_plan("A"), delivery_plan("B"), delivery_plan("C", labels={"ü": "\u2028"}))
            },
        )
    )
    second = store.apply(
        planned(
            store, delivery_plan("B", timeout_seconds=2.5), delivery_plan("C"), delivery_plan("D", timeout_seconds=3)
        )
    )
    assert (
        second
        == store.read()
        == AppliedState(
            2,
            {
                plan.name: plan
                for plan in (
                    delivery_plan("B", timeout_seconds=2.5),
                    delivery_plan("C"),
                    delivery_plan("D", timeout_seconds=3),
                )
            },
        )
    )
    assert not planned(store, *second.plans.values()).has_changes


def test_renames_are_remembered_by_serial(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan("A"), delivery_plan("B", timeout_seconds=2)))
    state = store.apply(planned(store, delivery_plan("a"), delivery_plan("New", timeout_seconds=2)))
    assert state.plans == {plan.name: plan for plan in (delivery_plan("New", timeout_seconds=2), delivery_plan("a"))}
    state = store.apply(planned(store, delivery_plan("A", timeout_seconds=9), delivery_plan("B", timeout_seconds=2)))
    assert state.plans == {
        plan.name: plan for plan in (delivery_plan("A", timeout_seconds=9), delivery_plan("B", timeout_seconds=2))
    }
    assert state.renames == (
        Rename(2, "A", "a", is_taken=True),
        Rename(2, "B", "New", is_taken=True),
        Rename(3, "New", "B"),
        Rename(3, "a", "A"),
    )
    created = store.apply(planned(store, *state.plans.values(), delivery_plan("New", timeout_seconds=5)))
    assert created.renames[2:] == (Rename(3, "New", "B", is_taken=True), Rename(3, "a", "A"))
    assert store.read() == created


def test_a_store_of_a_hookctl_that_knew_no_renames(path: Path, delivery_plan: Build) -> None:
    connection = connect(path)
    migrate(connection, COMPONENT, SCRIPTS[:1])
    connection.execute(
        "INSERT INTO applied_webhooks VALUES (?, ?, ?)",
        ("A", delivery_plan("A").digest, delivery_plan("A").canonical().decode()),
    )
    connection.execute("INSERT INTO applies VALUES (4, 0, 'ada', '')")
    connection.close()
    store = AppliedStore(path)
    assert store.read() == AppliedState(4, {"A": delivery_plan("A")})
    assert store.apply(planned(store, delivery_plan("B"))).renames == (Rename(5, "A", "B"),)


def test_each_apply_is_remembered(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    started = time.time()
    plans = []
    for number in (1, 2):
        plans.append(planned(store, delivery_plan(timeout_seconds=number)))
        store.apply(plans[-1], applied_by="ada@example")
    connection = connect(path)
    rows = connection.execute(
        "SELECT serial, applied_by, plan_digest, applied_at FROM applies ORDER BY serial"
    ).fetchall()
    connection.close()
    assert [row[:3] for row in rows] == [(number, "ada@example", plan.digest) for number, plan in enumerate(plans, 1)]
    assert started <= rows[0][3] <= rows[1][3] <= time.time()


def test_a_plan_is_applied_once(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    plan = planned(store, delivery_plan())
    store.apply(plan, applied_by="ada@example")
    for refuse in (store.apply, store.check):
        with pytest.raises(
            StalePlanError,
            match=r"starts from serial 0, and the applied state is now at serial 1, applied by ada@example at 2\d{3}-",
        ):
            refuse(plan)
    assert store.read().serial == 1


def test_a_plan_is_stale_after_a_change_and_its_way_back(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan()))
    plan = planned(store, delivery_plan(timeout_seconds=3))
    for seconds in (9, 15):
        store.apply(planned(store, delivery_plan(timeout_seconds=seconds)))
    assert store.read().plans == {delivery_plan().name: delivery_plan()}
    for refuse in (store.check, store.apply):
        with pytest.raises(StalePlanError, match="starts from serial 1, and the applied state is now at serial 3"):
            refuse(plan)


def test_a_plan_for_another_store_of_the_same_serial_is_stale(tmp_path: Path, delivery_plan: Build) -> None:
    one, other = AppliedStore(tmp_path / "one.db"), AppliedStore(tmp_path / "other.db")
    one.apply(planned(one, delivery_plan("A")))
    other.apply(planned(other, delivery_plan("B")))
    with pytest.raises(StalePlanError):
        other.apply(planned(one, delivery_plan("C")))
    with pytest.raises(StalePlanError, match="is empty"):
        AppliedStore(tmp_path / "third.db").check(planned(one, delivery_plan("C")))
    assert not (tmp_path / "third.db").exists()
    assert set(other.read().plans) == {"B"}


def test_a_protected_webhook_is_not_removed(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan("Vital", protected=True)))
    removal = planned(store)
    for refuse in (store.check, store.apply):
        with pytest.raises(StateError, match="protected webhook Vital"):
            refuse(removal)
    store.apply(planned(store, delivery_plan("Vital", protected=False)))
    assert store.apply(planned(store)).plans == {}


def test_reading_a_store_that_holds_other_tables(path: Path) -> None:
    connection = connect(path)
    migrate(connection, "queue", ["CREATE TABLE events (id);"])
    connection.close()
    assert AppliedStore(path).read() == AppliedState()


def test_reading_does_not_wait_for_a_writer(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    state = store.apply(planned(store, delivery_plan()))
    writer = connect(path)
    with transaction(writer):
        writer.execute("DELETE FROM applied_webhooks")
        assert store.read() == state
        writer.execute("ROLLBACK")
        writer.execute("BEGIN")
    writer.close()


def test_an_apply_while_another_holds_the_store(
    path: Path, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AppliedStore(path)
    state = store.apply(planned(store, delivery_plan()))
    plan = planned(store, delivery_plan("B"))
    monkeypatch.setattr("hookctl.store.sqlite.connection.connect.__kwdefaults__", {"busy_seconds": 0.05})
    writer = connect(path)
    with transaction(writer), pytest.raises(StateLockedError, match="busy"):
        store.apply(plan)
    writer.close()
    assert store.read() == state


def edit(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("digest = 'x'", {"Siem"}),
        ("digest = NULL", {"Siem"}),
        ("document = replace(document, 'siem.example.com', 'evil.example.com')", {"Siem"}),
        ("document = '{'", {"Siem"}),
        ("document = x'ff'", {"Siem"}),
        ("""document = '{"format": 2}'""", {"Siem"}),
        ("name = 'Other'", {"Siem", "Other"}),
        ("name = x'00ff'", {"Siem"}),
    ],
)
def test_a_damaged_delivery_plan_is_named_and_the_others_are_read(
    path: Path, delivery_plan: Build, change: str, names: set[str]
) -> None:
    """An apply of all files puts it right, and one of another webhook alone leaves it as it is."""
    store = AppliedStore(path)
    plans = delivery_plan(), delivery_plan("Well")
    store.apply(planned(store, *plans))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'applied_webhooks'"
        )
    edit(path, f"UPDATE applied_webhooks SET {change} WHERE name = 'Siem'")  # noqa: S608 - of the list above
    state = store.read()
    assert set(state.plans) == {"Well"}
    assert set(state.unreadable) == names
    assert state.plans["Well"] == plans[1]
    other = make_plan(state, {"Well": delivery_plan("Well", timeout_seconds=1)}, {}, only=["Well"])
    assert set(store.apply(other).unreadable) == names
    repaired = store.apply(planned(store, *plans))
    assert (set(repaired.plans), dict(repaired.unreadable), repaired.is_edited) == ({"Siem", "Well"}, {}, False)
    assert store.read() == repaired


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ("{", {"Siem"}),
        ("[]", {"Siem"}),
        ("[" * 100_000, {"Siem"}),
        ('{"format":1}', {"Siem"}),
        ('{"format":1,"name":"Other"}', {"Siem", "Other"}),
        ('{"format":1,"labels":{"name":"Siem"},"name":"Other"}', {"Siem", "Other"}),
        ('{"format":1,"name":{"name":"Siem"}}', {"Siem"}),
    ],
)
def test_a_document_that_matches_its_digest_but_is_not_the_plan_of_its_row(
    path: Path, delivery_plan: Build, document: str, names: set[str]
) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan(), delivery_plan("Well")))
    digest = sha256(document.encode()).hexdigest()
    edit(path, "UPDATE applied_webhooks SET document = ?, digest = ? WHERE name = 'Siem'", document, digest)
    state = store.read()
    assert (set(state.plans), set(state.unreadable)) == ({"Well"}, names)


def test_a_damaged_delivery_plan_without_a_file_goes_with_the_next_apply(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan(), delivery_plan("Well")))
    edit(path, "UPDATE applied_webhooks SET document = '' WHERE name = 'Siem'")
    state = store.apply(planned(store, delivery_plan("Well")))
    assert (set(state.plans), dict(state.unreadable)) == ({"Well"}, {})


def test_a_delivery_plan_of_another_version_is_refused(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan()))
    document = '{"format":2,"name":"Siem"}'
    edit(path, "UPDATE applied_webhooks SET document = ?, digest = ?", document, sha256(document.encode()).hexdigest())
    with pytest.raises(StoreError, match="format 2, but this hookctl reads 1"):
        store.read()


def test_a_store_without_a_table(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan()))
    edit(path, "DROP TABLE applies")
    with pytest.raises(StoreError, match="cannot be used"):
        store.read()


def test_of_many_applies_at_once_exactly_one_wins(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan("Base")))
    plans = [planned(store, delivery_plan("Base"), delivery_plan(f"Mine{number}")) for number in range(6)]
    gate = threading.Barrier(len(plans))
    results: list[AppliedState | StateError] = []

    def run(plan: Plan) -> None:
        gate.wait()
        try:
            results.append(AppliedStore(path).apply(plan))
        except StateError as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [result for result in results if isinstance(result, AppliedState)]
    assert winner.serial == 2
    assert all(isinstance(result, StalePlanError) for result in results if result is not winner)
    assert store.read() == winner


CHILD = """
import json, os, signal, sys
from pathlib import Path
from hookctl.store.sqlite.applied import AppliedStore; from hookctl.store.sqlite import applied as state
from hookctl.config.diff import read_plan

plan, statements = read_plan(Path(sys.argv[2]).read_text()), int(sys.argv[3])
original = AppliedStore._connection

class Deadly:
    def __init__(self, connection): self.connection, self.left = connection, statements
    def __getattr__(self, name): return getattr(self.connection, name)
    def execute(self, *args):
        if not self.left: os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        return self.connection.execute(*args)

from contextlib import contextmanager
@contextmanager
def deadly(self):
    with original(self) as connection: yield Deadly(connection)

AppliedStore._connection = deadly
print(AppliedStore(Path(sys.argv[1])).apply(plan).serial)
"""


def test_a_kill_at_any_statement_leaves_the_old_state_or_the_new(
    path: Path, tmp_path: Path, delivery_plan: Build
) -> None:
    store = AppliedStore(path)
    old = store.apply(planned(store, *(delivery_plan(f"Hook {number}") for number in range(4))))
    plan = planned(store, *(delivery_plan(f"Hook {number}", timeout_seconds=9) for number in range(1, 6)))
    new = AppliedState(2, {change.name: change.after for change in plan.changes if change.after})
    saved = tmp_path / "plan.json"
    saved.write_text(json.dumps(to_document(plan)))
    killed = 0
    for statements in range(60):
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(path), str(saved), str(statements)],
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode == -signal.SIGKILL:
            killed += 1
            assert store.read() == old
        else:
            assert (child.returncode, child.stdout, child.stderr) == (0, "2\n", "")
            break
    assert killed >= 10
    assert store.read() == new
    store.apply(planned(store, delivery_plan("After")))


def test_it_is_known_that_something_else_has_changed_the_state(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    store.apply(planned(store, delivery_plan("A"), delivery_plan("B", url="x")))
    assert not store.read().is_edited
    connection = connect(path)
    connection.execute("DELETE FROM applied_webhooks WHERE name = 'A'")
    connection.close()
    assert store.read() == AppliedState(1, {"B": delivery_plan("B", url="x")}, is_edited=True)
    assert not store.apply(planned(store, delivery_plan("B", url="x"))).is_edited
    assert not store.read().is_edited
