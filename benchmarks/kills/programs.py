"""The programs that are killed. Each has 16 jobs at a time, and its own default for everything else."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from delivery.measure import Group, Job
from delivery.nginx import ADDRESS, HOST, wait_for_port
from delivery.ways import alertmanager, celery, end_to_end, node
from delivery.work import Site

from hookctl.testing.events import generate

JOBS = "16"
WEBHOOK = f"""\
name: Bench
event: anomaly
url: https://{HOST}/ingest
max_in_flight: {JOBS}
body_template: '{{"delivery": "{{{{ id }}}}", "title": "{{{{ data.title }}}}", "text": "{{{{ data.description }}}}"}}'
"""


class Program(Protocol):
    """One program, in one round."""

    def give(self, job: Job) -> None:
        """Hand over all events, or begin to."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start what delivers. Called again after each kill."""

    def given(self) -> list[str]:
        """The ids of the events that were acknowledged."""

    def later(self) -> bool:
        """Do what ends the wait for deliveries that do not come by themselves; whether to restart what delivers."""


@dataclass
class Hookctl:
    """``hookctl send --enqueue`` stores the events, and ``hookctl run`` delivers them."""

    site: Site
    group: Group
    ids: list[str] = field(default_factory=list)

    def give(self, job: Job) -> None:
        project = self.project
        shutil.rmtree(project, ignore_errors=True)
        (project / "webhooks.d").mkdir(parents=True)
        (project / "webhooks.d" / "bench.yaml").write_text(WEBHOOK, encoding="utf-8")
        sink = self.site.sink
        settings = f'cacert = "{sink.ca_file}"\nconnect_to = ["{HOST}:443:{ADDRESS}:{sink.tls_port}"]\n'
        (project / "hookctl.toml").write_text(settings, encoding="utf-8")
        events = (json.dumps({**event, "id": name}) for name, event in zip(job.ids, generate(job.count), strict=True))
        (project / "events.jsonl").write_text("\n".join(events), encoding="utf-8")
        for command in (("apply", "--auto-approve"), ("send", "--enqueue", "events.jsonl")):
            self.group.wait(self._start(*command))
        self.ids = job.ids

    def start(self) -> subprocess.Popen[bytes]:
        return self._start("run")

    def given(self) -> list[str]:
        return self.ids

    def later(self) -> bool:
        return False

    @property
    def project(self) -> Path:
        return self.site.root / "project"

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.project / "log").open("ab") as log:
            return self.group.start(
                end_to_end.HOOKCTL, *words, cwd=self.project, env=end_to_end.environment(), stdout=log
            )


@dataclass
class Node:
    """graphile-worker with PostgreSQL, or BullMQ with Redis."""

    site: Site
    group: Group
    kind: str
    queue: str = ""
    ids: list[str] = field(default_factory=list)

    def give(self, job: Job) -> None:
        graphile = self.kind == "graphile"
        self.queue = (
            node.start_postgres(self.site, self.group)[1] if graphile else str(celery.redis(self.site, self.group))
        )
        node.produce(self.site, self.group, self._environment(), self.kind, job)
        self.ids = job.ids

    def start(self) -> subprocess.Popen[bytes]:
        command = ("node", str(node.PROGRAM), "work", self.kind)
        return self.group.start(*command, cwd=self.site.root, env=self._environment())

    def given(self) -> list[str]:
        return self.ids

    def later(self) -> bool:
        if self.kind != "graphile":
            return False
        table = "graphile_worker._private_jobs"
        statement = f"update {table} set locked_at = locked_at - interval '4 hours'"  # noqa: S608 - all of it is above
        subprocess.run(["psql", "-q", self.queue, "-c", statement], check=True)
        return True

    def _environment(self) -> dict[str, str]:
        return {**node.environment(self.site, self.queue), "BENCH_CONCURRENCY": JOBS, "BENCH_TUNED": "no"}


@dataclass
class Celery:
    """Celery with Redis, with its default of early acknowledgement or with ``acks_late``."""

    site: Site
    group: Group
    late: bool
    port: int = 0
    ids: list[str] = field(default_factory=list)

    def give(self, job: Job) -> None:
        self.port = celery.redis(self.site, self.group)
        celery.produce(self.site, self.group, self._environment(), job)
        self.ids = job.ids

    def start(self) -> subprocess.Popen[bytes]:
        options = ("--pool=prefork", f"--concurrency={JOBS}", "--loglevel=error")
        command = (celery.python(), "-m", "celery", "--app=celery_tasks", "worker", *options)
        return self.group.start(*command, cwd=celery.MODULE.parent, env=self._environment())

    def given(self) -> list[str]:
        return self.ids

    def later(self) -> bool:
        script = (
            "for _, tag in ipairs(redis.call('zrange', 'unacked_index', 0, -1)) "
            "do redis.call('zincrby', 'unacked_index', -3600, tag) end"
        )
        command = ["redis-cli", "-h", ADDRESS, "-p", str(self.port), "eval", script, "0"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return True

    def _environment(self) -> dict[str, str]:
        late = {"BENCH_LATE": "yes" if self.late else "no"}
        return {**celery.environment(self.site, self.port, keep=True), **late}


@dataclass
class Alertmanager:
    """Alertmanager, which gets one alert after the other until it is killed. Later, it gets all of them again."""

    site: Site
    group: Group
    ids: list[str] = field(default_factory=list)
    port: int = 0
    pace: float = 100.0
    """Alerts per second."""

    def give(self, job: Job) -> None:
        self.port = alertmanager.prepare(self.site, self.site.sink.url)
        threading.Thread(target=self._post, args=(job,), daemon=True).start()

    def start(self) -> subprocess.Popen[bytes]:
        return alertmanager.start(self.site, self.group, self.port)

    def given(self) -> list[str]:
        return list(self.ids)

    def later(self) -> bool:
        connection = http.client.HTTPConnection(ADDRESS, self.port)
        alertmanager.post(connection, alertmanager.alerts(self.ids))
        connection.close()
        return False

    def _post(self, job: Job) -> None:
        """Post until the first error, which is the kill."""
        wait_for_port(self.port)
        connection = http.client.HTTPConnection(ADDRESS, self.port)
        try:
            for name in job.ids:
                alertmanager.post(connection, alertmanager.alerts([name]))
                self.ids.append(name)
                time.sleep(1 / self.pace)
        except (OSError, http.client.HTTPException):
            return


@dataclass(frozen=True)
class Entry:
    """A row of the table."""

    name: str
    missing: Callable[[], str | None]
    make: Callable[[Site, Group], Program]
    later: str
    """What :meth:`Program.later` stands for."""


PROGRAMS: Sequence[Entry] = (
    Entry("hookctl", lambda: None, Hookctl, ""),
    Entry("bullmq", node.missing("bullmq", node.redis_server), lambda site, group: Node(site, group, "bullmq"), ""),
    Entry(
        "graphile-worker",
        node.missing("graphile-worker", node.postgres),
        lambda site, group: Node(site, group, "graphile"),
        "four hours later",
    ),
    Entry("celery", celery.missing, lambda site, group: Celery(site, group, late=False), "an hour later"),
    Entry("celery-late", celery.missing, lambda site, group: Celery(site, group, late=True), "an hour later"),
    Entry("alertmanager", alertmanager.missing, Alertmanager, "when all alerts have been posted again"),
)
