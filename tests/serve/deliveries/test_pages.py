"""The pages of deliveries, one delivery, an event, and what was never delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookctl.model import DeliveryPlan
from hookctl.testing.answers import Answer

Build = Callable[..., DeliveryPlan]


def test_smoke(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(delivery_plan("Siem", body_template='{"id": "{{ id }}"}', retry_schedule=()))
    site.receiver.answer("/ingest", Answer(404, b"no such <b>path</b>"))
    site.send("e1", "e2")
    site.deliver(lambda: site.statuses() == ["dead", "dead"])
    for path in ("/deliveries", f"/deliveries/{site.ids()[0]}", "/events/e1", "/undelivered", "/actions/replay?status=dead"):
        page = browser.get(path)
        print(path, page.status, page.text)
        assert page.status == 200
    assert 0
