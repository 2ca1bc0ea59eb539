"""Threads that make calls: as many as needed, none idle for long, and what happens when the machine has none left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hookctl import threads
from hookctl.threads import Pool

PATIENCE = 10.0
NAME = "test-pool"


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(NAME, limit=4)
    yield pool
    assert pool.close()
    assert alive() == []


def test_there_are_no_more_threads_than_the_limit(pool: Pool) -> None:
    for number in range(3):
        ended = threading.Event()
        pool.run(number, ended.set)
        assert ended.wait(PATIENCE)
    started, release = threading.Semaphore(0), threading.Event()

    def work() -> None:
        started.release()
        release.wait(PATIENCE)

    for number in range(10):
        pool.run(number % 3, work)
    for _ in range(3):
        assert started.acquire(timeout=PATIENCE)
    assert not started.acquire(timeout=0.05), "one call of each key at a time"
    assert len(alive()) <= 4
    release.set()
    for _ in range(7):
        assert started.acquire(timeout=PATIENCE)


def test_a_thread_makes_call_after_call(pool: Pool) -> None:
    ran_on = []
    for number in range(20):
        ended = threading.Event()

        def work(ended: threading.Event = ended) -> None:
            ran_on.append(threading.current_thread())
            ended.set()

        pool.run(number, work)
        assert ended.wait(PATIENCE)
    assert len(set(ran_on)) <= 10  # a call may come before the thread of the last has said that it is free


def test_a_thread_without_work_ends(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.01)
    ran_on = []
    for _ in range(2):
        ended = threading.Event()

        def work(ended: threading.Event = ended) -> None:
            ran_on.append(threading.current_thread())
            ended.set()

        pool.run("a", work)
        assert ended.wait(PATIENCE)
        ran_on[-1].join(PATIENCE)
        assert alive() == []
    assert len(set(ran_on)) == 2


def test_without_any_thread_the_call_is_refused_and_forgotten(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            pool.run("a", lambda: made.append("refused"))
    ended = threading.Event()
    pool.run("a", ended.set)
    assert ended.wait(PATIENCE)
    assert made == []


def test_with_one_thread_left_all_calls_are_made_by_it(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    started, release, ended = threading.Event(), threading.Event(), threading.Semaphore(0)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def first() -> None:
        started.set()
        release.wait(PATIENCE)

    pool.run("first", first)
    assert started.wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for key in "abc":
            pool.run(key, ended.release)
        release.set()
        for _ in range(3):
            assert ended.acquire(timeout=PATIENCE)


def test_closing_does_not_wait_for_what_hangs() -> None:
    pool, started, release = Pool(NAME), threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        release.wait(PATIENCE)

    pool.run("a", hang)
    assert started.wait(PATIENCE)
    assert not pool.close(grace=0.01)
    pool.run("b", hang)
    release.set()
    for thread in alive():
        thread.join(PATIENCE)
    assert alive() == []
