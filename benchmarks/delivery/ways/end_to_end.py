"""hookctl, end to end: ``hookctl send``, whole processes on one store with ``synchronous=FULL``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from delivery.measure import Done, Group, Job, TurnError
from delivery.nginx import ADDRESS, HOST, Sink
from delivery.work import TEMPLATE, Site, at_pace

HOOKCTL = str(Path(sys.executable).parent / "hookctl")
NAME = "Bench"
WEBHOOK = f"""\
name: {NAME}
event: anomaly
url: https://{HOST}/ingest
headers:
  X-Source: hookctl
auth:
  type: bearer
  token: ${{env:BENCH_TOKEN}}
body_template: |
{textwrap.indent(TEMPLATE, "  ")}response_validators:
  - json_path: $.data.status
    expected_values: [accepted, queued]
"""


def event_id(name: str) -> str:
    """An id as publishers give it: random, so that it lies anywhere in an index."""
    return f"evt_{UUID(bytes=sha256(name.encode()).digest()[:16], version=4)}"


def send(processes: int) -> Callable[[Site, Job, Group], Done]:
    """A turn of so many ``hookctl send``, each with its part of the events.

    At full speed the events are in files; at a pace they come through pipes.
    """

    def turn(site: Site, job: Job, group: Group) -> Done:
        project = new_project(site)
        run = _paced if job.rate else _from_files
        idle = _start_up(group, project) * processes
        before = group.cpu()
        start, seconds = run(site, job, group, project, processes)
        cpu = group.cpu() - before - idle
        expected = stored(project, job)
        return Done(start, expected, site.sink.receipts(expected), cpu, seconds)

    return turn


def new_project(site: Site, store: str = "", more: str = "") -> Path:
    """A new project with the webhook applied, in the store with this URL; without it, in a new SQLite store.

    ``more`` is added to the webhook's file.
    """
    project = site.root / "project"
    shutil.rmtree(project, ignore_errors=True)
    (project / "webhooks.d").mkdir(parents=True)
    (project / "webhooks.d" / "bench.yaml").write_text(WEBHOOK + more, encoding="utf-8")
    (project / "hookctl.toml").write_text(_settings(site.sink, store), encoding="utf-8")
    subprocess.run(
        [HOOKCTL, "apply", "--auto-approve"], cwd=project, env=environment(), stdout=subprocess.DEVNULL, check=True
    )
    return project


def _start_up(group: Group, project: Path) -> float:
    """The time that one process takes when there is nothing to send, in seconds of user and system time."""
    before = group.cpu()
    group.wait(group.start(HOOKCTL, "send", os.devnull, cwd=project, env=environment()))
    return group.cpu() - before


def _settings(sink: Sink, store: str) -> str:
    network = f'cacert = "{sink.ca_file}"\nconnect_to = ["{HOST}:443:{ADDRESS}:{sink.tls_port}"]\n'
    return f'{network}store = "{store}"\n' if store else network


def environment() -> dict[str, str]:
    """The variables of hookctl's processes."""
    # Byte code is kept, as it is where hookctl is installed, whatever this process was told about it.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOOKCTL_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    # The settings are named, so that they may name a file elsewhere.
    return kept | {"BENCH_TOKEN": "token-of-the-benchmark", "HOOKCTL_CONFIG": "hookctl.toml"}


def _from_files(site: Site, job: Job, group: Group, project: Path, processes: int) -> tuple[float, float]:
    lines = site.lines([event_id(name) for name in job.ids])
    for number in range(processes):
        (project / f"{number}.jsonl").write_bytes(b"".join(lines[number::processes]))
    start, clock = time.time(), time.monotonic()
    started = [
        group.start(HOOKCTL, "send", f"{number}.jsonl", cwd=project, env=environment()) for number in range(processes)
    ]
    for process in started:
        group.wait(process)
    return start, time.monotonic() - clock


def _paced(site: Site, job: Job, group: Group, project: Path, processes: int) -> tuple[float, None]:
    lines = site.lines([event_id(name) for name in job.ids])
    started = [
        group.start(HOOKCTL, "send", "-", cwd=project, env=environment(), stdin=subprocess.PIPE)
        for _ in range(processes)
    ]
    pipes = [process.stdin for process in started if process.stdin is not None]
    for number, pipe in enumerate(pipes):
        pipe.writelines(site.lines([event_id(f"{job.warm_up}{number}")]))
        pipe.flush()
        site.sink.wait_for_one()

    def give(first: int, last: int) -> None:
        for number, pipe in enumerate(pipes):
            pipe.write(b"".join(lines[first + number : last : processes]))
            pipe.flush()

    start = at_pace(job, give)
    for pipe in pipes:
        pipe.close()
    for process in started:
        group.wait(process)
    return start, None


def stored(project: Path, job: Job) -> list[str]:
    """The ids by which nginx knows the events, from their stored outcome. Raises TurnError for an event without one."""
    command = [
        HOOKCTL,
        "deliveries",
        "list",
        "--status",
        "delivered",
        "--limit",
        str(job.count + 10),
        "--format",
        "json",
    ]
    listed = subprocess.run(command, cwd=project, env=environment(), stdout=subprocess.PIPE, check=True)
    names = {one["event_id"]: one["id"] for one in json.loads(listed.stdout)}
    ids = [event_id(name) for name in job.ids]
    missing = [name for name in ids if name not in names]
    if missing:
        raise TurnError(f"{len(missing)} of {job.count} events are not stored as delivered, the first {missing[0]}")
    return [names[name] for name in ids]
