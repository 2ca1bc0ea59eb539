"""Several workers at the same time, as on several hosts: claims, counts, dead workers, wake-ups and clocks."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any

import psycopg
import pytest
from tests.postgres_server import Server, schema_of
from tests.store.postgres.conftest import Open
from tests.store.test_contract import LEASE, NOW, claim, claimed_ids, result, routed

from hookctl.model import DeliveryStatus
from hookctl.store.opening import open_store as open_url
from hookctl.store.postgres import finishing, workers
from hookctl.store.postgres import queue as queues
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.records import Batch, Outcome

PATIENCE = 20.0
Query = Callable[..., list[tuple[Any, ...]]]
CLAIM_AND_HANG = """
import sys, time
from hookctl.store.opening import open_store
claims = open_store(sys.argv[1]).claim(1_800_000_001.0, 10, 3600.0, {"A": 10})
print(len(claims), flush=True)
time.sleep(60)
"""


def test_workers_at_the_same_time_make_each_delivery_once(open_store: Open) -> None:
    """Each takes events in, of which many come in everywhere, claims and finishes, and counts attempts meanwhile."""
    stores = [open_store() for _ in range(4)]

    def work(number: int) -> list[str]:
        store, done = stores[number], list[str]()
        for turn in range(12):
            events = [routed(f"shared-{turn}-{one}", "A", "B") for one in range(5)] + [routed(f"{number}-{turn}", "A")]
            batch = Batch(now=NOW, events=events, wanted={"A": 2, "B": 2}, limit=3, lease_seconds=LEASE)
            claims = store.submit(batch).result().claims
            assert store.finish([result(one) for one in claims], NOW) == set()
            done += [one.delivery.id for one in claims]
            store.count_attempts(NOW, 10)
        return done

    with ThreadPoolExecutor(len(stores)) as pool:
        done = [name for names in pool.map(work, range(len(stores))) for name in names]
    first = stores[0]
    while claims := first.claim(NOW, 50, LEASE, {"A": 50, "B": 50}):
        first.finish([result(one) for one in claims], NOW)
        done += [one.delivery.id for one in claims]
    expected = [f"shared-{turn}-{one}-{name}" for turn in range(12) for one in range(5) for name in "AB"]
    expected += [f"{number}-{turn}-A" for number in range(4) for turn in range(12)]
    assert Counter(done) == Counter(expected)
    assert first.counts() == {
        "A": {DeliveryStatus.DELIVERED: 108},
        "B": {DeliveryStatus.DELIVERED: 60},
    }
    while (progress := first.count_attempts(NOW)).counted < progress.last:
        pass
    assert {name: one.succeeded for name, one in first.summaries().items()} == {"A": 108, "B": 60}


def test_an_attempt_that_is_committed_late_is_counted(open_store: Open) -> None:
    """Its number is lower than that of one that is counted before it is committed."""
    slow, fast = open_store(), open_store()
    fast.enqueue([routed("e1"), routed("e2", "B")], NOW)
    (early,), (late,) = claim(slow, wanted={"A": 1}), claim(fast)
    connection = slow._database._connected()
    connection.execute("BEGIN")
    assert (
        finishing.finish(
            connection, [result(early)], [finishing.row_of(result(early), NOW)], {}, now=NOW, owner=slow._worker
        )
        == set()
    )
    fast.finish([result(late)], NOW)
    assert fast.count_attempts(NOW).counted == 0
    connection.execute("COMMIT")
    assert fast.count_attempts(NOW).counted == 2
    assert {name: one.succeeded for name, one in fast.summaries().items()} == {"A": 1, "B": 1}


def test_what_a_killed_process_of_this_machine_had_claimed_is_free_at_once(
    open_store: Open, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "DEAD_WORKERS_SECONDS", 0.0)
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    with subprocess.Popen([sys.executable, "-c", CLAIM_AND_HANG, url], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        assert (claim(store), store.live_workers()) == ([], 1)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert claimed_ids(store) == ["e1-A"]


def test_a_worker_elsewhere_keeps_its_claims_until_its_lease_ends(open_store: Open, query: Query) -> None:
    store, other = open_store(), open_store()
    store.enqueue([routed("e1")], NOW)
    (claimed,) = claim(store)
    query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query <> ''")
    assert claim(other, NOW + LEASE + 1) == []  # its host's clock is a minute ahead, and the lease goes on
    assert store.finish([result(claimed)], NOW) == set()


@pytest.mark.parametrize("name", ["", "a", "a.1.2.3", f"{workers._place()}.x.1.2", "ä.1.2.3"])
def test_only_a_process_of_this_machine_is_known_to_have_ended(name: str) -> None:
    assert not workers.has_ended(name)
    assert not workers.has_ended(workers.new_name())
    place, pid, started, rest = workers.new_name().split(".")
    assert workers.has_ended(f"{place}.{pid}.{int(started) + 1}.{rest}")


# -- wake-ups


def test_a_runner_that_lost_its_connection_is_woken_again(open_store: Open, database: Server) -> None:
    store, woken = open_store(), Flag()
    with open_store().announce_runner(woken.set):
        assert store.wake_runners()
        assert woken.wait(PATIENCE)
        woken.clear()
        database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%runner'")
        assert woken.wait(PATIENCE)  # it looks whether it has missed anything
        woken.clear()
        assert store.wake_runners()
        assert woken.wait(PATIENCE)


def test_an_apply_wakes_runners(open_store: Open, delivery_plan: Callable[..., Any]) -> None:
    from hookctl.config.diff import make_plan

    store, runner, woken = open_store(), open_store(), Flag()
    with runner.announce_runner(woken.set):
        state = store.apply(make_plan(store.read_state(), {"A": delivery_plan("A")}, {}))
        assert woken.wait(PATIENCE)
        assert runner.read_state() == state


# -- clocks


def test_a_host_whose_clock_was_wrong_changes_only_what_it_set(open_store: Open) -> None:
    store = open_store()
    now = time.time()
    store.enqueue([routed("right"), routed("ahead")], now)
    for claimed, due_at, at in zip(claim(store, now + 1), (now + 7200, now + 90_000), (now, now + 86_400), strict=True):
        store.finish([result(claimed, Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=due_at))], at)
    store.clock_set(now - 86_400, now)  # it was a day behind
    store.clock_set(now + 86_400, now)  # and another one a day ahead
    due = {one.id: one.due_at for one in store.deliveries()}
    assert due == pytest.approx({"right-A": now + 7200, "ahead-A": now + 3600})


# -- what doctor reports


def found(store_url: str) -> str:
    from hookctl.store.opening import check_server

    return "\n".join(f"{one.message} | {one.hint}" for one in check_server(store_url))


def test_doctor_finds_nothing_in_a_new_store_but_the_version(open_store: Open, url: str) -> None:
    open_store()
    assert "PostgreSQL 18." in found(url).splitlines()[0]


def test_doctor_finds_what_slows_a_store_down(
    open_store: Open, url: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hookctl.store.postgres import checks

    monkeypatch.setattr(checks, "OLD_SECONDS", 0)
    monkeypatch.setattr(checks, "SPARE_CONNECTIONS", 1000)
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    holder = open_store()
    schema = schema_of(url)
    connection = holder._database._connected()
    with connection.transaction():
        connection.execute("SELECT pg_current_xact_id()")
        query(f"DROP INDEX {schema}.live_ready")
        report = found(url)
    assert "so vacuum cannot remove what was delivered" in report
    assert f"pg_terminate_backend({connection.info.backend_pid})" in report
    assert "the table live lacks 1 of its indexes" in report
    assert "autovacuum is off" in report  # as the tests' server has it
    assert "this host's clock is" in report
    assert "the server has room for" in report


def test_doctor_as_a_user_that_may_not_see_what_others_do(
    url: str, database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hookctl that is not an administrator finds the old transactions of others, too, and the limits of its own."""
    from hookctl.store.postgres import checks

    monkeypatch.setattr(checks, "OLD_TRANSACTIONS", -1)
    schema, mine = schema_of(url), url.replace("hookctl@", "plain@")
    database.execute("CREATE ROLE plain LOGIN CONNECTION LIMIT 3")
    try:
        database.execute(f"CREATE SCHEMA {schema} AUTHORIZATION plain")
        open_url(mine).close()
        with psycopg.connect(url.partition("?")[0]) as other:
            other.execute("SELECT pg_current_xact_id()")
            report = found(mine)
            assert "a transaction of hookctl has been open while" in report
            assert f"Look for process {other.info.backend_pid} in pg_stat_activity" in report
            assert "hookctl's user has room for 2 more connections" in report
            database.execute("GRANT pg_read_all_stats TO plain")
            monkeypatch.setattr(checks, "OLD_SECONDS", -1)
            assert f"pg_terminate_backend({other.info.backend_pid})" in found(mine)
            assert "has been open while" not in found(mine)
    finally:
        database.execute(f"DROP SCHEMA {schema} CASCADE")
        database.execute("DROP ROLE plain")


def test_doctor_finds_bloat(open_store: Open, url: str, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookctl.store.postgres import checks

    monkeypatch.setattr(checks, "DEAD_ROWS", 50)
    store: PostgresStore = open_store()
    store.enqueue([routed(f"e{number}") for number in range(100)], NOW)
    store.finish([result(one) for one in claim(store)], NOW)
    query("SELECT pg_stat_force_next_flush()")
    store._database.disconnect()  # which has it report what it did
    deadline = time.monotonic() + PATIENCE
    while "the table live has 200 dead rows" not in (report := found(url)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "the table live has 200 dead rows beside 0 live ones, and was never vacuumed" in report


def test_the_hot_statements_use_indexes_only(open_store: Open) -> None:
    from hookctl.store.postgres import claiming, finishing, reading

    connection = open_store()._database._connected()
    lease = {"owner": "w", "until": 1.0, "seconds": 1.0, "clock": None}
    claiming_values = lease | {"webhooks": ["A"], "most": [5], "limit": 5, "now": 1.0}
    kinds = {"seconds": [1.0], "due_at": [1.0], "started_at": [1.0], "delivered": [True], "key": [1], "lease": [1]}
    finish_values = {name: kinds.get(name, ["x"]) for name in finishing.COLUMNS} | {"attempts": [1]}
    for statement, values in (
        (claiming.CLAIM, claiming_values),
        (finishing.FINISH, finish_values | {"now": 1.0, "owner": "w"}),
        (reading.READY, {}),
    ):
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", values).fetchall())
        assert "Seq Scan" not in plan, plan
        assert "Index Scan using live_" in plan or "Index Only Scan using live_ready" in plan
        assert "live_owned" not in plan  # which has everything that a worker has claimed
