"""A runner that is woken by a producer in another process, instead of looking for work at intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

import hookctl
from hookctl.config.diff import make_plan as make_change
from hookctl.delivery.attempt import engine
from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner import sending
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.wakeup import Wakeup
from hookctl.model import DeliveryPlan, Json
from hookctl.plugin.calls import Plugins
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

PATIENCE = 20.0


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hookctl.db'}"


@pytest.fixture
def running(
    url: str,
    receiver: Receiver,
    plugins: Plugins,
    make_plan: Callable[..., DeliveryPlan],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Wakeup]:
    """A runner that by itself looks for work only once an hour; gives its wakeup."""
    monkeypatch.setattr(sending, "PAUSE", 3600.0)
    monkeypatch.setattr(engine, "WATCH", 3600.0)
    store = hookctl.open_store(url)
    plan = make_plan(body_template='{"id": "{{ id }}"}', timeout_seconds=60.0)
    store.apply(make_change(store.read_state(), {"Siem": plan}, {}))
    runner = Runner(
        queue=store,
        engine=AttemptEngine(plugins, receiver.network(), "hookctl/test"),
        plugins=plugins,
        read_state=store.read_state,
    )
    stopping = Flag()

    def work() -> None:
        with store.announce_runner(runner.wakeup.ask):
            sending.run(runner, stopping=stopping.is_set, failed=lambda _: None, recovered=lambda _: None)
        runner.stop(0.0)
        store.close()

    thread = Thread(target=work)
    thread.start()
    other = hookctl.open_store(url)
    wait_for(other.has_runner)
    other.close()
    yield runner.wakeup
    stopping.set()
    runner.wakeup.ask()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_an_idle_runner_is_woken_for_each_batch(
    url: str, running: Wakeup, receiver: Receiver, mock_event: Mapping[str, Json]
) -> None:
    with hookctl.open_queue(url) as queue:
        for number in range(1, 6):
            queue.enqueue([{**mock_event, "id": f"e{number}"}])
            wait_for(lambda number=number: receiver.count == number)  # type: ignore[misc]
    wait_for(lambda: not running.is_asked)


@pytest.mark.usefixtures("running")
def test_a_runner_that_waits_for_a_slow_target_is_woken(
    url: str, receiver: Receiver, mock_event: Mapping[str, Json]
) -> None:
    receiver.default = Answer(delay=PATIENCE)
    with hookctl.open_queue(url) as queue:
        for number in range(1, 6):
            queue.enqueue([{**mock_event, "id": f"e{number}"}])
            wait_for(lambda number=number: receiver.count == number)  # type: ignore[misc]


def test_asking_ends_a_sleep_and_is_noted_until_the_runner_looks() -> None:
    woken: list[Any] = []
    wakeup = Wakeup(lambda: woken.append(None))
    assert not wakeup.is_asked
    wakeup.ask()
    assert (wakeup.is_asked, len(woken)) == (True, 1)
    wakeup.sleep(3600.0)
    wakeup.note_look()
    assert not wakeup.is_asked
