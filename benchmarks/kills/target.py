"""The target: it answers each request after a pause, and keeps a record of what came in and what it could answer."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from delivery.nginx import ADDRESS, HOST

PAUSE = 0.1
"""Seconds until a request is answered, so that a worker that is killed always has requests in flight."""
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"status":"accepted"}'
LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
ID_IN_BODY = re.compile(rb'"delivery":\s*"([^"]+)"')
ID_IN_HEAD = re.compile(rb"^webhook-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Target:
    """A running target. All times are epoch seconds."""

    root: Path
    tls_port: int = 0
    received: list[tuple[str, float]] = field(default_factory=list)
    """The id of each request, and when all of it was there."""
    answered: list[tuple[str, float]] = field(default_factory=list)
    """The same of each request that was answered, which its sender was still there to read."""

    @property
    def ca_file(self) -> str:
        return str(self.root / "ca.pem")

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.tls_port}/ingest"

    def forget(self) -> None:
        """Begin a new record."""
        self.received.clear()
        self.answered.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = ID_IN_BODY.search(body) or ID_IN_HEAD.search(head)
                name = found[1].decode() if found else "-"
                self.received.append((name, time.time()))
                await asyncio.sleep(PAUSE)
                if reader.at_eof():  # its sender is gone
                    return
                writer.write(ANSWER)
                await writer.drain()
                self.answered.append((name, time.time()))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@contextmanager
def target(root: Path) -> Iterator[Target]:
    """A target with its files in ``root``, which serves in a thread until the end of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST, ADDRESS).configure_cert(context)
    started = Target(root)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(started.serve, ADDRESS, 0, ssl=context, backlog=1024))
    started.tls_port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield started
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _cancel_all() -> None:
    """End what waits for another request."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
