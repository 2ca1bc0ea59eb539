"""Refused credentials hold a webhook; nothing dies; the hold ends once the cause is fixed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.holds import CHECK_SECONDS
from hookctl.delivery.runner.listener import Listener
from hookctl.delivery.runner.runner import STATE_SECONDS, Runner
from hookctl.delivery.runner.sending import deliver
from hookctl.errors import SecretError
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Event, Json, Status
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import SecretSource
from hookctl.store.clock import since_boot
from hookctl.store.records import Filter, Hold
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver
from hookctl.testing.tokens import PATH, TokenEndpoint

MakePlan = Callable[..., DeliveryPlan]
PATIENCE = 20.0
OLD, NEW = "canary-old-7d1f", "canary-new-90ab"


class Site:
    """A store, an applied webhook and runners on it. The receiver accepts one key."""

    def __init__(self, directory: Path, receiver: Receiver, plugins: Plugins, mock: Mapping[str, Json]) -> None:
        self.directory, self.receiver, self.plugins, self.mock = directory, receiver, plugins, mock
        self.queue = SqliteQueue(directory / "hookctl.db", self.monotonic)
        self.applied = AppliedState()
        self.passed = 0.0
        """Seconds that have passed on every clock."""
        self.key, self.refusal = OLD, 401
        self.news: list[str] = []
        self.keys_seen: list[str] = []
        self._runners: list[Runner] = []
        receiver.answer("/ingest", self._respond)

    def _respond(self, request: ReceivedRequest) -> Answer:
        key = (request.header("Authorization") or "").removeprefix("Bearer ")
        self.keys_seen.append(key)
        return Answer(200 if key == self.key else self.refusal)

    def monotonic(self) -> float:
        return since_boot() + self.passed

    def apply(self, plan: DeliveryPlan) -> None:
        self.applied = AppliedState(self.applied.serial + 1, {plan.name: plan})

    def runner(self, plugins: Plugins | None = None) -> Runner:
        plugins = plugins or self.plugins
        runner = Runner(
            queue=self.queue,
            engine=AttemptEngine(plugins, self.receiver.network(), "hookctl/test"),
            plugins=plugins,
            read_state=lambda: self.applied,
            listener=Listener(
                held=lambda webhook, reason: self.news.append(f"{webhook} held: {reason}"),
                resumed=lambda webhook: self.news.append(f"{webhook} resumed"),
            ),
            clock=lambda: time.time() + self.passed,
            monotonic=self.monotonic,
            jitter=lambda: 0.0,
        )
        self._runners.append(runner)
        return runner

    def accept(self, runner: Runner, first: int, count: int) -> None:
        names = [f"e{number}" for number in range(first, first + count)]
        runner.accept([Event(name, "anomaly", 1.0, {**self.mock, "id": name}) for name in names])

    def work(self, runner: Runner, wait: float = 0.0) -> None:
        limit = time.monotonic() + PATIENCE
        deliver(runner, self.queue, wait=wait, stopping=lambda: time.monotonic() > limit, progress=lambda: None)
        assert time.monotonic() <= limit

    def work_until(self, runner: Runner, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit
            runner.step(0.05)

    def counts(self) -> Mapping[DeliveryStatus, int]:
        return self.queue.counts().get("Siem", {})

    def hold(self) -> Hold | None:
        return self.queue.holds().get("Siem")

    def close(self) -> None:
        for runner in self._runners:
            runner.stop(0.0)
        self.queue.close()


@pytest.fixture
def site(tmp_path: Path, receiver: Receiver, plugins: Plugins, mock_event: Mapping[str, Json]) -> Iterator[Site]:
    site = Site(tmp_path, receiver, plugins, mock_event)
    yield site
    site.close()


@pytest.fixture
def siem(make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> DeliveryPlan:
    """A webhook whose key is in the environment, and whose deliveries have one attempt."""
    monkeypatch.setenv("KEY", OLD)
    return make_plan(auth=({"type": "bearer", "token": "${env:KEY}"},), retry_schedule=())


@pytest.mark.parametrize("status", [401, 403])
def test_a_rotated_key_kills_nothing_and_a_runner_with_the_new_one_delivers(
    site: Site, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    site.apply(siem)
    runner = site.runner()
    site.accept(runner, 0, 10)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DELIVERED: 10}
    site.key, site.refusal = NEW, status  # rotated at the target
    site.accept(runner, 10, 200)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DELIVERED: 10, DeliveryStatus.HELD: 200}
    assert len(site.keys_seen) <= 10 + 64  # none was tried twice, and nothing was started after the first answer
    assert {one.attempts for one in site.queue.deliveries(Filter(statuses=frozenset({DeliveryStatus.HELD})))} <= {0, 1}
    tried = next(
        one for one in site.queue.deliveries(Filter(statuses=frozenset({DeliveryStatus.HELD}))) if one.attempts
    )
    assert tried.reason.startswith(f"the webhook is held: HTTP {status}")
    assert site.news[0].startswith(f"Siem held: HTTP {status}")
    site.accept(runner, 210, 5)  # while it is held
    again = site.runner()  # with the same key
    site.work(again)
    assert (len(site.keys_seen), site.counts()[DeliveryStatus.HELD]) == (len(site.keys_seen), 205)
    assert site.hold() is not None
    seen = len(site.keys_seen)
    site.work(again)
    assert len(site.keys_seen) == seen
    monkeypatch.setenv("KEY", NEW)
    site.work(site.runner())
    assert site.counts() == {DeliveryStatus.DELIVERED: 215}
    assert site.hold() is None


def test_a_running_runner_notices_a_changed_file_and_reads_it_again(
    site: Site, make_plan: MakePlan, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    site.apply(with_file(make_plan, file))
    site.key = NEW
    runner = site.runner()
    site.accept(runner, 0, 100)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.HELD: 100}
    assert site.hold() is not None
    seen = len(site.keys_seen)
    site.passed += CHECK_SECONDS + 1
    for _ in range(20):
        runner.step(0.01)
    assert (len(site.keys_seen), site.counts()) == (seen, {DeliveryStatus.HELD: 100})
    file.unlink()  # as some tools replace a file
    site.passed += CHECK_SECONDS + 1
    for _ in range(20):
        runner.step(0.01)
    assert site.hold() is not None
    file.write_text(NEW)
    site.passed += CHECK_SECONDS + 1
    site.work_until(runner, lambda: site.counts() == {DeliveryStatus.DELIVERED: 100})
    assert site.news[-1] == "Siem resumed"
    assert set(site.keys_seen[seen:]) == {NEW}


def with_file(make_plan: MakePlan, file: Path) -> DeliveryPlan:
    file.write_text(OLD)
    return make_plan(auth=({"type": "bearer", "token": f"${{file:{file}}}"},), retry_schedule=())


def test_after_a_resume_secrets_are_read_again(site: Site, make_plan: MakePlan, tmp_path: Path) -> None:
    site.apply(with_file(make_plan, tmp_path / "key"))
    site.key = NEW
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    (tmp_path / "key").write_text(NEW)
    assert site.queue.resume("Siem")
    site.work(runner)
    assert (site.counts(), site.keys_seen) == ({DeliveryStatus.DELIVERED: 1}, [OLD, NEW])


def test_a_runner_that_ends_a_hold_of_another_one_reads_the_secrets_again(
    site: Site, make_plan: MakePlan, tmp_path: Path
) -> None:
    site.apply(with_file(make_plan, tmp_path / "key"))
    first, second = site.runner(), site.runner()
    site.accept(first, 0, 1)
    site.work(first)
    site.key = NEW
    site.accept(second, 1, 1)
    site.work(second)
    assert site.keys_seen == [OLD, OLD]
    (tmp_path / "key").write_text(NEW)
    site.passed += CHECK_SECONDS + 1
    site.work_until(first, lambda: site.counts() == {DeliveryStatus.DELIVERED: 2})
    assert site.keys_seen == [OLD, OLD, NEW]


def test_secrets_are_compared_often_enough() -> None:
    assert 2 * CHECK_SECONDS + STATE_SECONDS < 30.0  # reading them may take as long again


def test_a_plugins_secret_that_changes_ends_the_hold(site: Site, make_plan: MakePlan, plugins: Plugins) -> None:
    vault = {"siem": OLD}

    def resolve(key: str) -> str:
        if key not in vault:
            raise SecretError(f"no secret {key}")
        return vault[key]

    source = SecretSource(scheme="vault", summary="A vault.", resolve=resolve)
    with_vault = replace(plugins, secret_sources={**plugins.secret_sources, "vault": source})
    site.apply(make_plan(auth=({"type": "bearer", "token": "${vault:siem}"},), retry_schedule=()))
    site.key = NEW
    runner = site.runner(with_vault)
    site.accept(runner, 0, 20)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.HELD: 20}
    vault["siem"] = NEW
    site.passed += CHECK_SECONDS + 1
    site.work_until(runner, lambda: site.counts() == {DeliveryStatus.DELIVERED: 20})


def test_a_wrong_new_key_holds_again_and_uses_up_no_attempt(
    site: Site, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.apply(siem)
    site.key = NEW
    for number in range(4):
        monkeypatch.setenv("KEY", f"wrong-{number}")
        runner = site.runner()
        if not number:
            site.accept(runner, 0, 1)
        site.work(runner)
        (delivery,) = site.queue.deliveries()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.HELD, 1)
    assert len(site.keys_seen) == 4
    monkeypatch.setenv("KEY", NEW)
    site.work(site.runner())
    assert site.counts() == {DeliveryStatus.DELIVERED: 1}


def test_the_store_has_no_secret_and_a_different_digest_each_time(site: Site, siem: DeliveryPlan) -> None:
    site.apply(siem)
    site.key = NEW
    digests = set()
    for number in range(2):
        runner = site.runner()
        site.accept(runner, number, 1)
        site.work(runner)
        hold = site.hold()
        assert hold is not None
        assert hold.secrets
        digests.add(hold.secrets)
        site.queue.resume("Siem")
    assert len(digests) == 2
    assert all(OLD.encode() not in file.read_bytes() for file in site.directory.iterdir() if file.is_file())


def test_an_apply_that_changes_the_webhook_ends_the_hold_and_any_other_does_not(
    site: Site, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", NEW)
    site.apply(siem)
    site.key = NEW
    runner = site.runner()
    site.accept(runner, 0, 3)
    site.work(runner)
    seen = len(site.keys_seen)
    site.apply(siem)
    site.passed += 2 * STATE_SECONDS
    site.work(runner)
    assert (site.counts(), len(site.keys_seen)) == ({DeliveryStatus.HELD: 3}, seen)
    site.apply(replace(siem, auth=(replace(siem.auth[0], settings={"token": "${env:OTHER}"}),)))
    site.passed += 2 * STATE_SECONDS
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DELIVERED: 3}
    assert site.hold() is None


def test_a_refusal_of_what_an_apply_has_replaced_holds_nothing_and_kills_nothing(
    site: Site, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers to requests of the old plan come after the apply that fixes it."""
    monkeypatch.setenv("OTHER", NEW)
    site.key = NEW
    arrived: list[str] = []

    def slow(request: ReceivedRequest) -> Answer:
        key = (request.header("Authorization") or "").removeprefix("Bearer ")
        arrived.append(key)
        return Answer(200) if key == NEW else Answer(401, delay=1.0)

    site.receiver.answer("/ingest", slow)
    site.apply(siem)
    runner = site.runner()
    site.accept(runner, 0, 5)
    site.work_until(runner, lambda: arrived == [OLD] * 5)
    site.apply(replace(siem, auth=(replace(siem.auth[0], settings={"token": "${env:OTHER}"}),)))
    site.passed += 2 * STATE_SECONDS
    site.work_until(runner, lambda: site.counts() == {DeliveryStatus.DELIVERED: 5})
    assert site.hold() is None
    assert site.news == []


def test_a_hold_that_another_process_sees_late_does_not_outlive_the_apply(site: Site, siem: DeliveryPlan) -> None:
    """A process that has not seen an apply reports a refusal: what the apply has changed is tried again instead."""
    site.apply(siem)
    site.key = NEW
    runner = site.runner()
    site.accept(runner, 0, 1)
    other = SqliteQueue(site.directory / "hookctl.db", site.monotonic)
    other.reconcile(AppliedState(7, {"Siem": replace(siem, labels={"fixed": "yes"})}))
    site.work_until(runner, lambda: bool(site.keys_seen) and not runner.in_flight)
    assert site.hold() is None
    (delivery,) = other.deliveries()
    other.close()
    assert delivery.status in {DeliveryStatus.RETRYING, DeliveryStatus.WAITING}


def test_a_delivery_that_is_cancelled_during_the_refusal_stays_cancelled(site: Site, siem: DeliveryPlan) -> None:
    def slow(request: ReceivedRequest) -> Answer:
        site.keys_seen.append(request.path)
        return Answer(401, delay=0.5)

    site.receiver.answer("/ingest", slow)
    site.apply(siem)
    runner = site.runner()
    site.accept(runner, 0, 2)
    site.work_until(runner, lambda: len(site.keys_seen) == 2)
    newest = site.queue.deliveries()[0]
    site.queue.cancel([newest.id], time.time(), "not wanted")
    site.work(runner)
    assert site.counts() == {DeliveryStatus.CANCELLED: 1, DeliveryStatus.HELD: 1}


def test_a_replay_as_planned_holds_nothing(site: Site, siem: DeliveryPlan) -> None:
    """It shows nothing about the webhook that is applied now."""
    site.apply(siem)
    site.key = NEW
    site.refusal = 404
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DEAD: 1}
    site.refusal = 401
    runner.replay([one.id for one in site.queue.deliveries()], as_planned=True)
    site.work(runner)
    assert (site.counts(), site.hold()) == ({DeliveryStatus.DEAD: 1}, None)


def test_gone_kills_one_delivery_and_holds_the_others(site: Site, siem: DeliveryPlan) -> None:
    site.apply(replace(siem, max_in_flight=1))
    site.key, site.refusal = NEW, 410
    runner = site.runner()
    site.accept(runner, 0, 5)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DEAD: 1, DeliveryStatus.HELD: 4}
    site.refusal = 200
    assert site.queue.resume("Siem")
    site.work(runner)
    assert site.counts() == {DeliveryStatus.DEAD: 1, DeliveryStatus.DELIVERED: 4}


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ("delivered", {DeliveryStatus.DELIVERED: 1}),
        ("hold", {DeliveryStatus.HELD: 1}),
        ("dead", {DeliveryStatus.DEAD: 1}),
    ],
)
def test_the_webhooks_outcomes_decide(
    site: Site, siem: DeliveryPlan, outcome: str, counts: Mapping[DeliveryStatus, int]
) -> None:
    site.apply(replace(siem, outcomes={"404": outcome}))
    site.key, site.refusal = NEW, 404
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    assert site.counts() == counts
    assert runner.tally.dead.total() == counts.get(DeliveryStatus.DEAD, 0)
    assert runner.tally.held.total() == counts.get(DeliveryStatus.HELD, 0)


def test_removing_or_renaming_a_held_webhook_ends_its_hold(site: Site, siem: DeliveryPlan) -> None:
    site.apply(siem)
    site.key = NEW
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    assert site.hold() is not None
    site.queue.reconcile(AppliedState(9, {}))
    assert site.queue.holds() == {}
    assert site.counts() == {DeliveryStatus.CANCELLED: 1}


def test_a_hold_of_an_older_store_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(connect(path)) as connection:
        migrate(connection, tables.COMPONENT, tables.SCRIPTS[:3])
        connection.execute("INSERT INTO suspensions VALUES ('A', 3, 'suspended until the next apply: HTTP 410 Gone')")
    with closing(SqliteQueue(path)) as queue:
        hold = queue.holds()["A"]
        assert (hold.reason, hold.plan, hold.secrets) == ("HTTP 410 Gone", "", "")
        assert abs(hold.since - time.time()) < 60


# -- tokens


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint("c", OLD)


def tokens(make_plan: MakePlan, site: Site, endpoint: TokenEndpoint) -> DeliveryPlan:
    site.receiver.answer(PATH, endpoint.answer)
    auth: dict[str, Any] = {"type": "oauth2", "client_id": "c", "client_secret": "${env:KEY}"}
    return make_plan(auth=({**auth, "token_url": "https://login.example.com/oauth/token"},), retry_schedule=())


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_is_refreshed_once_before_the_webhook_is_held(
    site: Site, make_plan: MakePlan, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("KEY", OLD)
    plan = tokens(make_plan, site, endpoint)
    site.receiver.answer("/ingest", lambda request: Answer(200 if endpoint.accepts(request) else status))
    site.apply(plan)
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    endpoint.revoke_all()
    site.accept(runner, 1, 1)
    site.work(runner)
    assert (site.counts(), endpoint.issued) == ({DeliveryStatus.DELIVERED: 2}, 2)
    site.receiver.answer("/ingest", Answer(status))
    site.accept(runner, 2, 1)
    site.work(runner)
    assert (site.counts()[DeliveryStatus.HELD], endpoint.issued) == (1, 3)


def test_a_token_endpoint_that_refuses_the_client_holds_the_webhook(
    site: Site, make_plan: MakePlan, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "wrong-client-secret")
    site.apply(tokens(make_plan, site, endpoint))
    runner = site.runner()
    site.accept(runner, 0, 30)
    site.work(runner)
    assert site.counts() == {DeliveryStatus.HELD: 30}
    hold = site.hold()
    assert hold is not None
    assert hold.reason == "token: the token endpoint answered 401: invalid_client"
    monkeypatch.setenv("KEY", OLD)
    site.receiver.answer("/ingest", Answer())
    site.work(site.runner())
    assert site.counts() == {DeliveryStatus.DELIVERED: 30}


def test_a_token_endpoint_that_fails_holds_nothing(
    site: Site, make_plan: MakePlan, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", OLD)
    plan = tokens(make_plan, site, endpoint)
    site.receiver.answer(PATH, Answer(503))
    site.apply(replace(plan, retry_schedule=(60.0,), status=Status.ACTIVE))
    runner = site.runner()
    site.accept(runner, 0, 1)
    site.work(runner)
    assert (site.counts(), site.hold()) == ({DeliveryStatus.RETRYING: 1}, None)
