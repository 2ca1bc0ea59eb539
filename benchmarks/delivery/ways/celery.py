"""Celery with Redis: a prefork worker whose task is ``requests.post``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from delivery.measure import Done, Group, Job, TurnError
from delivery.nginx import ADDRESS, free_ports, wait_for_port
from delivery.ways.loops import go, ready
from delivery.work import Site

MODULE = Path(__file__).parents[1] / "celery_tasks.py"
WORKERS = 4
"""Processes of the worker. Two, four and eight made no difference on two cores, where CPU time is the limit."""


def cache() -> Path:
    """Where install.sh puts Celery."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hookctl-benchmarks" / "celery"


def missing() -> str | None:
    """What is not installed."""
    absent = [] if shutil.which("redis-server") else ["redis-server"]
    absent += [] if (cache() / "bin" / "celery").exists() else ["celery"]
    return ", ".join(absent) or None


def work(*, keep: bool) -> Callable[[Site, Job, Group], Done]:
    """A turn whose tasks each make a connection, or ``keep`` it.

    The time is that of the worker, of Redis and of the process that asks for the tasks, without their start.
    """

    def turn(site: Site, job: Job, group: Group) -> Done:
        variables = environment(site, redis(site, group), keep=keep)
        options = [
            "--pool=prefork",
            f"--concurrency={WORKERS}",
            "--loglevel=error",
            "--without-gossip",
            "--without-mingle",
        ]
        group.start(
            python(), "-m", "celery", "--app=celery_tasks", "worker", *options, cwd=MODULE.parent, env=variables
        )
        warm = Job(job.warm_up, WORKERS)
        produce(site, group, variables, warm)
        if len(site.sink.receipts(warm.ids)) < warm.count:
            raise TurnError(f"no task was done: {group.last_words()}")
        start, before = produce(site, group, variables, job)
        receipts = site.sink.receipts(job.ids)
        return Done(start, job.ids, receipts, group.cpu() - before)

    return turn


def produce(site: Site, group: Group, variables: dict[str, str], job: Job) -> tuple[float, float]:
    """Ask for all tasks: when the first was asked for, in epoch seconds, and the group's time until then."""
    words = (job.prefix, str(job.count), str(job.rate or 0))
    process = group.start(python(), str(MODULE), *words, cwd=site.root, env=variables, stdin=subprocess.PIPE)
    before = ready(process, group)
    start = go(process)
    group.wait(process)
    return start, before


def python() -> str:
    """The Python that has Celery."""
    return str(cache() / "bin" / "python")


def redis(site: Site, group: Group) -> int:
    """Run a Redis that keeps what it is given: appended to a file, on disk once a second. Its port."""
    root = site.root / "redis"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (port,) = free_ports(1)
    options = {
        "port": str(port),
        "bind": ADDRESS,
        "dir": str(root),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    group.start("redis-server", *(word for name, value in options.items() for word in (f"--{name}", value)), cwd=root)
    wait_for_port(port)
    return port


def environment(site: Site, port: int, *, keep: bool) -> dict[str, str]:
    """The variables of the worker and of the process that asks for tasks."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("CELERY")}
    added = {
        "BENCH_URL": site.sink.url,
        "BENCH_CA_FILE": site.sink.ca_file,
        "BENCH_BODY_FILE": str(site.body),
        "BENCH_KEEP": "yes" if keep else "no",
        "BENCH_BROKER": f"redis://{ADDRESS}:{port}/0",
        "PYTHONPATH": str(MODULE.parent),
        "TMPDIR": str(site.root),  # what the worker leaves there goes with the rest
    }
    return kept | added
