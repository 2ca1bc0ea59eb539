"""What the store may hold: limits from hookctl.toml, refusals, and what is forgotten when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookctl.delivery.runner.retention import (
    PRUNE_EVENTS,
    PRUNE_SECONDS,
    PRUNE_SOON_SECONDS,
    Retention,
    StoreLimits,
    store_limits,
    why_full,
)
from hookctl.errors import IntakeRefusedError, SettingsError
from hookctl.model import Event
from hookctl.store.records import Fullness, NewDelivery, Routed
from hookctl.store.sqlite.queue import SqliteQueue

DAY = 86_400.0
NOW = 1_800_000_000.0


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "queue.db")
    yield queue
    queue.close()


def fill(queue: SqliteQueue, count: int, at: float, *, waiting: bool, size: int = 10) -> None:
    """Events whose deliveries are dead from the start, or wait."""
    because = "" if waiting else "its when fails"
    names = [f"{at}-{number}" for number in range(count)]
    queue.enqueue(
        [
            Routed(Event(name, "anomaly", at, {"id": name, "x": "x" * size}), (NewDelivery(name, "A", because),))
            for name in names
        ],
        at,
    )


def retention_of(queue: SqliteQueue, limits: StoreLimits) -> tuple[Retention, Clock]:
    clock = Clock(NOW)
    return Retention(queue, limits, clock, clock), clock


def test_settings() -> None:
    assert store_limits({}, {}) == StoreLimits()
    found = store_limits({"age": "12h", "size": "1.5GB"}, {"max_waiting": 5000, "min_free": "20 MB"})
    assert found == StoreLimits(max_age=12 * 3600, max_bytes=1.5e9, max_waiting=5000, min_free_bytes=20e6)


@pytest.mark.parametrize(
    ("retention", "intake", "named"),
    [
        ({"age": "30"}, {}, "retention.age must be a duration, not '30'"),
        ({"size": "20"}, {}, "retention.size must be a size"),
        ({"age": "9" * 5000 + "d"}, {}, "retention.age must be a duration, not '9999"),
        ({"size": "9" * 5000 + "GB"}, {}, "retention.size must be a size, not '9999"),
        ({}, {"min_free": "20MiB"}, "intake.min_free must be a size"),
    ],
)
def test_settings_that_are_none(retention: dict[str, Any], intake: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        store_limits(retention, intake)
    assert named in caught.value.message


def test_why_a_store_is_full() -> None:
    limits = StoreLimits(max_waiting=10, min_free_bytes=5e6)
    assert why_full(Fullness(9, 0, 5_000_000), limits) == ("", "")
    waiting, fewer = why_full(Fullness(10, 0, 5_000_000), limits)
    assert waiting == "10 deliveries are waiting; the limit is 10"
    assert "intake.max_waiting" in fewer
    scarce, free = why_full(Fullness(9, 0, 4_000_000), limits)
    assert scarce == "4 MB are free on its disk, and 5 MB must stay free"
    assert "larger disk" in free


def test_with_too_little_left_on_the_disk_nothing_is_taken_in(queue: SqliteQueue) -> None:
    retention, _ = retention_of(queue, StoreLimits(min_free_bytes=1e18))
    with pytest.raises(
        IntakeRefusedError, match="MB are free on its disk, and 1,000,000,000,000 MB must stay free"
    ) as caught:
        retention.admit()
    assert (caught.value.fits, caught.value.retry_after > 0) == (0, True)
    assert queue.free_bytes() == pytest.approx(queue.fullness().free_bytes, rel=0.1)


def test_what_is_over_is_forgotten_by_age_a_little_at_a_time(queue: SqliteQueue) -> None:
    retention, clock = retention_of(queue, StoreLimits())
    fill(queue, PRUNE_EVENTS + 10, NOW - 31 * DAY, waiting=False)
    fill(queue, 5, NOW - 31 * DAY + 1, waiting=True)
    fill(queue, 5, NOW - 29 * DAY, waiting=False)
    retention.prune()
    assert len(queue.deliveries()) == 20
    retention.prune()
    assert len(queue.deliveries()) == 20  # not yet
    clock.now += PRUNE_SOON_SECONDS
    retention.prune()
    assert len(queue.deliveries()) == 10
    clock.now += 2 * DAY
    retention.prune()
    assert {one.status.value for one in queue.deliveries()} == {"waiting"}


def test_what_is_over_is_forgotten_by_size_the_oldest_first(queue: SqliteQueue) -> None:
    fill(queue, 400, NOW - 200, waiting=True, size=2000)
    used = queue.fullness().used_bytes
    retention, clock = retention_of(queue, replace(StoreLimits(), max_bytes=used + 100_000))
    for age in (190, 180):
        fill(queue, PRUNE_EVENTS, NOW - age, waiting=False, size=2000)
    for _ in range(3):
        retention.prune()
        clock.now += PRUNE_SECONDS
    assert queue.fullness().used_bytes <= used + 100_000
    assert {one.status.value for one in queue.deliveries()} == {"waiting"}
    assert len(queue.deliveries()) == 400
