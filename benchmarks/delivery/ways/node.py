"""graphile-worker with PostgreSQL, and BullMQ with Redis: two workers of Node whose job is one request with undici."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from delivery.measure import Done, Group, Job, TurnError
from delivery.nginx import ADDRESS, free_ports
from delivery.ways.celery import redis
from delivery.ways.loops import go, ready
from delivery.work import Site

PROGRAM = Path(__file__).parents[1] / "node_worker.mjs"
WORKERS = 2
"""Processes that work: each Node uses one core."""
START_SECONDS = 20.0
"""The longest that PostgreSQL may take to start."""


def modules() -> Path:
    """Where install.sh puts the packages of npm."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hookctl-benchmarks" / "node"


def missing(package: str, server: Callable[[], str | None]) -> Callable[[], str | None]:
    """A function that returns what is not installed. ``server`` returns the path of the program of the server."""

    def absent() -> str | None:
        found = {
            "node": shutil.which("node"),
            package: (modules() / "node_modules" / package).exists(),
            "its server": server(),
        }
        return ", ".join(name for name, path in found.items() if not path) or None

    return absent


def redis_server() -> str | None:
    """The path of Redis."""
    return shutil.which("redis-server")


def postgres() -> str | None:
    """The path of PostgreSQL's server: Debian puts it where no shell looks."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(found[-1]) if found else shutil.which("postgres")


def work(kind: str) -> Callable[[Site, Job, Group], Done]:
    """A turn of ``graphile`` or ``bullmq``.

    The time is that of the workers, of the server and of the process that adds the jobs, without their start.
    """

    def turn(site: Site, job: Job, group: Group) -> Done:
        queue = start_postgres(site, group)[1] if kind == "graphile" else str(redis(site, group))
        variables = environment(site, queue)
        warm = Job(job.warm_up, 20 * WORKERS)
        produce(site, group, variables, kind, warm)  # also makes the tables
        for _ in range(WORKERS):
            group.start("node", str(PROGRAM), "work", kind, cwd=site.root, env=variables)
        if len(site.sink.receipts(warm.ids)) < warm.count:
            raise TurnError(f"no job was done: {group.last_words()}")
        start, before = produce(site, group, variables, kind, job)
        return Done(start, job.ids, site.sink.receipts(job.ids), group.cpu() - before)

    return turn


def produce(site: Site, group: Group, variables: dict[str, str], kind: str, job: Job) -> tuple[float, float]:
    """Add all jobs: when the first was added, in epoch seconds, and the group's time until then."""
    words = ("produce", kind, job.prefix, str(job.count), str(job.rate or 0))
    process = group.start("node", str(PROGRAM), *words, cwd=site.root, env=variables, stdin=subprocess.PIPE)
    before = ready(process, group)
    start = go(process)
    group.wait(process)
    return start, before


def start_postgres(site: Site, group: Group) -> tuple[subprocess.Popen[bytes], str]:
    """Run a PostgreSQL with its default durability: each commit is on disk. The process, and its URL."""
    program = Path(postgres() or "postgres")
    root = site.root / "postgres"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    user: tuple[str, ...] = ()
    if os.geteuid() == 0:  # as root, PostgreSQL does not start
        user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        owner = pwd.getpwnam("postgres")
        os.chown(root, owner.pw_uid, owner.pw_gid)
    data = str(root / "data")
    made = [*user, str(program.with_name("initdb")), "-D", data, "-U", "bench", "-A", "trust", "--no-sync"]
    subprocess.run(made, cwd=root, stdout=subprocess.DEVNULL, check=True)
    (port,) = free_ports(1)
    options = {"port": str(port), "listen_addresses": ADDRESS, "unix_socket_directories": "", "shared_buffers": "256MB"}
    server = group.start(
        *user,
        str(program),
        "-D",
        data,
        *(word for name in options for word in ("-c", f"{name}={options[name]}")),
        cwd=root,
    )
    url = f"postgres://bench@{ADDRESS}:{port}/postgres"
    until = time.monotonic() + START_SECONDS
    while subprocess.run([str(program.with_name("pg_isready")), "-q", "-d", url], check=False).returncode:
        if time.monotonic() > until:
            raise TurnError(f"PostgreSQL does not start: {group.last_words()}")
        time.sleep(0.05)
    return server, url


def environment(site: Site, queue: str) -> dict[str, str]:
    added = {
        "BENCH_MODULES": str(modules()),
        "BENCH_URL": site.sink.url,
        "BENCH_CA_FILE": site.sink.ca_file,
        "BENCH_BODY_FILE": str(site.body),
        "BENCH_QUEUE": queue,
    }
    return {**os.environ, **added}
