"""The HTTP server, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import uvicorn
import uvloop

from hookctl.errors import SettingsError
from hookctl.serve.access.headers import SECURITY_HEADERS
from hookctl.serve.connections import Connection, sweeping

if TYPE_CHECKING:
    from starlette.types import ASGIApp

BACKLOG = 1024
MOST_CONNECTIONS = 1000
STOP_SECONDS = 5
"""Seconds that requests in progress may take to end when the server stops."""


class _Server(uvicorn.Server):
    """A server that stops once ``stopping()`` is true; it looks ten times a second."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], bool]) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stopping()


@contextmanager
def serving(
    application: ASGIApp,
    host: str,
    port: int,
    most_connections: int = MOST_CONNECTIONS,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[str, int]]:
    """Serve inside the block; yields the address, with the port that the system chose if ``port`` is 0.

    At the end, or once ``stopping()`` is true, it accepts no more connections and closes each one after its request.
    Requests in progress have :data:`STOP_SECONDS`, but end at once if Ctrl-C ends the block.

    ``most_connections``: at the same time; a request on a further one gets 503.

    Raises SettingsError if the address cannot be used.
    """
    listener = _listen(host, port)
    address = listener.getsockname()[:2]  # before the server starts: it closes the listener when it stops
    config = uvicorn.Config(
        application,
        access_log=False,  # has the query
        log_config=None,
        log_level="error",  # not of what clients do wrong
        headers=[*SECURITY_HEADERS],
        http=Connection,
        limit_concurrency=most_connections,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="off",
        ws="none",
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
    server = _Server(config, stopping)
    ended = Event()  # an interrupted Thread.join() would take the thread for one that has ended
    Thread(target=_run, args=(server, listener, ended), name="hookctl-http", daemon=True).start()
    try:
        yield address
        server.should_exit = True
        ended.wait()
    except KeyboardInterrupt:
        logging.getLogger("uvicorn.error").disabled = True  # it would show where each request was when it was cut
        server.force_exit = True
        raise
    finally:
        server.should_exit = True
        ended.wait()
        listener.close()


def _is_no_cut(record: logging.LogRecord) -> bool:
    """Not that a request was cut when the server stopped: the log of requests has a line without a status for it."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"--listen: {host}:{port} cannot be used: {error.strerror}", hint="Choose another address or port."
        ) from error


def _run(server: uvicorn.Server, listener: socket.socket, ended: Event) -> None:
    try:
        # uvloop also turns Nagle's algorithm off, which would delay each answer by 40 ms.
        uvloop.run(_serve(server, listener))
    finally:
        ended.set()


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    async with sweeping(server.server_state.connections):
        await server.serve(sockets=[listener])
