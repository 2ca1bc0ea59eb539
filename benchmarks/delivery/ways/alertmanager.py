"""Alertmanager's webhook receiver: one notification an alert, kept in memory."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from delivery.measure import Done, Group, Job, TurnError
from delivery.nginx import ADDRESS, free_ports, wait_for_port
from delivery.work import Site, at_pace
from hookctl.testing.events import generate

PROGRAM = "prometheus-alertmanager"
BATCH = 500
"""Alerts that are posted at once, at most."""
CONFIG = """\
route:
  receiver: bench
  group_by: ['...']
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: bench
    webhook_configs:
      - url: {url}
        send_resolved: false
        http_config:
          tls_config:
            ca_file: {ca_file}
"""


def missing() -> str | None:
    """What is not installed."""
    return None if shutil.which(PROGRAM) else PROGRAM


def notify(scheme: str) -> Callable[[Site, Job, Group], Done]:
    """A turn over ``https`` or ``http``.

    The time is Alertmanager's, without its start and without the processes that post the alerts to it.
    """

    def turn(site: Site, job: Job, group: Group) -> Done:
        sink = site.sink
        port = _start(
            site, group, f"{scheme}://{ADDRESS}:{sink.tls_port if scheme == 'https' else sink.plain_port}/alerts"
        )
        alerts = _alerts(job.ids)
        connection = http.client.HTTPConnection(ADDRESS, port)
        _post(connection, _alerts([job.warm_up]))
        if not sink.receipts([job.warm_up]):
            raise TurnError(f"no alert was delivered: {group.last_words()}")
        before = group.cpu()

        def give(first: int, last: int) -> None:
            for begin in range(first, last, BATCH):
                _post(connection, alerts[begin : min(last, begin + BATCH)])

        start = at_pace(job, give)
        receipts = sink.receipts(job.ids)
        cpu = group.cpu() - before
        connection.close()
        return Done(start, job.ids, receipts, cpu)

    return turn


def _start(site: Site, group: Group, url: str) -> int:
    """Run an Alertmanager with nothing in it; its port."""
    root = site.root / "alertmanager"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    config = root / "alertmanager.yml"
    config.write_text(CONFIG.format(url=url, ca_file=site.sink.ca_file), encoding="utf-8")
    (port,) = free_ports(1)
    group.start(*_command(config, root, port), cwd=root)
    wait_for_port(port)
    return port


def _command(config: Path, root: Path, port: int) -> list[str]:
    options = {
        "config.file": config,
        "storage.path": root,
        "web.listen-address": f"{ADDRESS}:{port}",
        "cluster.listen-address": "",
        "log.level": "warn",
    }
    return [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]


def _alerts(ids: list[str]) -> list[str]:
    """An alert for each id, in JSON, with about as much text as the other ways send."""
    event = next(generate(1))
    data = event["data"]
    assert isinstance(data, dict)
    texts = {name: data[name] for name in ("title", "description")}
    return [
        json.dumps(
            {"labels": {"alertname": "anomaly", "severity": data["severity"], "delivery": name}, "annotations": texts}
        )
        for name in ids
    ]


def _post(connection: http.client.HTTPConnection, alerts: list[str]) -> None:
    connection.request("POST", "/api/v2/alerts", f"[{','.join(alerts)}]".encode(), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise TurnError(f"Alertmanager answered {response.status}: {answer[:200]!r}")
