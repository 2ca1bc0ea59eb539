"""A store on a server whose machine, disk, network or clock fails while workers are at it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.faults.conftest import HERE
from tests.faults.test_processes import deliver_later
from tests.postgres_server import BIN, NOBODY, PLACE, PREFIX, Server, schema_of, server
from tests.postgres_watchdog import remove
from tests.relay import AtStatement, Relay
from tests.store.test_contract import NOW, claim, result, routed

from hookctl.model import DeliveryStatus
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.postgres.workers import new_name
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest

pytestmark = pytest.mark.one_store("postgresql", "only a server has these faults")

ROUNDS = 8 if "KILLS" in os.environ else 1
"""`make soak` has more of what is random."""
AFTER_THE_LEASE = 70.0
"""Seconds."""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def database() -> Server:
    return server()


@pytest.fixture
def relay(database: Server) -> Iterator[Relay]:
    relay = Relay(database.port)
    yield relay
    relay.close()


@pytest.fixture
def start(site: Any) -> Iterator[Start]:
    """Starts hookctl as on another host, whose clock may be ahead; kills what is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*argv: str, ahead: float = 0.0, root: Path | None = None, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(HERE / "host.py"), str(ahead), *argv]
        with (site.root / "output").open("a") as output:
            started.append(
                subprocess.Popen(
                    command,
                    cwd=root or site.root,
                    env=os.environ | site.env | env,
                    stdout=output,
                    stderr=output,
                    text=True,
                )
            )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def start_two(site: Any, start: Start) -> list[subprocess.Popen[str]]:
    """Two runners that have begun: one that cannot reach the server when it starts ends with an error."""
    runs = [start("run"), start("run")]
    site.wait_for(lambda: (site.root / "output").read_text().count(" applied ") >= len(runs))
    return runs


def wait_until_delivered(site: Any, count: int) -> None:
    def condition() -> bool:
        time.sleep(0.1)
        stored = site.stored()
        return len(stored) == count and set(stored.values()) == {DeliveryStatus.DELIVERED}

    site.wait_for(condition)


def stop(*processes: subprocess.Popen[str]) -> None:
    """End them as an operator would."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(60) for process in processes] == [0] * len(processes)


def all_of(count: int) -> set[str]:
    return {f"e{number}" for number in range(count)}


# -- the server ends


def test_a_server_that_is_killed_while_workers_use_it(site: Any, start: Start, database: Server) -> None:
    """With everything in its memory, twice, while events come in and two workers deliver."""
    site.receiver.default = Answer(delay=0.01)
    count = 150 * ROUNDS
    runs = start_two(site, start)
    intake = site.start_intake(0, count)
    for part in range(ROUNDS * 2):
        site.wait_for(lambda part=part: len(site.acknowledged) > 30 + part * 70)
        database.kill()
        database.start()
    assert site.wait(intake) == 0, site.output
    wait_until_delivered(site, count)
    stop(*runs)
    assert site.acknowledged == all_of(count)
    site.check_all_delivered()


def test_a_primary_whose_standby_takes_over(site: Any, webhook: Callable[..., str], start: Start) -> None:
    """It confirms commits that its standby has, is killed, and the URL names both."""
    primary = Server()
    standby = Server(standby_of=primary)
    try:
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        primary.execute("SELECT pg_reload_conf()")
        hosts = f"@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/"
        site.url = site.env["HOOKCTL_STORE"] = primary.url().replace(f"@127.0.0.1:{primary.port}/", hosts)
        site.apply(Siem=webhook("Siem"))
        site.receiver.default = Answer(delay=0.01)
        runs = start_two(site, start)
        intake = site.start_intake(0, 150)
        site.wait_for(lambda: len(site.acknowledged) > 50)
        primary.kill()
        standby.promote()
        assert site.wait(intake) == 0, site.output
        wait_until_delivered(site, 150)
        stop(*runs)
        assert site.acknowledged == all_of(150)
        site.check_all_delivered()
    finally:
        standby.close()
        primary.close()


# -- workers


def test_a_worker_of_another_host_is_killed(site: Any, start: Start) -> None:
    """Nobody knows that it has ended, so what it had claimed is free when its lease ends."""
    site.receiver.default = Answer(misbehave=Misbehavior.NO_ANSWER)
    site.take_in(5)
    other = start("run")
    site.wait_for(lambda: site.receiver.count == 5)
    other.kill()
    other.wait()
    site.receiver.default = Answer()
    deliver_later(site, 0.0)
    assert set(site.stored().values()) == {DeliveryStatus.WAITING}
    deliver_later(site, AFTER_THE_LEASE)
    site.check_all_delivered(acknowledged=all_of(5))
    assert set(site.received().values()) == {2}


def test_a_worker_that_is_cut_off_past_its_lease(site: Any, start: Start, relay: Relay) -> None:
    """Its requests succeed, but it cannot record that. Another one takes over; then it is back, and records nothing."""

    def cut_off(_: ReceivedRequest) -> Answer:
        if site.receiver.count >= 5:
            relay.is_open.clear()
        return Answer(delay=0.3)

    site.receiver.default = cut_off
    site.take_in(5)
    run = start("run", HOOKCTL_STORE=relay.url(site.url))
    site.wait_for(lambda: site.receiver.count == 5)
    time.sleep(0.5)
    assert set(site.stored().values()) == {DeliveryStatus.WAITING}
    site.receiver.default = Answer()
    deliver_later(site, AFTER_THE_LEASE)
    site.check_all_delivered(acknowledged=all_of(5))
    relay.is_open.set()
    site.take_in(1, 5)
    wait_until_delivered(site, 6)
    stop(run)
    assert {event: count for (_, _, event), count in site.received().items()} == dict.fromkeys(all_of(5), 2) | {"e5": 1}
    assert site.attempts() == 6


# -- the network


@pytest.mark.parametrize("is_sent", [False, True], ids=["before it is sent", "before the answer"])
def test_a_connection_that_is_reset_at_every_statement(site: Any, relay: Relay, is_sent: bool) -> None:
    """Of storing, claiming and recording, the commits included. Each event is stored, claimed and recorded once."""
    store = PostgresStore(parse(relay.url(site.url)))
    number, cut = 0, AtStatement(0, is_sent=is_sent)
    while cut.count >= number:
        number += 1
        names = [f"{number}-{one}" for one in range(2)]
        relay.cut_after = cut = AtStatement(number, is_sent=is_sent)
        assert store.enqueue([routed(name) for name in names], NOW) == [True, True]
        claims = claim(store)
        assert store.finish([result(one) for one in claims], NOW) == set()
        relay.cut_after = lambda _: None
        assert [one.delivery.event_id for one in claims] == names
        assert [len(store.attempts(one.delivery.id)) for one in claims] == [1, 1]
    assert number > 15
    assert store.counts() == {"A": {DeliveryStatus.DELIVERED: 2 * number}}
    store.close()


def test_connections_that_are_reset_again_and_again(site: Any, start: Start, relay: Relay) -> None:
    """At every statement in turn, before it is sent or before its answer, while events come in and are delivered."""
    moments = random.Random(None if "KILLS" in os.environ else 3)  # noqa: S311  # not secret
    count = 60 * ROUNDS
    resets = 0

    def reset(data: bytes) -> int | None:
        nonlocal resets
        if moments.random() > 0.04:
            return None
        resets += 1
        return AtStatement(1, is_sent=moments.random() < 0.5)(data)

    site.receiver.default = Answer(delay=0.01)
    site.env["HOOKCTL_STORE"] = relay.url(site.url)
    runs = [start("run"), start("run")]
    relay.cut_after = reset
    assert site.wait(site.start_intake(0, count)) == 0, site.output
    wait_until_delivered(site, count)
    relay.cut_after = lambda _: None
    stop(*runs)
    assert resets > 10
    assert site.acknowledged == all_of(count)
    site.check_all_delivered()


# -- the disk

SMALL = """
exec 3<&0
(cat <&3 >/dev/null; kill -9 0) &
mount -t tmpfs -o size=64m,mode=700$OWNER none "$DATA" && cd "$DATA" || exit 77
$AS "$BIN/initdb" -D . -U hookctl -A trust -E UTF8 --locale=C --no-sync --wal-segsize=1 >/dev/null || exit 78
while true; do
    $AS "$BIN/postgres" -D . -p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c log_min_messages=panic -c dynamic_shared_memory_type=mmap \
        -c shared_buffers=8MB -c min_wal_size=2MB -c max_wal_size=4MB 2>/dev/null
    sleep 0.1
done
"""
"""Mounts a small file system that only this process and its children see, and starts a server there again and again."""


class Small:
    """A server on a file system of its own with hardly any room, which is started again whenever it ends."""

    def __init__(self) -> None:
        if shutil.which("unshare") is None or shutil.which("setpriv") is None:
            pytest.skip("util-linux is not installed")
        is_root = os.geteuid() == 0
        self.data = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{new_name()}-", dir=PLACE))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        env = {
            "PATH": os.environ["PATH"],
            "BIN": str(BIN),
            "DATA": str(self.data),
            "PORT": str(self.port),
            "OWNER": f",uid={NOBODY},gid={NOBODY}" if is_root else "",
            "AS": f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"
            if is_root
            else "unshare -U --map-user=1000",
        }
        command = ["unshare", "-m" if is_root else "-rm", "sh", "-c", SMALL]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, env=env, start_new_session=True)
        while not self._answers():
            if self._process.poll() is not None:
                self.close()
                assert self._process.returncode != 78
                pytest.skip("this user may not mount a file system")
            time.sleep(0.05)

    def fill(self, left: int) -> None:
        """Leave so many bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            with suppress(OSError):  # it is full
                while True:
                    file.write(bytes(65536))
            file.truncate(file.tell() - left)

    def free(self) -> None:
        """Leave much again."""
        self._ballast.unlink()

    def close(self) -> None:
        self._process.communicate()
        remove(self.data)

    @property
    def _ballast(self) -> Path:
        return Path(f"/proc/{self._process.pid}/root{self.data}/ballast")

    def _answers(self) -> bool:
        with suppress(psycopg.Error), psycopg.connect(f"host=127.0.0.1 port={self.port} user=hookctl dbname=postgres"):
            return True
        return False


@pytest.fixture
def small() -> Iterator[Small]:
    small = Small()
    yield small
    small.close()


def test_a_disk_of_the_server_that_is_full(site: Any, webhook: Callable[..., str], start: Start, small: Small) -> None:
    """What was acknowledged by then arrives; nothing more is, until there is room again."""
    site.url = site.env["HOOKCTL_STORE"] = f"postgresql://hookctl@127.0.0.1:{small.port}/postgres"
    site.apply(Siem=webhook("Siem"))
    run = start("run", "--log", "json")
    assert site.wait(site.start_intake(0, 10)) == 0
    small.fill(left=500_000)
    assert site.wait(site.start_intake(10, 100_000)) != 0
    count = len(site.acknowledged)
    assert site.acknowledged == all_of(count)
    small.free()
    assert site.wait(site.start_intake(count, 10)) == 0, site.output
    wait_until_delivered(site, count + 10)
    stop(run)
    site.check_all_delivered()


# -- other transactions


def test_a_long_transaction_of_somebody_else(site: Any, start: Start, database: Server) -> None:
    """It reads the tables all the time, and locks a delivery that is to be recorded: its batch is recorded later."""
    site.receiver.default = Answer(delay=0.3)
    place = f"host=127.0.0.1 port={database.port} user=hookctl dbname=postgres"
    with psycopg.connect(place) as other:
        other.execute(f"SET search_path = {schema_of(site.url)}")
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*), pg_current_xact_id() FROM events, deliveries, attempts")
        run = start("run", "--log", "json")
        assert site.wait(site.start_intake(0, 40)) == 0
        wait_until_delivered(site, 40)
        other.rollback()
        site.take_in(10, 40)
        site.wait_for(lambda: site.receiver.count > 40)
        other.execute(f"SET search_path = {schema_of(site.url)}")
        other.execute("SELECT seq FROM live FOR UPDATE")
        site.wait_for(lambda: '"trouble"' in site.output)
        other.rollback()
        wait_until_delivered(site, 50)
    stop(run)
    site.check_all_delivered(acknowledged=all_of(50))
    assert set(site.received().values()) == {1}


def test_two_applies_on_two_hosts(site: Any, webhook: Callable[..., str], start: Start) -> None:
    """Both have a plan that starts from the same state. One is applied, and the other is refused."""
    hosts = {name: site.root / name for name in ("one", "two")}
    for turn in range(2 * ROUNDS):
        for name, root in hosts.items():
            (root / "webhooks.d").mkdir(parents=True, exist_ok=True)
            (root / "webhooks.d/Siem.yaml").write_text(webhook("Siem", f"description: {name} {turn}"), encoding="utf-8")
            assert start("plan", "--out", "plan.json", root=root).wait() in {0, 2}
        processes = [start("apply", "plan.json", "--auto-approve", root=root) for root in hosts.values()]
        codes = [process.wait() for process in processes]
        assert sorted(code == 0 for code in codes) == [False, True], site.output
        with site.open_store() as store:
            state = store.read_state()
        assert state.serial == turn + 2
        assert state.plans["Siem"].description == f"{[*hosts][codes.index(0)]} {turn}"


# -- clocks


@pytest.mark.parametrize(
    ("sending", "running"),
    [((300.0, -300.0), (0.0,)), ((0.0,), (300.0, -300.0)), ((0.0,), (-300.0,))],
    ids=["of events", "of workers", "of the only worker"],
)
def test_hosts_whose_clocks_differ_by_five_minutes(
    site: Any, webhook: Callable[..., str], start: Start, sending: tuple[float, ...], running: tuple[float, ...]
) -> None:
    """No delivery is claimed by two of them, none waits for a clock, and none is tried again before it is due."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [2s, 1h]}"))
    came: dict[str, list[float]] = {}

    def fail_sometimes(request: ReceivedRequest) -> Answer:  # seldom enough for the circuit to stay closed
        times = came.setdefault(request.header("webhook-id") or "", [])
        times.append(time.monotonic())
        return Answer(503) if len(times) == 1 and len(came) % 4 == 0 else Answer()

    site.receiver.default = fail_sometimes
    runs = [start("run", ahead=seconds) for seconds in running]
    site.wait_for(lambda: has_runner(site))
    sends = [start("send", site.write(20, 20 * place), ahead=seconds) for place, seconds in enumerate(sending)]
    count = 20 * len(sends)
    wait_until_delivered(site, count)
    assert {process.wait() for process in sends} <= {0, 1}  # 1 if something was still due when it ended
    stop(*runs)
    site.check_all_delivered(acknowledged=all_of(count))
    repeated = [times for times in came.values() if len(times) > 1]
    assert len(repeated) == count // 4
    assert all(second - first > 1.0 for first, second in repeated)  # a part of the delay is random


def has_runner(site: Any) -> bool:
    time.sleep(0.1)
    with site.open_store() as store:
        return bool(store.has_runner())
