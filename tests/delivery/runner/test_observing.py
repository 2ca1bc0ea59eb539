"""Observers on threads: none delays a delivery, none delays another, and what one misses is said."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from hookctl.delivery.runner.observing import Observers
from hookctl.model import Attempt, Delivery, DeliveryStatus, Timing
from hookctl.plugin.interfaces import Observer

PATIENCE = 10.0


def news(number: int, status: DeliveryStatus = DeliveryStatus.DELIVERED) -> tuple[Delivery, Attempt]:
    delivery = Delivery(f"d{number}", f"e{number}", "Siem", status, 1, 0.0, "", 0.0)
    attempt = Attempt(
        plan_digest="digest", number=1, started_at=0.0, request=None, response=None, failure=None, timing=Timing()
    )
    return delivery, attempt


class Watching:
    """Keeps what an observer is told, and may be made to wait."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.started, self.go = threading.Event(), threading.Event()
        self.go.set()

    def ended(self, delivery: Delivery) -> None:
        self.started.set()
        self.go.wait(PATIENCE)
        self.told.append(delivery.id)


@pytest.fixture
def make_observers() -> Callable[..., Observers]:
    def make(max_behind: int = 100, **watching: Watching) -> Observers:
        return Observers([Observer(name=name, ended=one.ended) for name, one in watching.items()], max_behind)

    return make


def test_each_is_told_of_everything_in_order(make_observers: Callable[..., Observers]) -> None:
    first, second = Watching(), Watching()
    observers = make_observers(first=first, second=second)
    for number in range(20):
        observers.notify([news(2 * number), news(2 * number + 1)])
    observers.close(PATIENCE)
    assert first.told == second.told == [f"d{number}" for number in range(40)]


def test_the_end_of_a_delivery_that_is_tried_again_is_not_notified(make_observers: Callable[..., Observers]) -> None:
    watching = Watching()
    observers = make_observers(watching=watching)
    observers.notify([news(1, DeliveryStatus.RETRYING), news(2, DeliveryStatus.DEAD)])
    observers.close(PATIENCE)
    assert watching.told == ["d2"]


def test_a_slow_one_delays_no_other_and_misses_what_it_is_too_far_behind_for(
    make_observers: Callable[..., Observers], caplog: pytest.LogCaptureFixture
) -> None:
    slow, quick = Watching(), Watching()
    slow.go.clear()
    observers = make_observers(max_behind=3, slow=slow, quick=quick)
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            observers.notify([news(number)])
            while quick.told[-1:] != [f"d{number}"]:  # it is told while the slow one still waits
                assert slow.told == []
        slow.go.set()
        observers.close(PATIENCE)
    assert slow.told == ["d0", "d1", "d2"]
    assert quick.told == ["d0", "d1", "d2", "d3", "d4"]
    assert caplog.messages == [
        "observer slow misses attempts: it is too slow",
        "observer slow missed 2 attempts: it had fallen behind",
    ]


def test_closing_does_not_wait_for_one_that_hangs(
    make_observers: Callable[..., Observers], caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Watching()
    hanging.go.clear()
    observers = make_observers(hanging=hanging)
    observers.notify([news(1), news(2)])
    assert hanging.started.wait(PATIENCE)
    observers.close(grace=0.01)
    assert caplog.messages == ["observer hanging missed 2 attempts: it was too slow"]
    hanging.go.set()


def test_without_a_thread_it_is_said(
    make_observers: Callable[..., Observers], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    observers = make_observers(watching=Watching())
    observers.notify([news(1)])
    observers.close(grace=0.01)
    assert caplog.messages == ["observer watching misses attempts: no thread could be started for it"]


def test_each_is_closed_once_after_everything_else() -> None:
    told: list[str] = []
    go = threading.Event()

    def ended(delivery: Delivery) -> None:
        go.wait(PATIENCE)
        told.append(delivery.id)

    observers = Observers([Observer(name="one", ended=ended, close=lambda: told.append("closed"))])
    observers.notify([news(1), news(2)])
    threading.Timer(0.05, go.set).start()
    observers.close(PATIENCE)
    assert told == ["d1", "d2", "closed"]


def test_one_that_does_not_close_in_time_or_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    def wait() -> None:
        go.wait(PATIENCE)

    def fail() -> None:
        raise ValueError

    observers = Observers([Observer(name="slow", close=wait), Observer(name="bad", close=fail)])
    observers.close(0.05)
    go.set()
    assert sorted(caplog.messages) == [
        "observer bad raised ValueError. Deliveries continue. Further failures of this kind are not logged.",
        "observer slow was not closed: it was too slow",
    ]
