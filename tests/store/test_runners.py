"""Runners that announce themselves, and processes that find and wake them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag

import pytest

import warm
from hookctl.config.diff import make_plan
from hookctl.errors import IntakeRefusedError
from hookctl.model import DeliveryPlan, DeliveryStatus, Event
from hookctl.store.interface import Store
from hookctl.store.records import Followed, NewDelivery, Routed
from hookctl.store.sqlite import runners

PATIENCE = 20.0
NOW = 1_800_000_000.0
ANNOUNCE = """
import sys, time
from pathlib import Path
from hookctl.store.sqlite import runners
import warm
with runners.announce(Path(sys.argv[1]), lambda: None):
    print("ready", flush=True)
    time.sleep(60)
"""


def routed(name: str, *webhooks: str) -> Routed:
    event = Event(name, "anomaly", NOW, {"id": name})
    return Routed(event, tuple(NewDelivery(f"{name}-{webhook}", webhook) for webhook in webhooks))


def test_a_store_has_a_runner_while_one_is_announced(open_store: Callable[[], Store]) -> None:
    runner, other, woken = open_store(), open_store(), Flag()
    assert not other.has_runner()
    assert not other.wake_runners()
    with runner.announce_runner(woken.set):
        assert other.has_runner()
        assert not woken.is_set()  # looking wakes nobody
        assert other.wake_runners()
        assert woken.wait(PATIENCE)
    assert not other.has_runner()
    assert not other.wake_runners()


def test_every_runner_is_woken_each_time(open_store: Callable[[], Store]) -> None:
    first, second, producer = Flag(), Flag(), open_store()
    with open_store().announce_runner(first.set), open_store().announce_runner(second.set):
        for _ in range(3):
            assert producer.wake_runners()
            assert first.wait(PATIENCE)
            assert second.wait(PATIENCE)
            first.clear()
            second.clear()


def test_the_serial_is_that_of_the_state(store: Store, delivery_plan: Callable[..., DeliveryPlan]) -> None:
    assert store.serial() == store.read_state().serial == 0
    made = delivery_plan("Siem")
    store.apply(make_plan(store.read_state(), {"Siem": made}, {}))
    assert store.serial() == store.read_state().serial == 1


def test_what_this_object_added_is_followed(open_store: Callable[[], Store]) -> None:
    store, other = open_store(), open_store()
    other.enqueue([routed("e0", "A")], NOW)
    store.enqueue([routed("e1", "A", "B"), routed("e2", "A")], NOW + 5)
    waiting = DeliveryStatus.WAITING
    counts = {"A": {waiting: 2}, "B": {waiting: 1}}
    assert store.followed() == Followed(counts, {"A": NOW + 5, "B": NOW + 5}, attempts=0, claimed=0)
    assert len(other.claim(NOW + 6, 10, 60.0, {"A": 10})) == 3
    assert store.followed().claimed == 2
    other.cancel(["e1-B"], NOW + 7, "no need")
    assert store.followed().due == {"A": NOW + 5}


def test_a_store_that_is_full_refuses_the_batch(store: Store) -> None:
    store.enqueue([routed("e0", "A")], NOW, max_waiting=2)
    with pytest.raises(IntakeRefusedError) as refused:
        store.enqueue([routed("e1", "A"), routed("e2", "A")], NOW, max_waiting=2)
    assert refused.value.fits == 1
    assert store.followed().counts == {"A": {DeliveryStatus.WAITING: 1}}


# -- named pipes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hookctl.db"


@pytest.fixture
def pipes(path: Path) -> Path:
    return path.with_name("hookctl.db-runners")


def test_only_its_user_can_enter_the_directory_and_nothing_is_left(path: Path, pipes: Path) -> None:
    with runners.announce(path, lambda: None):
        assert pipes.stat().st_mode & 0o777 == 0o700
        (pipe,) = pipes.iterdir()
        assert pipe.is_fifo()
        assert pipe.stat().st_mode & 0o777 == 0o600
    assert not pipes.exists()


def test_a_killed_runner_is_found_dead_and_its_pipe_deleted(path: Path, pipes: Path) -> None:
    process = warm.Popen([sys.executable, "-c", ANNOUNCE, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert runners.is_any_alive(path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not runners.is_any_alive(path)
    assert list(pipes.iterdir()) == []


def test_files_that_are_not_pipes_are_never_written_or_followed(path: Path, pipes: Path, tmp_path: Path) -> None:
    pipes.mkdir()
    target = tmp_path / "target"
    target.write_text("untouched")
    (pipes / ("a" * 16)).symlink_to(target)
    (pipes / ("b" * 16)).hardlink_to(target)
    assert not runners.wake(path)
    assert target.read_text() == "untouched"


def test_a_directory_that_is_a_link_is_not_entered(
    path: Path, pipes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "elsewhere").mkdir()
    pipes.symlink_to(tmp_path / "elsewhere")
    with runners.announce(path, lambda: None):
        assert list((tmp_path / "elsewhere").iterdir()) == []
        assert not runners.is_any_alive(path)
    assert "other processes cannot wake this runner" in caplog.text


def test_a_runner_that_does_not_read_does_not_block_those_that_wake_it(path: Path, pipes: Path) -> None:
    held, go_on = Flag(), Flag()

    def wake() -> None:
        held.set()
        go_on.wait(PATIENCE)

    with runners.announce(path, wake):
        runners.wake(path)
        assert held.wait(PATIENCE)
        (pipe,) = pipes.iterdir()
        writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while os.write(writer, bytes(4096)):
                pass
        os.close(writer)
        assert runners.wake(path)
        go_on.set()


def test_no_descriptor_and_no_thread_is_left(path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    for _ in range(3):
        with runners.announce(path, lambda: None):
            runners.wake(path)
    assert descriptors() == before
    assert not any(thread == "hookctl-wake" for thread in _threads())


def _threads() -> list[str]:
    import threading

    limit = time.monotonic() + PATIENCE
    while any(one.name == "hookctl-wake" for one in threading.enumerate()) and time.monotonic() < limit:
        time.sleep(0.01)
    return [one.name for one in threading.enumerate()]
