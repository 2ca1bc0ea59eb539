"""Events that other threads leave for the runner: they are stored with its commits, and claimed in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.delivery.runner.runner import Runner
from hookctl.errors import StoreError
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Event, Json
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Batch, Committed, Routed
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.receiver import Receiver

PATIENCE = 20.0


class Inbox:
    """Leaves events, and keeps what it learns of them."""

    def __init__(self) -> None:
        self.left: list[Event] = []
        self.results: list[Any] = []

    @property
    def has_events(self) -> bool:
        return bool(self.left)

    def take(self) -> Sequence[Event]:
        taken, self.left = self.left, []
        return taken

    def stored(self, routed: Sequence[Routed], is_new: Sequence[bool]) -> None:
        self.results += [(one.event.id, new) for one, new in zip(routed, is_new, strict=True)]

    def failed(self) -> None:
        self.results.append("failed")


class Site:
    def __init__(self, queue: SqliteQueue, inbox: Inbox, runner: Runner, mock: Mapping[str, Json]) -> None:
        self.queue, self.inbox, self.runner, self.mock = queue, inbox, runner, mock

    def leave(self, *names: str) -> None:
        self.inbox.left += [Event(name, "anomaly", 1.0, {**self.mock, "id": name}) for name in names]

    def step_until(self, done: Callable[[], object]) -> None:
        limit = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < limit
            with suppress(StoreError):
                self.runner.step(0.01)

    def statuses(self) -> dict[str, DeliveryStatus]:
        return {one.event_id: one.status for one in self.queue.deliveries()}


@pytest.fixture
def start(
    tmp_path: Path,
    receiver: Receiver,
    plugins: Plugins,
    mock_event: Mapping[str, Json],
    make_plan: Callable[..., DeliveryPlan],
) -> Iterator[Callable[..., Site]]:
    queue, runners = SqliteQueue(tmp_path / "hookctl.db"), []
    applied = AppliedState(1, {"Siem": make_plan()})

    def begin(**options: Any) -> Site:
        runner = Runner(
            queue=queue,
            engine=AttemptEngine(plugins, receiver.network(), "hookctl/test"),
            plugins=plugins,
            read_state=lambda: applied,
            **options,
        )
        runners.append(runner)
        site = Site(queue, Inbox(), runner, mock_event)
        runner.take_from(site.inbox)
        return site

    yield begin
    for runner in runners:
        runner.stop(0.0)
    queue.close()


def test_they_are_stored_and_delivered(start: Callable[..., Site], receiver: Receiver) -> None:
    site = start()
    site.leave("e1", "e2")
    site.step_until(lambda: site.inbox.results)
    assert site.inbox.results == [("e1", True), ("e2", True)]
    site.leave("e3", "e1")
    site.step_until(lambda: len(receiver.requests) == 3)
    assert site.inbox.results[2:] == [("e3", True), ("e1", False)]
    site.step_until(lambda: set(site.statuses().values()) == {DeliveryStatus.DELIVERED})
    assert set(site.statuses()) == {"e1", "e2", "e3"}


def test_they_are_claimed_in_the_commit_that_stores_them(
    start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = start()
    batches: list[Batch] = []
    submit = site.queue.submit

    def noting(batch: Batch) -> Future[Committed]:
        batches.append(batch)
        return submit(batch)

    monkeypatch.setattr(site.queue, "submit", noting)
    site.leave("e1")
    site.step_until(lambda: site.statuses().get("e1") is DeliveryStatus.DELIVERED)
    assert [(len(batch.events), len(batch.results)) for batch in batches] == [(1, 0), (0, 1)]


def test_a_store_without_room_refuses_them_and_still_records_results(
    start: Callable[..., Site], receiver: Receiver
) -> None:
    site = start(store_limits=StoreLimits(max_waiting=1))
    site.leave("e1")
    site.step_until(lambda: receiver.requests)
    site.leave("e2", "e3")
    site.step_until(lambda: "failed" in site.inbox.results)
    site.step_until(lambda: site.statuses()["e1"] is DeliveryStatus.DELIVERED)
    assert site.inbox.results == [("e1", True), "failed"]
    assert set(site.statuses()) == {"e1"}


def test_a_commit_that_fails_is_reported(start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    site = start()

    def fails(_: Batch) -> Committed:
        raise StoreError("the disk has failed")

    with monkeypatch.context() as patch:
        patch.setattr(site.queue, "_commit", fails)
        site.leave("e1")
        site.step_until(lambda: site.inbox.results)
    assert site.inbox.results == ["failed"]
    site.leave("e1")
    site.step_until(lambda: site.statuses().get("e1") is DeliveryStatus.DELIVERED)


def test_without_an_inbox_every_event_that_was_taken_is_decided(start: Callable[..., Site]) -> None:
    site = start()
    site.leave("e1")
    site.runner.step(0.0)
    site.runner.take_from(None)
    site.leave("e2")
    site.runner.step(0.0)
    assert site.inbox.results == [("e1", True)]
    assert site.inbox.has_events
