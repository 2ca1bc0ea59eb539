"""Requests that come at the same time share a commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from hookctl.config.diff import make_plan as make_change
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.model import DeliveryPlan, Event
from hookctl.serve.writer import EventWriter
from hookctl.store.sqlite.store import SqliteStore


def test_requests_that_come_at_the_same_time_share_a_commit(
    tmp_path: Path, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    path = tmp_path / "hookctl.db"
    commits: list[float] = []

    async def store_one(name: str) -> bool:
        time.sleep(0.002)  # noqa: ASYNC251  # in which the writer's thread would begin a commit with the one before
        event = Event(name, "anomaly", 0.0, {"id": name, "event_type": "anomaly", "data": {}})
        (taken,) = await writer.store([event])
        return taken.is_new

    async def store_each(names: Sequence[str]) -> list[bool]:
        return await asyncio.gather(*map(store_one, names))

    with closing(SqliteStore(path)) as store:
        plan = delivery_plan("Siem")
        store.apply(make_change(store.read_state(), {plan.name: plan}, {}))
        writer = EventWriter(lambda: SqliteStore(path), StoreLimits(), committed=commits.append)
        writer.start()
        with closing(writer):
            assert asyncio.run(store_each([f"e{number}" for number in range(20)])) == [True] * 20
        assert len(commits) == 1
        assert store.event("e19") is not None
