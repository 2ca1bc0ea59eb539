"""Lanes: what may block, on threads that wait for one another only where they must."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hookctl.delivery.attempt.failures import AttemptFailedError
from hookctl.delivery.attempt.threads import Call, Lanes
from hookctl.model import FailureKind

PATIENCE = 10.0


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def lanes(woken: threading.Event) -> Iterator[Lanes]:
    lanes = Lanes(woken.set, limit=4)
    yield lanes
    assert lanes.close()


def never(value: Any) -> None:
    raise AssertionError(value)


def call(
    function: Callable[[], Any],
    done: Callable[[Any], None] = never,
    failed: Callable[[AttemptFailedError], None] = never,
) -> Call:
    return Call("the test", function, done, failed)


def wait_for(lanes: Lanes, woken: threading.Event, condition: Callable[[], bool]) -> None:
    while not condition():
        assert woken.wait(PATIENCE)
        woken.clear()
        lanes.finish()


def test_one_lane_keeps_its_order_and_never_overlaps(lanes: Lanes, woken: threading.Event) -> None:
    running = threading.Lock()
    done: list[int] = []

    def one(number: int) -> int:
        assert running.acquire(blocking=False)
        running.release()
        return number

    for number in range(50):
        lanes.run("lane", call(lambda number=number: one(number), done.append))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    wait_for(lanes, woken, lambda: len(done) == 50)
    assert done == list(range(50))


def test_a_stuck_lane_holds_up_no_other(lanes: Lanes, woken: threading.Event) -> None:
    release = threading.Event()
    done: list[str] = []
    lanes.run("stuck", call(lambda: release.wait(PATIENCE), lambda _: done.append("stuck")))
    lanes.run("stuck", call(lambda: None, lambda _: done.append("behind it")))
    lanes.run("free", call(lambda: None, lambda _: done.append("free")))
    wait_for(lanes, woken, lambda: "free" in done)
    assert done == ["free"]
    release.set()
    wait_for(lanes, woken, lambda: len(done) == 3)
    assert done == ["free", "stuck", "behind it"]


def test_results_are_handed_out_on_the_thread_that_asks(lanes: Lanes, woken: threading.Event) -> None:
    threads: list[tuple[threading.Thread, threading.Thread]] = []
    lanes.run(
        "lane", call(threading.current_thread, lambda ran_on: threads.append((ran_on, threading.current_thread())))
    )
    wait_for(lanes, woken, lambda: bool(threads))
    assert threads[0][0] is not threading.main_thread()
    assert threads[0][1] is threading.main_thread()


@pytest.mark.parametrize("error", [RuntimeError("secret words"), SystemExit(1)])
def test_what_a_call_raises_is_a_failure(lanes: Lanes, woken: threading.Event, error: BaseException) -> None:
    failures: list[AttemptFailedError] = []

    def fail() -> None:
        raise error

    lanes.run("lane", call(fail, failed=failures.append))
    wait_for(lanes, woken, lambda: bool(failures))
    assert failures[0].failure.kind is FailureKind.PLUGIN
    assert failures[0].failure.message == f"the test raised {type(error).__name__}"
    done: list[int] = []
    lanes.run("lane", call(lambda: 1, done.append))
    wait_for(lanes, woken, lambda: bool(done))


def test_close_makes_no_further_call(woken: threading.Event) -> None:
    lanes = Lanes(woken.set, limit=1)
    started, release = threading.Event(), threading.Event()
    made: list[str] = []

    def first() -> None:
        started.set()
        release.wait(PATIENCE)
        made.append("first")

    lanes.run("lane", call(first, lambda _: None))
    lanes.run("lane", call(lambda: made.append("second"), lambda _: None))
    assert started.wait(PATIENCE)
    closer = threading.Timer(0.05, release.set)
    closer.start()
    assert lanes.close()
    closer.join()
    assert made == ["first"]


def test_a_lane_tells_since_when_it_is_at_work(lanes: Lanes, woken: threading.Event) -> None:
    started, release = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(PATIENCE)

    done: list[Any] = []
    assert lanes.since("lane") is None
    before = time.monotonic()
    lanes.run("lane", call(work, done.append))
    assert started.wait(PATIENCE)
    since = lanes.since("lane")
    assert since is not None
    assert before <= since <= time.monotonic()
    release.set()
    wait_for(lanes, woken, lambda: bool(done))


def test_no_thread_to_be_had_is_a_local_failure(
    lanes: Lanes, woken: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    failures: list[AttemptFailedError] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        lanes.run("lane", call(lambda: 1, failed=failures.append))
        wait_for(lanes, woken, lambda: bool(failures))
    assert failures[0].failure.kind is FailureKind.LOCAL
    done: list[int] = []
    lanes.run("lane", call(lambda: 1, done.append))
    wait_for(lanes, woken, lambda: bool(done))
