"""Limits with two runners on one store, in processes of their own, at a target that counts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from hookctl.store.opening import open_store
from hookctl.store.records import Part
from hookctl.testing.answers import Answer

DELAY = 0.2
LIMIT = 4
EVENTS = 60
RATE = 3


def wait_for_members(site: Any, store_url: str, count: int) -> None:
    """Wait until so many workers share limits."""

    def has_so_many() -> bool:
        store = open_store(store_url)
        assert store is not None
        members = store.take_part(Part(), 60.0)
        store.close()
        return members.count == count + 1

    site.wait_for(has_so_many)


def most_within(times: list[float], seconds: float) -> int:
    """The most that came within so many seconds."""
    return max(sum(since <= at < since + seconds for at in times) for since in times)


def test_two_runners_stay_within_the_limits_together(site: Any, webhook: Callable[..., str], store_url: str) -> None:
    """Each answer takes a while, so what came within that time was in flight at once. One of them is killed then."""
    site.apply(
        Few=webhook("Few", f"max_in_flight: {LIMIT}", "timeout_seconds: 5"),
        Slow=webhook("Slow", f"rate_limit: {RATE}/s", "timeout_seconds: 5"),
    )
    site.receiver.default = Answer(delay=DELAY)
    runners = [site.start("run") for _ in range(2)]
    wait_for_members(site, store_url, 2)
    assert site.send(site.write(EVENTS), "--enqueue") == 0, site.output
    site.wait_for(lambda: site.receiver.count > EVENTS / 2)
    os.kill(runners[0], signal.SIGKILL)
    site.wait(runners[0])
    killed_at = time.time() + DELAY  # until then, the target may still be at the requests of the one that is dead
    site.wait_for(lambda: len({one.body for one in site.receiver.requests if one.path == "/Few"}) == EVENTS)
    os.kill(runners[1], signal.SIGTERM)
    site.wait(runners[1])
    few, slow = ([one.at for one in site.receiver.requests if one.path == path] for path in ("/Few", "/Slow"))
    for times in ([at for at in few if at < killed_at - DELAY], [at for at in few if at > killed_at]):
        assert 0 < most_within(times, DELAY * 0.95) <= LIMIT
    assert len(slow) <= RATE + RATE * (max(slow) - min(slow) + 0.5)
