"""The lock: one holder at a time, given back on every way out, broken by its id alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import warm
from hookctl.config.diff import make_plan
from hookctl.errors import StateError, StateLockedError, StoreError
from hookctl.model import AppliedState, DeliveryPlan
from hookctl.store.records import Lock
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.connection import connect, transaction
from hookctl.store.sqlite.lock import COMPONENT, SCRIPTS, break_lock, hold
from hookctl.store.sqlite.migrations import migrate

Build = Callable[..., DeliveryPlan]
HERE = f"ada@{socket.gethostname()}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "hookctl.db"


def is_free(path: Path) -> bool:
    with hold(path, operation="look", who=HERE):
        return True


def test_the_second_is_told_of_the_first(path: Path) -> None:
    started = time.time()
    with hold(path, operation="apply", who="ada@loom") as lock:
        with pytest.raises(StateLockedError) as refused, hold(path, operation="apply", who="bob@elsewhere"):
            pytest.fail("both hold it")
        assert "the state is locked by ada@loom, hookctl apply since 2" in refused.value.message
        assert f"process {os.getpid()}" in refused.value.message
        assert f"lock {lock.id}" in refused.value.message
        assert f"hookctl unlock {lock.id}" in refused.value.hint
        assert started <= lock.since <= time.time()
    assert is_free(path)


def test_it_is_given_back_when_the_block_raises(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), hold(path, operation="apply", who=HERE):
        raise KeyboardInterrupt
    assert is_free(path)


def test_an_interrupt_while_it_is_taken_leaves_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookctl.store.sqlite import lock as module

    take = module._take

    def interrupted(*args: object) -> None:
        take(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_take", interrupted)
    with pytest.raises(KeyboardInterrupt), hold(path, operation="apply", who=HERE):
        pytest.fail("it was interrupted")
    monkeypatch.undo()
    assert is_free(path)


def test_waiting_for_it(path: Path) -> None:
    told: list[Lock] = []
    holds, may_go = threading.Event(), threading.Event()

    def first() -> None:
        with hold(path, operation="apply", who="ada@loom"):
            holds.set()
            may_go.wait(30)

    def waiting(lock: Lock) -> None:
        told.append(lock)
        may_go.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert holds.wait(30)
    with hold(path, operation="apply", who="bob@loom", timeout=30, waiting=waiting) as lock:
        assert lock.who == "bob@loom"
    thread.join()
    assert {lock.who for lock in told} == {"ada@loom"}


def test_waiting_in_vain(path: Path) -> None:
    told: list[Lock] = []
    with hold(path, operation="apply", who=HERE) as lock:
        with pytest.raises(StateLockedError), hold(path, operation="apply", who=HERE, timeout=0.3, waiting=told.append):
            pytest.fail("both hold it")
        assert {other.id for other in told} == {lock.id}


def test_one_at_a_time_of_many(path: Path) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with hold(path, operation="apply", who=HERE, timeout=60):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_it_is_broken_by_its_id_alone(path: Path) -> None:
    with hold(path, operation="apply", who="ada@loom") as lock:
        with pytest.raises(
            StateError, match=f"there is no lock abc; the state is locked by ada@loom, .*lock {lock.id}"
        ):
            break_lock(path, "abc")
        assert break_lock(path, lock.id).who == "ada@loom"
        with pytest.raises(StateError, match="not locked"):
            break_lock(path, lock.id)
        with hold(path, operation="apply", who="bob@loom") as second:
            pass
        assert second.id != lock.id


def test_who_lost_the_lock_does_not_take_it_from_the_next(path: Path) -> None:
    with hold(path, operation="apply", who="ada@loom") as lost:
        break_lock(path, lost.id)
        second = hold(path, operation="apply", who="bob@loom")
        second.__enter__()
    with pytest.raises(StateLockedError, match="bob@loom"):
        is_free(path)
    second.__exit__(None, None, None)
    assert is_free(path)


def test_apply_asks_for_the_lock(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    plan = make_plan(AppliedState(), {"Siem": delivery_plan()}, {})
    with hold(path, operation="apply", who="ada@loom") as lock:
        with pytest.raises(StateLockedError, match="the state is locked by ada@loom"):
            store.apply(plan)
        with pytest.raises(
            StateLockedError, match="the lock abc of this apply was released, and it is now held by ada@loom"
        ):
            store.apply(plan, lock_id="abc")
        break_lock(path, lock.id)
        with pytest.raises(StateLockedError, match=f"the lock {lock.id} of this apply was released$"):
            store.apply(plan, lock_id=lock.id)
        assert store.read().serial == 0
    with hold(path, operation="apply", who="ada@loom") as lock:
        assert store.apply(plan, lock_id=lock.id).serial == 1


def test_reading_and_checking_need_no_lock(path: Path, delivery_plan: Build) -> None:
    store = AppliedStore(path)
    with hold(path, operation="apply", who=HERE):
        assert store.read() == AppliedState()
        store.check(make_plan(AppliedState(), {"Siem": delivery_plan()}, {}))


def left_behind(path: Path, who: str, pid: int) -> None:
    connection = connect(path)
    migrate(connection, COMPONENT, SCRIPTS)
    with transaction(connection):
        connection.execute("INSERT INTO lock VALUES (1, 'abc', 'apply', ?, ?, '1.0', 0)", (who, pid))
    connection.close()


def test_a_process_that_is_gone_from_this_host_is_told(path: Path) -> None:
    gone = warm.Popen([sys.executable, "-c", ""])
    gone.wait()
    left_behind(path, HERE, gone.pid)
    with pytest.raises(StateLockedError) as refused:
        is_free(path)
    assert refused.value.hint == "That process no longer exists. Release its lock: hookctl unlock abc"
    break_lock(path, "abc")
    left_behind(path, "ada@another.example.com", gone.pid)
    with pytest.raises(StateLockedError) as refused:
        is_free(path)
    assert "gone" not in refused.value.hint


def test_a_process_of_another_user_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert not Lock("abc", "apply", HERE, 1, "1", 0.0).is_left_over


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError), hold(tmp_path / "file" / "hookctl.db", operation="apply", who=HERE):
        pytest.fail("no such directory")


def test_a_store_that_is_gone_at_the_end(path: Path) -> None:
    with hold(path, operation="apply", who=HERE):
        path.unlink()
    assert not path.exists()


HOLDER = """
import sys, time
from pathlib import Path
from hookctl.store.sqlite.lock import hold
with hold(Path(sys.argv[1]), operation="apply", who=sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_kill_leaves_it_and_it_can_be_broken(path: Path) -> None:
    with warm.Popen([sys.executable, "-c", HOLDER, str(path), HERE], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    with pytest.raises(StateLockedError, match=f"process {holder.pid},") as refused:
        is_free(path)
    assert "That process no longer exists" in refused.value.hint
    break_lock(path, refused.value.hint.split()[-1])
    assert is_free(path)
