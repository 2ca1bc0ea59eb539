"""Two thousand deliveries in flight at once: what they take, and that the deadline holds for each."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hookctl.model import DeliveryStatus
from hookctl.store.sqlite.queue import SqliteQueue

pytestmark = pytest.mark.one_store("sqlite", "what a target does never reaches the store")

COUNT = 2000
MEMORY = 250 * 1024
"""KiB, of the whole process that sends."""
TIMEOUT = 6


@pytest.fixture
def many(site: Any) -> Iterator[Any]:
    """A project with a receiver in another process; both may have as many connections as there are deliveries."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < COUNT + 100:
        pytest.skip("this user may not open as many connections")
    command = [sys.executable, str(Path(__file__).with_name("target.py")), str(COUNT)]
    limits = resource.RLIMIT_NOFILE, (max(soft, COUNT + 100), hard)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as target:
        resource.prlimit(target.pid, *limits)
        assert target.stdout is not None
        port, ca_file = target.stdout.readline().split()
        site.reach(SimpleNamespace(address="127.0.0.1", port=port, ca_file=ca_file))
        yield site
        target.communicate()


def test_two_thousand_in_flight_take_less_than_250_mb(many: Any, webhook: Callable[..., str]) -> None:
    """The target answers none of them before all have arrived, and then takes another second."""
    many.apply(
        Together=webhook("Together", "timeout_seconds: 120", f"max_in_flight: {COUNT}", "retry: {schedule: [1h]}")
    )
    code, peak = many.forks.wait(many.start("send", many.write(COUNT), "--wait", "0"))
    assert code == 0, many.output
    assert list(many.stored().values()) == [DeliveryStatus.DELIVERED] * COUNT
    assert peak < MEMORY


def test_the_deadline_holds_for_each_of_two_thousand_in_flight(many: Any, webhook: Callable[..., str]) -> None:
    """None is cut early, none hangs, and it is the transport that ends each: nothing had to be given up."""
    many.apply(
        Never=webhook("Never", f"timeout_seconds: {TIMEOUT}", f"max_in_flight: {COUNT}", "retry: {schedule: [1h]}")
    )
    assert many.send(many.write(COUNT), "--wait", "0") == 1
    queue = SqliteQueue(many.store)
    attempts = [attempt for one in queue.deliveries() for attempt in queue.attempts(one.id)]
    queue.close()
    assert len(attempts) == COUNT
    assert {attempt.failure.message for attempt in attempts if attempt.failure} == {
        f"no complete response within {TIMEOUT} s"
    }
    assert min(attempt.timing.total for attempt in attempts) >= TIMEOUT
