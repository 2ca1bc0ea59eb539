"""The stores of request handlers, and the thread that counts attempts."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hookctl.errors import StoreError
from hookctl.serve import counting
from hookctl.serve.counting import AttemptCounter
from hookctl.serve.server import serving
from hookctl.serve.stores import Stores, in_store
from hookctl.store.interface import Store
from hookctl.store.sqlite.store import SqliteStore

SECONDS = 20.0
"""After which a test gives up."""


@pytest.fixture
def open_one(tmp_path: Path) -> Callable[[], Store]:
    return lambda: SqliteStore(tmp_path / "hookctl.db")


def test_handlers_share_a_few_stores_and_never_block_the_event_loop(open_one: Callable[[], Store]) -> None:
    opened: list[Store] = []
    together = threading.Barrier(2)

    def open_counted() -> Store:
        opened.append(open_one())
        return opened[-1]

    def work(store: Store, number: int, *, name: str) -> list[object]:
        together.wait(SECONDS)  # the next request is answered while this one waits
        return [store.serial(), number, name, threading.current_thread().name.split("_")[0]]

    async def answer(request: Request) -> JSONResponse:
        return JSONResponse(await in_store(request, work, 7, name="x"))

    async def fail(request: Request) -> JSONResponse:
        with pytest.raises(ZeroDivisionError):
            await in_store(request, lambda _: 1 // 0)
        return JSONResponse("failed")

    stores = Stores(open_counted, 2)
    application = Starlette(routes=[Route("/", answer), Route("/fail", fail)])
    application.state.context = SimpleNamespace(stores=stores)
    with serving(application, "127.0.0.1", 0) as (host, port), ThreadPoolExecutor(6) as clients:

        def get(path: str) -> object:
            with urlopen(f"http://{host}:{port}{path}", timeout=SECONDS) as response:
                return json.load(response)

        assert [*clients.map(get, ["/"] * 6)] == [[0, 7, "x", "hookctl-page"]] * 6
        assert len(opened) == 2
        assert get("/fail") == "failed"
    stores.close()
    for store in opened:
        with pytest.raises(StoreError, match="closed database"):
            store.serial()


def test_new_attempts_are_counted(
    tmp_path: Path, open_one: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COUNT_SECONDS", 0.01)
    monkeypatch.setattr(counting, "RETRY_SECONDS", 0.01)
    trouble = [StoreError("the store cannot be used")] * 2

    def open_later() -> Store:
        if trouble:
            raise trouble.pop()
        return open_one()

    store = open_one()
    counter = AttemptCounter(open_later)
    counter.start()
    with closing(sqlite3.connect(tmp_path / "hookctl.db", isolation_level=None)) as connection:
        for number in range(1, 4):
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(
                "INSERT INTO attempts (seq, delivery, record, started_at, seconds, result, delivered)"
                " VALUES (?, 1, '{}', 1.0, 1.0, '200', 1)",
                (number,),
            )
            deadline = time.monotonic() + SECONDS
            while store.progress().counted < number:
                assert time.monotonic() < deadline
                time.sleep(0.005)
    counter.close()
    store.close()
