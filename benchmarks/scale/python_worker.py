"""The producer and the workers of pgqueuer and procrastinate: ``python_worker.py work|produce KIND ...``.

Runs in the environment of its own that install.sh makes. A job is a POST with aiohttp. Each worker has 100 in flight.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

CONCURRENCY = 100
BATCH = 200
"""Jobs that the producer adds at once."""
QUEUE = os.environ["BENCH_QUEUE"]
Post = Callable[[str, str], Awaitable[None]]
Add = Callable[[list[tuple[str, str]]], Awaitable[object]]


def module(name: str) -> Any:
    """A module that only this program's own environment has."""
    return import_module(name)


def poster() -> Post:
    import aiohttp

    url = os.environ["BENCH_URL"]
    trusted = ssl.create_default_context(cafile=os.environ["BENCH_CA_FILE"])
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY, ssl=trusted))

    async def post(name: str, body: str) -> None:
        headers = {"Content-Type": "application/json", "webhook-id": name}
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"status {answer.status}")

    return post


async def work_pgqueuer() -> None:
    pool = await module("asyncpg").create_pool(QUEUE, max_size=10)
    queue = module("pgqueuer").PgQueuer.from_asyncpg_pool(pool)
    post = poster()

    async def deliver(job: Any) -> None:
        await post(*json.loads(job.payload))

    queue.entrypoint("deliver")(deliver)
    # Twice the batch is the least that it accepts.
    await queue.run(batch_size=CONCURRENCY // 2, max_concurrent_tasks=CONCURRENCY, dequeue_timeout=timedelta(seconds=1))


async def produce_pgqueuer() -> Add:
    connection = await module("asyncpg").connect(QUEUE)
    queries = module("pgqueuer").Queries(module("pgqueuer.db").AsyncpgDriver(connection))
    if not await queries.has_table("pgqueuer"):
        await queries.install()

    async def add(jobs: list[tuple[str, str]]) -> None:
        payloads: list[bytes | None] = [json.dumps(job).encode() for job in jobs]
        await queries.enqueue(["deliver"] * len(jobs), payloads, [0] * len(jobs))

    return add


def procrastinate_app() -> tuple[Any, Any]:
    procrastinate = module("procrastinate")
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=QUEUE, max_size=10))
    posts: list[Post] = []

    async def deliver(name: str, body: str) -> None:
        if not posts:
            posts.append(poster())
        await posts[0](name, body)

    return app, app.task(name="deliver")(deliver)


async def work_procrastinate() -> None:
    app, _ = procrastinate_app()
    async with app.open_async():
        await app.run_worker_async(concurrency=CONCURRENCY, delete_jobs="successful")


async def produce_procrastinate() -> Add:
    app, deliver = procrastinate_app()
    await app.open_async()
    if not (await app.connector.execute_query_one_async("SELECT to_regclass('procrastinate_jobs') AS found"))["found"]:
        await app.schema_manager.apply_schema_async()

    async def add(jobs: list[tuple[str, str]]) -> None:
        await deliver.batch_defer_async(*({"name": name, "body": body} for name, body in jobs))

    return add


async def produce(begin: Callable[[], Awaitable[Add]], body: str, prefix: str, count: int) -> None:
    add = await begin()
    print("ready", flush=True)
    sys.stdin.readline()
    print(time.time(), flush=True)
    for first in range(0, count, BATCH):
        await add([(f"{prefix}{number}", body) for number in range(first, min(count, first + BATCH))])


WORK = {"pgqueuer": work_pgqueuer, "procrastinate": work_procrastinate}
PRODUCE = {"pgqueuer": produce_pgqueuer, "procrastinate": produce_procrastinate}

if __name__ == "__main__":
    import uvloop

    mode, kind, *rest = sys.argv[1:]
    if mode == "work":
        uvloop.run(WORK[kind]())
    else:
        text = Path(os.environ["BENCH_BODY_FILE"]).read_text(encoding="utf-8")
        uvloop.run(produce(PRODUCE[kind], text, rest[0], int(rest[1])))
