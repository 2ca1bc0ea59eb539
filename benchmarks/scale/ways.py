"""The ways: workers of hookctl, of graphile-worker, of pgqueuer and of procrastinate."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from delivery.measure import Group, Job, TurnError
from delivery.ways import end_to_end, node
from delivery.ways.celery import cache
from delivery.ways.end_to_end import HOOKCTL, event_id
from delivery.ways.loops import go, ready
from delivery.work import Site

HERE = Path(__file__).parent
WARM = 200
"""Jobs of each worker that are done before anything is measured: connections are opened, and statements prepared."""
IDLE_SECONDS = 0.5
"""Until the outcomes of the last jobs are stored as well."""
IN_FLIGHT = "max_in_flight: 100\n"
"""As many as the other workers have. Without it, a webhook has 64."""
PATIENCE = 20.0
"""Seconds without a receipt after which none is expected any more: a busy disk may hold up a commit for some."""
Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a turn has."""

    site: Site
    job: Job
    group: Group
    database: str
    """The URL of a new database on the server; empty: the way needs none."""
    measured: Callable[[], None]
    """Called just before the first job is added, and again when everything is done."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a way says of its turn. Times are seconds of user and system time, without the start."""

    expected: list[str]
    """The ids by which the receipts name the jobs."""
    receipts: list[tuple[str, float]]
    workers: float
    producer: float
    memory: int
    """Bytes of the workers at the end."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to deliver."""

    name: str
    share: float
    """How many jobs it gets in a turn, as a share of what a worker of hookctl gets."""
    missing: Callable[[], str | None]
    turn: Callable[[Stage], Done]
    has_database: bool = True


def hookctl(workers: int) -> Callable[[Stage], Done]:
    """Workers that are ``hookctl run``, and a producer with ``EventQueue.enqueue``."""

    def turn(stage: Stage) -> Done:
        project = end_to_end.new_project(stage.site, stage.database, IN_FLIGHT)
        store = stage.database or f"sqlite:///{project}/.hookctl/hookctl.db"
        running = []
        for number in range(workers):
            with (project / f"{number}.log").open("wb") as log:  # a line for each outcome
                running.append(stage.group.start(HOOKCTL, "run", cwd=project, env=end_to_end.environment(), stdout=log))

        def produce(job: Job) -> Process:
            file = project / "events.jsonl"
            file.write_bytes(b"".join(stage.site.lines([event_id(name) for name in job.ids])))
            command = (sys.executable, str(HERE / "producer.py"), store, str(file))
            return stage.group.start(*command, cwd=project, env=end_to_end.environment(), stdin=subprocess.PIPE)

        done = _turn(stage, running, produce, by_name=False)
        return Done(end_to_end.stored(project, stage.job), *done)

    return turn


def graphile(workers: int) -> Callable[[Stage], Done]:
    """Workers of graphile-worker with undici, tuned as in ``delivery``."""

    def turn(stage: Stage) -> Done:
        return _jobs(stage, workers, ("node", str(node.PROGRAM)), "graphile")

    return turn


def python(kind: str, workers: int) -> Callable[[Stage], Done]:
    """Workers of ``pgqueuer`` or ``procrastinate`` with aiohttp."""

    def turn(stage: Stage) -> Done:
        return _jobs(stage, workers, (str(_python()), str(HERE / "python_worker.py")), kind)

    return turn


def _python() -> Path:
    return cache().with_name("python-workers") / "bin" / "python"


def python_missing() -> str | None:
    """What is not installed."""
    return None if _python().exists() else "python-workers"


def _jobs(stage: Stage, workers: int, program: tuple[str, str], kind: str) -> Done:
    """A turn of a program, given with its script, that works or produces by its first argument."""
    site, group = stage.site, stage.group
    variables = node.environment(site, stage.database)

    def produce(job: Job) -> Process:
        words = ("produce", kind, job.prefix, str(job.count), "0")
        return group.start(*program, *words, cwd=site.root, env=variables, stdin=subprocess.PIPE)

    first = produce(Job(f"{stage.job.warm_up}-first", 1))  # makes the tables
    ready(first, group)
    go(first)
    group.wait(first)
    running = [
        group.start(*program, "work", kind, cwd=site.root, env=variables, stdout=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    return Done(stage.job.ids, *_turn(stage, running, produce, by_name=True))


def _turn(
    stage: Stage, running: list[Process], produce: Callable[[Job], Process], *, by_name: bool
) -> tuple[list[tuple[str, float]], float, float, int]:
    """Let a producer add all jobs while the workers do them."""
    group, job, sink = stage.group, stage.job, stage.site.sink
    warm = Job(job.warm_up, WARM * len(running))
    warming = produce(warm)
    ready(warming, group)
    go(warming)
    group.wait(warming)
    if len(sink.receipts(warm.count, PATIENCE)) < warm.count:
        raise TurnError(f"the first jobs were not done: {group.last_words()}")
    time.sleep(IDLE_SECONDS)
    producer = produce(job)
    ready(producer, group)
    workers_before, producer_before = group.cpu(*running), group.cpu(producer)
    stage.measured()
    go(producer)
    group.wait(producer)
    receipts = sink.receipts(job.ids if by_name else job.count, PATIENCE)
    time.sleep(IDLE_SECONDS)
    stage.measured()
    return (
        receipts,
        group.cpu(*running) - workers_before,
        group.cpu(producer) - producer_before,
        group.memory(*running),
    )


def postgres_missing() -> str | None:
    """What is not installed."""
    return None if node.postgres() else "postgresql"


def graphile_missing() -> str | None:
    """What is not installed."""
    return node.missing("graphile-worker", node.postgres)()
