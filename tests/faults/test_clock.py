"""A wall clock that is set while deliveries wait: neither a storm nor a standstill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hookctl.apply import AppliedStore
from hookctl.model import Event
from hookctl.plugin.host import load_plugins
from hookctl.queue.sqlite import SqliteQueue
from hookctl.run.attempts import AttemptEngine
from hookctl.run.runner import Runner
from hookctl.run.sending import deliver
from hookctl.testing.answers import Answer

DAY = 86_400.0
COUNT = 20
BUSY = Answer.json({"status": "busy"})
VALIDATOR = "response_validators: [{json_path: $.data.status, expected_values: [accepted]}]"
"""Refuses that, so that it is tried again, while the target is well."""


@dataclass
class Clock:
    """A wall clock that can be set; runners that go by it."""

    site: Any
    ahead: float = 0.0
    ends: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> float:
        return time.time() + self.ahead

    def runner(self) -> Runner:
        plugins, queue = load_plugins(), SqliteQueue(self.site.store)
        engine = AttemptEngine(plugins, self.site.receiver.network(), "hookctl/test")
        runner = Runner(queue=queue, engine=engine, plugins=plugins, read_state=AppliedStore(self.site.store).read, clock=self.now, jitter=lambda: 0.0)
        self.ends += [lambda: runner.stop(0.0), queue.close]
        return runner

    def stop(self) -> None:
        """End every runner, as its process would."""
        for end in self.ends:
            end()
        self.ends.clear()


@pytest.fixture
def clock(site: Any, webhook: Callable[..., str]) -> Iterator[Clock]:
    site.apply(Siem=webhook("Siem", "retry: {schedule: [2s, 2s, 2s, 1h]}", VALIDATOR))
    clock = Clock(site)
    yield clock
    clock.stop()


def take_in(site: Any, runner: Runner) -> None:
    runner.accept([Event(f"e{number}", "anomaly", 1.0, {**site.mock, "id": f"e{number}"}) for number in range(COUNT)])


def step_until(runner: Runner, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        if not runner.step(0.05):
            time.sleep(0.01)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])
def test_a_clock_that_is_set_by_a_day_changes_no_distance(site: Any, clock: Clock, jump: float) -> None:
    """Each delivery has failed once and waits for its second attempt, which comes, and is the last."""
    site.receiver.answer("/Siem", *[BUSY] * COUNT, Answer())
    runner = clock.runner()
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == COUNT)
    clock.ahead = jump
    step_until(runner, lambda: runner.tally.delivered["Siem"] == COUNT)
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(COUNT)})
    assert set(site.received().values()) == {2}


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])
def test_a_clock_that_is_set_by_a_day_makes_nothing_due(site: Any, clock: Clock, webhook: Callable[..., str], jump: float) -> None:
    """What is to be tried in an hour is to be tried in an hour: no storm."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [1h]}", VALIDATOR))
    site.receiver.answer("/Siem", BUSY)
    runner = clock.runner()
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == COUNT)
    clock.ahead = jump
    for _ in range(10):
        runner.step(0.0)
    due_in = runner.due_in()
    assert due_in is not None
    assert 3000 < due_in <= 3600
    assert site.receiver.count == COUNT


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])
def test_a_clock_that_is_set_while_requests_are_under_way(site: Any, clock: Clock, jump: float) -> None:
    site.receiver.answer("/Siem", Answer(delay=1.0))
    runner = clock.runner()
    take_in(site, runner)
    step_until(runner, lambda: site.receiver.count == COUNT)
    clock.ahead = jump
    step_until(runner, lambda: runner.tally.delivered["Siem"] == COUNT)
    assert set(site.received().values()) == {1}


@pytest.mark.parametrize("failed_before", [False, True], ids=["new", "failed"])
def test_a_clock_that_is_set_back_while_nothing_runs(site: Any, clock: Clock, failed_before: bool) -> None:
    """The next process knows nothing of the clock that went before, and still makes nobody wait for tomorrow."""
    clock.ahead = DAY
    site.receiver.answer("/Siem", *[BUSY] * COUNT * failed_before, Answer())
    runner = clock.runner()
    take_in(site, runner)
    if failed_before:
        step_until(runner, lambda: runner.tally.attempts == COUNT)
    clock.stop()
    clock.ahead = 0.0
    runner = clock.runner()
    step_until(runner, lambda: runner.tally.delivered["Siem"] == COUNT)
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(COUNT)})


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])
def test_a_clock_that_is_set_changes_no_stay(site: Any, clock: Clock, jump: float) -> None:
    """``--wait`` is measured on a clock that nobody sets: the retry after two seconds is waited for, the next one is not."""
    site.receiver.answer("/Siem", BUSY)
    runner, queue = clock.runner(), SqliteQueue(site.store)
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == COUNT)
    clock.ahead = jump
    limit = time.monotonic() + 30
    deliver(runner, queue, wait=2.5, stopping=lambda: time.monotonic() > limit, tell=lambda: None)
    queue.close()
    assert time.monotonic() < limit
    assert site.receiver.count == 2 * COUNT
