"""Test events that people send from a page: each on a thread, so that a slow target delays nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from secrets import token_urlsafe
from threading import Lock, Thread
from typing import TYPE_CHECKING

from hookctl.delivery.rehearsal.trial import Trial, send_tests
from hookctl.model import DeliveryPlan, Json

if TYPE_CHECKING:
    from hookctl.network import Network
    from hookctl.plugin.calls import Plugins

AT_ONCE = 4
"""Tests that may run at the same time."""
KEPT = 200
"""Tests whose results stay in memory, the newest."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test that was started."""

    id: str
    plan: DeliveryPlan
    who: str
    started_at: float
    """Epoch seconds."""
    result: Future[Trial] = field(default_factory=Future)

    @property
    def trial(self) -> Trial | None:
        """The result; None while it runs. Raises what the test raised."""
        return self.result.result() if self.result.done() else None


class Tests:
    """Starts tests and keeps their results until the server stops. May be used on any thread."""

    def __init__(self, plugins: Plugins, network: Network) -> None:
        self._plugins, self._network = plugins, network
        self._lock = Lock()
        self._tests: dict[str, Test] = {}
        """By id, the oldest first."""

    def reserve(self, plan: DeliveryPlan, who: str) -> Test | None:
        """A test that counts as running until it has a result; None if too many tests are running."""
        test = Test(token_urlsafe(12), plan, who, time.time())
        with self._lock:
            if sum(not other.result.done() for other in self._tests.values()) >= AT_ONCE:
                return None
            self._tests[test.id] = test
            while len(self._tests) > KEPT:
                del self._tests[next(iter(self._tests))]
        return test

    def send(self, test: Test, event: Mapping[str, Json]) -> None:
        """Send the event to the webhook, as ``hookctl test`` does, on a thread."""
        Thread(target=self._run, args=(test, event), name="hookctl-test", daemon=True).start()

    def get(self, test_id: str) -> Test | None:
        """A test; None if it is not kept any more."""
        return self._tests.get(test_id)

    def _run(self, test: Test, event: Mapping[str, Json]) -> None:
        try:
            (trial,) = send_tests([(test.plan, event)], self._plugins, self._network)
        except BaseException as error:  # noqa: BLE001  # raised by Test.trial
            test.result.set_exception(error)
        else:
            test.result.set_result(trial)
