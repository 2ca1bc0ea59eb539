"""A wall clock that is set while deliveries wait: neither a storm nor a standstill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.sending import deliver
from hookctl.model import Event
from hookctl.plugin.host import load_plugins
from hookctl.store.clock import since_boot
from hookctl.store.interface import Store
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
    passed: float = 0.0
    """Seconds that went by on every clock, without anybody waiting for them."""
    ends: ExitStack = field(default_factory=ExitStack)

    def now(self) -> float:
        return time.time() + self.passed + self.ahead

    def since_boot(self) -> float:
        return since_boot() + self.passed

    def runner(self) -> Runner:
        plugins, queue = load_plugins(), self.open_store()
        engine = AttemptEngine(plugins, self.site.receiver.network(), "hookctl/test")
        runner = Runner(
            queue=queue,
            engine=engine,
            plugins=plugins,
            read_state=queue.read_state,
            clock=self.now,
            monotonic=self.since_boot,
            jitter=lambda: 0.0,
        )
        self.ends.callback(runner.stop, 0.0)
        return runner

    def open_store(self) -> Store:
        """Until ``stop``. A server's clock is set as well, and its leases use it."""
        is_server = self.site.url.startswith("postgresql")
        store: Store = self.ends.enter_context(self.site.open_store(self.now if is_server else None))
        return store

    def stop(self) -> None:
        """End every runner, as its process would."""
        self.ends.close()


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
def test_a_clock_that_is_set_by_a_day_makes_nothing_due(
    site: Any, clock: Clock, webhook: Callable[..., str], jump: float
) -> None:
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
    """``--wait`` uses a clock that nobody sets: it includes the retry after two seconds, but not the next one."""
    site.receiver.answer("/Siem", BUSY)
    runner, queue = clock.runner(), clock.open_store()
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == COUNT)
    clock.ahead = jump
    limit = time.monotonic() + 30
    deliver(runner, queue, wait=2.5, stopping=lambda: time.monotonic() > limit, progress=lambda: None)
    assert time.monotonic() < limit
    assert site.receiver.count == 2 * COUNT


HOUR = 3600.0
"""Between a failure and the next attempt, in the tests below."""
SOON = 60.0
"""Less than this goes by while a test runs."""


@pytest.fixture
def hourly(site: Any, clock: Clock, webhook: Callable[..., str]) -> Clock:
    """The clock, of a site whose one webhook has its deliveries refused, and tries them again after an hour."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [1h]}", VALIDATOR))
    site.receiver.answer("/Siem", BUSY)
    return clock


def fail_once(site: Any, clock: Clock) -> Runner:
    runner = clock.runner()
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == COUNT)
    return runner


def waits(runner: Runner) -> float:
    """Seconds until the next attempt, once the runner has seen its clocks."""
    for _ in range(3):
        runner.step(0.0)
    due_in = runner.due_in()
    assert due_in is not None
    return due_in


@pytest.mark.parametrize(
    ("jump", "wait"),
    [
        pytest.param(DAY, HOUR / 2, id="ahead: the rest of it"),
        pytest.param(-DAY, HOUR, id="back: all of it again"),
        pytest.param(-HOUR / 4, HOUR * 3 / 4, id="back, to after the failure: longer by that"),
        pytest.param(-50.0, HOUR / 2 + 50, id="by less than a minute: nobody notices"),
        pytest.param(50.0, HOUR / 2 - 50, id="ahead by less than a minute: nobody notices"),
    ],
)
def test_how_long_a_retry_waits_after_the_clock_is_set(site: Any, hourly: Clock, jump: float, wait: float) -> None:
    """Half of its hour is over then. It is never tried too early, and never later than an hour from then."""
    runner = fail_once(site, hourly)
    hourly.passed += HOUR / 2
    assert HOUR / 2 - SOON < waits(runner) <= HOUR / 2
    hourly.ahead = jump
    assert wait - SOON / 2 < waits(runner) <= wait
    assert site.receiver.count == COUNT


def test_a_retry_after_the_clock_is_set_back_while_nothing_runs(site: Any, hourly: Clock) -> None:
    """It waits its hour again from when a runner starts: neither at once nor tomorrow."""
    fail_once(site, hourly)
    hourly.stop()
    hourly.passed += HOUR / 2
    hourly.ahead = -DAY
    assert HOUR - SOON < waits(hourly.runner()) <= HOUR
    assert site.receiver.count == COUNT


def test_a_retry_after_the_clock_is_set_ahead_while_nothing_runs(site: Any, hourly: Clock) -> None:
    """Nobody can tell that from a day in which nothing ran: it is due."""
    fail_once(site, hourly)
    hourly.stop()
    hourly.ahead = DAY
    runner = hourly.runner()
    step_until(runner, lambda: site.receiver.count == 2 * COUNT)


def test_history_after_the_clock_is_set_ahead(site: Any, hourly: Clock) -> None:
    """What is over is forgotten by the wall clock; what waits is not, however old it seems."""
    site.receiver.answer("/Siem", Answer(), *[BUSY] * COUNT)
    runner = hourly.runner()
    runner.accept([Event("over", "anomaly", 1.0, {**site.mock, "id": "over"})])
    step_until(runner, lambda: runner.tally.delivered["Siem"] == 1)
    take_in(site, runner)
    step_until(runner, lambda: runner.tally.attempts == 1 + COUNT)
    hourly.ahead = 31 * DAY
    assert waits(runner) > HOUR - SOON
    hourly.stop()
    runner = hourly.runner()
    step_until(runner, lambda: len(stored(site)) == COUNT)
    assert "over" not in stored(site)


def stored(site: Any) -> set[str]:
    return {event for _, _, event in site.stored()}
