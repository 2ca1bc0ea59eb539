"""Clients that post events over kept-alive connections: as fast as they are answered, or at a rate.

They are one process with one thread: it writes requests that are made beforehand and looks only for the status and the
end of each response, which takes it about a tenth of what a server needs for one.

Usage: clients.py PORT TOKEN CONNECTIONS SECONDS RATE FIRST EVENT, with rate 0 for as fast as possible. It prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from itertools import count
from pathlib import Path
from typing import cast

import uvloop

ID = "bench-000000000000"
WARM_UP = 1.0
"""Seconds that are not counted."""
TICK = 0.001
"""Seconds between two looks for what is due. uvloop's timers count milliseconds: less would keep a core busy."""


class Client(asyncio.Protocol):
    """One connection. ``load`` says when the next request is due."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.due = 0.0
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are not of this class
        self.load.idle(self)

    def send(self, due: float) -> None:
        self.due, self.is_busy = due, True
        self.transport.write(self.load.request())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer, self.is_busy = b"", False
        self.load.answered(time.perf_counter() - self.due, head[9:12] == b"202")
        self.load.idle(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # as asyncio has it
        self.load.failed += self.is_busy


class Load:
    """Makes the requests, and counts the answers that come between the warm-up and the end."""

    def __init__(self, request: bytes, rate: float, first: int, seconds: float) -> None:
        self.before, self.after = request.split(ID.encode())
        self.numbers, self.rate = count(first), rate
        self.begin = time.perf_counter() + WARM_UP
        self.end = self.begin + seconds
        self.sent, self.failed = 0, 0
        self.times: list[float] = []
        self.waiting: list[Client] = []
        self.started = time.perf_counter()

    def request(self) -> bytes:
        self.sent += 1
        return b"%bbench-%012d%b" % (self.before, next(self.numbers), self.after)

    def answered(self, seconds: float, is_good: bool) -> None:
        if self.begin <= time.perf_counter() < self.end:
            self.times.append(seconds)
            self.failed += not is_good

    def idle(self, client: Client) -> None:
        now = time.perf_counter()
        if now >= self.end:
            return
        due = self.started + self.sent / self.rate if self.rate else now
        if due > now:
            self.waiting.append(client)
        else:
            client.send(due)

    async def run(self) -> None:
        """Start what is due: a request that no connection was free for counts from when it was due."""
        while (now := time.perf_counter()) < self.end:
            while self.rate and self.waiting and self.started + self.sent / self.rate <= now:
                self.waiting.pop(0).send(self.started + self.sent / self.rate)
            await asyncio.sleep(TICK if self.rate else 0.05)
        await asyncio.sleep(0.5)


async def main(port: int, connections: int, load: Load) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Client(load), "127.0.0.1", port)
    await load.run()


if __name__ == "__main__":
    _, port, token, connections, seconds, rate, first, file = sys.argv
    event = {**json.loads(Path(file).read_text()), "id": ID}
    body = json.dumps(event, separators=(",", ":")).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    load = Load(head.encode() + body, float(rate), int(first), float(seconds))
    cpu = time.process_time()
    uvloop.run(main(int(port), int(connections), load))
    times = sorted(load.times)
    percentiles = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    print(
        json.dumps(
            {
                "per_second": len(times) / float(seconds),
                "failed": load.failed,
                "sent": load.sent,
                "p50_ms": percentiles[49] * 1000,
                "p99_ms": percentiles[98] * 1000,
                "max_ms": times[-1] * 1000 if times else 0.0,
                "cpu": (time.process_time() - cpu) / (float(seconds) + WARM_UP),
            }
        )
    )
