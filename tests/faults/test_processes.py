"""Several processes on one store, and processes that are stopped: each delivery is marked by one of them, once."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.sending import deliver
from hookctl.model import DeliveryStatus
from hookctl.plugin.host import load_plugins
from hookctl.store.clock import since_boot
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest

DAY = 86_400


def test_two_runners_lose_nothing_and_send_nothing_twice(site: Any) -> None:
    """Both take in events, some of them the same, and deliver whatever is due."""
    site.receiver.default = Answer(delay=0.02)
    pids = [site.start("send", site.write(400, first)) for first in (0, 200)]
    assert [site.wait(pid) for pid in pids] == [0, 0]
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(600)})
    assert set(site.received().values()) == {1}
    accepted = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) accepted", site.output)]
    assert sum(accepted) == 600


def test_a_runner_that_is_killed_leaves_its_work_to_the_other(site: Any) -> None:
    """What the dead one had claimed comes a second time, under the same id; all else once."""
    site.receiver.default = Answer(delay=0.05)
    pids = [site.start("send", site.write(500, first)) for first in (0, 500)]
    site.wait_for(lambda: site.receiver.count > 100)
    os.kill(pids[0], signal.SIGKILL)
    assert [site.wait(pid) for pid in pids] == [-signal.SIGKILL, 0]
    site.go_on()
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(500, 1000)})
    assert max(site.received().values()) <= 2


def deliver_later(site: Any, seconds: float) -> None:
    """Deliver what is due by a runner to which it is so much later, as it is to the server of a store."""

    def lease_clock() -> float:
        return (since_boot() if site.url.startswith("sqlite") else time.time()) + seconds

    plugins = load_plugins()
    with site.open_store(lease_clock) as store:
        runner = Runner(
            queue=store,
            engine=AttemptEngine(plugins, site.receiver.network(), "hookctl/test"),
            plugins=plugins,
            read_state=store.read_state,
            clock=lambda: time.time() + seconds,
            monotonic=lambda: since_boot() + seconds,
        )
        limit = time.monotonic() + 30
        deliver(runner, store, wait=0.0, stopping=lambda: time.monotonic() > limit, progress=lambda: None)
        runner.stop(0.0)


def test_a_runner_that_sleeps_past_its_lease_can_no_longer_mark(site: Any, webhook: Callable[..., str]) -> None:
    """SIGSTOP while a 200 is on its way; another takes over once the leases have ended; on waking, all is marked."""
    site.apply(Siem=webhook("Siem", "timeout_seconds: 5"))
    process: SimpleQueue[int] = SimpleQueue()

    def put_to_sleep(_: ReceivedRequest) -> Answer:
        if site.receiver.count < 5:
            return Answer(misbehave=Misbehavior.NO_ANSWER)
        os.kill(process.get(), signal.SIGSTOP)
        return Answer(delay=0.2)

    site.receiver.default = put_to_sleep
    asleep = site.start("send", site.write(5), "--wait", "0")
    process.put(asleep)
    site.wait_for(lambda: site.receiver.count == 5)
    deliver_later(site, 20.0)
    assert set(site.stored().values()) == {DeliveryStatus.WAITING}
    site.receiver.default = Answer()
    deliver_later(site, DAY)
    assert set(site.stored().values()) == {DeliveryStatus.DELIVERED}
    os.kill(asleep, signal.SIGCONT)
    site.wait(asleep)
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(5)})
    assert set(site.received().values()) == {2}
    assert site.attempts() == 5


def test_a_runner_that_is_told_to_stop_ends_what_is_under_way(site: Any) -> None:
    """SIGTERM in flight: no request is cut off, none is begun, and the next run goes on with the rest."""
    site.receiver.default = Answer(delay=0.3)
    pid = site.start(
        "send", site.write(200)
    )  # as many as are read in one piece: what is not read yet when the signal comes stays in the file
    site.wait_for(lambda: site.receiver.count > 10)
    os.kill(pid, signal.SIGTERM)
    assert site.wait(pid) == 130
    stored = site.stored()
    assert {key for key, status in stored.items() if status is DeliveryStatus.DELIVERED} == set(site.received())
    assert DeliveryStatus.WAITING in stored.values()
    site.receiver.default = Answer()
    site.go_on()
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(200)})
    assert set(site.received().values()) == {1}
