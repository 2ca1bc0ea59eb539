"""``hookctl serve`` checks events by the event types that are applied, also by those of an apply while it runs."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 20.0
WEBHOOK = "name: Siem\nevent: {event}\nurl: https://siem.example.com/in\nbody_template: '{{}}'\n"
CLOUD = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "com.example.paid", "data": {"amount": 1}}


class Site:
    """A project, and a server on its store."""

    def __init__(self, root: Path) -> None:
        self.root, self.port, self.token = root, 0, ""
        (root / "webhooks.d").mkdir()

    def hookctl(self, *args: str) -> str:
        command = [sys.executable, "-m", "hookctl", *args]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def apply(self, event: str) -> None:
        (self.root / "webhooks.d/siem.yaml").write_text(WEBHOOK.format(event=event))
        self.hookctl("apply", "--auto-approve")

    def post(self, body: Mapping[str, Any], media: str = "application/json") -> tuple[int, Any]:
        headers = {"Content-Type": media, "Authorization": f"Bearer {self.token}"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("POST", "/v1/events", json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.apply("anomaly")
    made.token = made.hookctl("tokens", "create", "test", "--scope", "intake").split()[0]
    command = [sys.executable, "-m", "hookctl", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stderr is not None
            made.port = int(server.stderr.readline().rpartition(":")[2])
            yield made
        finally:
            server.kill()


def accepted(site: Site, body: Mapping[str, Any], media: str = "application/json") -> Any:
    """The answer once the event is accepted: the server reads an apply within a second."""
    limit = time.monotonic() + PATIENCE
    while True:
        status, answer = site.post(body, media)
        if status == 202 or time.monotonic() > limit:
            assert status == 202, answer
            return answer
        time.sleep(0.1)


def test_an_apply_brings_event_types_and_cloudevents(site: Site) -> None:
    event = {"id": "e1", "event_type": "order.paid", "event_time": 1.0, "data": {}}
    assert site.post(event)[1]["errors"][0]["rule"] == "event-type-unknown"
    assert site.post(CLOUD, "application/cloudevents+json")[0] == 422
    (site.root / "events.d").mkdir()
    schema = {"properties": {"data": {"type": "object", "description": "x"}}, "examples": [event]}
    (site.root / "events.d/order.paid.schema.json").write_text(json.dumps(schema))
    site.apply("[cloudevents, order.paid]")
    assert accepted(site, event)["webhooks"] == ["Siem"]
    assert accepted(site, CLOUD, "application/cloudevents+json")["webhooks"] == ["Siem"]
    stored = json.loads(site.hookctl("events", "show", "/orders|1", "--format", "json"))
    assert stored["event"]["event_type"] == "cloudevents"
    assert stored["event"]["data"] == CLOUD
