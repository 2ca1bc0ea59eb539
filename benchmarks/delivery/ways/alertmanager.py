"""Alertmanager's webhook receiver: one notification an alert, kept in memory."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
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
        port = prepare(site, f"{scheme}://{ADDRESS}:{sink.tls_port if scheme == 'https' else sink.plain_port}/alerts")
        start(site, group, port)
        given = alerts(job.ids)
        connection = http.client.HTTPConnection(ADDRESS, port)
        post(connection, alerts([job.warm_up]))
        if not sink.receipts([job.warm_up]):
            raise TurnError(f"no alert was delivered: {group.last_words()}")
        before = group.cpu()

        def give(first: int, last: int) -> None:
            for begin in range(first, last, BATCH):
                post(connection, given[begin : min(last, begin + BATCH)])

        began = at_pace(job, give)
        receipts = sink.receipts(job.ids)
        cpu = group.cpu() - before
        connection.close()
        return Done(began, job.ids, receipts, cpu)

    return turn


def prepare(site: Site, url: str) -> int:
    """Write the configuration of an Alertmanager with nothing in it, which notifies ``url``; its port."""
    root = site.root / "alertmanager"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    config = CONFIG.format(url=url, ca_file=site.sink.ca_file)
    (root / "alertmanager.yml").write_text(config, encoding="utf-8")
    (port,) = free_ports(1)
    return port


def start(site: Site, group: Group, port: int) -> subprocess.Popen[bytes]:
    """Run it, and wait until it accepts alerts."""
    root = site.root / "alertmanager"
    process = group.start(*_command(root / "alertmanager.yml", root, port), cwd=root)
    wait_for_port(port)
    return process


def _command(config: Path, root: Path, port: int) -> list[str]:
    options = {
        "config.file": config,
        "storage.path": root,
        "web.listen-address": f"{ADDRESS}:{port}",
        "cluster.listen-address": "",
        "log.level": "warn",
    }
    return [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]


def alerts(ids: Sequence[str]) -> list[str]:
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


def post(connection: http.client.HTTPConnection, alerts: Sequence[str]) -> None:
    """Give alerts to Alertmanager. Raises TurnError unless it accepts them."""
    connection.request("POST", "/api/v2/alerts", f"[{','.join(alerts)}]".encode(), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise TurnError(f"Alertmanager answered {response.status}: {answer[:200]!r}")
