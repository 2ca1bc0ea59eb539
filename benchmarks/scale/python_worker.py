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
from pathlib import Path
from typing import Any

CONCURRENCY = 100
BATCH = 200
"""Jobs that the producer adds at once."""
QUEUE = os.environ["BENCH_QUEUE"]
Post = Callable[[str, str], Awaitable[None]]
Add = Callable[[list[tuple[str, str]]], Awaitable[object]]


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
    import asyncpg
    from pgqueuer import PgQueuer

    queue = PgQueuer.from_asyncpg_pool(await asyncpg.create_pool(QUEUE, max_size=10))
    post = poster()

    @queue.entrypoint("deliver")
    async def deliver(job: Any) -> None:
        await post(*json.loads(job.payload))

    # Twice the batch is the least that it accepts.
    await queue.run(batch_size=CONCURRENCY // 2, max_concurrent_tasks=CONCURRENCY, dequeue_timeout=timedelta(seconds=1))


async def produce_pgqueuer() -> Add:
    import asyncpg
    from pgqueuer import Queries
    from pgqueuer.db import AsyncpgDriver

    queries = Queries(AsyncpgDriver(await asyncpg.connect(QUEUE)))
    if not await queries.has_table("pgqueuer"):
        await queries.install()

    async def add(jobs: list[tuple[str, str]]) -> None:
        payloads: list[bytes | None] = [json.dumps(job).encode() for job in jobs]
        await queries.enqueue(["deliver"] * len(jobs), payloads, [0] * len(jobs))

    return add


def procrastinate_app() -> tuple[Any, Any]:
    import procrastinate

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=QUEUE, max_size=10))
    posts: list[Post] = []

    @app.task(name="deliver")
    async def deliver(name: str, body: str) -> None:
        if not posts:
            posts.append(poster())
        await posts[0](name, body)

    return app, deliver


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


async def produce(begin: Callable[[], Awaitable[Add]], prefix: str, count: int) -> None:
    add = await begin()
    body = Path(os.environ["BENCH_BODY_FILE"]).read_text(encoding="utf-8")
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
        uvloop.run(produce(PRODUCE[kind], rest[0], int(rest[1])))
