"""The implementation of each misbehavior on one connection."""

from __future__ import annotations

import gzip
from asyncio import sleep
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Protocol

from hookctl.testing.answers import Answer, Misbehavior


class Sender(Protocol):
    """The methods of a connection that a misbehavior uses."""

    async def write(self, data: bytes) -> None:
        """Send all of ``data``. Raises OSError if the client has disconnected."""
        ...

    def close(self) -> None:
        """Close the connection with a close_notify."""
        ...

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        ...


async def _trickle(sender: Sender, data: bytes, pace: float) -> None:
    for byte in data:
        await sender.write(bytes((byte,)))
        await sleep(pace)


async def _trickle_headers(sender: Sender, answer: Answer) -> None:
    await _trickle(sender, answer.head()[:-2], answer.pace)
    while True:
        await _trickle(sender, b"X-Slow: 1\r\n", answer.pace)


async def _trickle_body(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Length", "1000000")))
    while True:
        await _trickle(sender, b" ", answer.pace)


async def _endless_headers(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head()[:-2])
    while True:
        await sender.write(b"X-Endless: 0123456789\r\n" * 40)


async def _endless_continue(sender: Sender, answer: Answer) -> None:
    while True:
        await sender.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await sleep(answer.pace)


async def _cut_status(sender: Sender, _: Answer) -> None:
    await sender.write(b"HTTP/1.1 200")
    sender.close()


async def _cut_headers(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Length", str(len(answer.body))))[:-2])
    sender.close()


async def _cut_body(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Length", str(2 * len(answer.body)))) + answer.body)
    sender.close()


async def _cut_chunks(sender: Sender, answer: Answer) -> None:
    await sender.write(
        answer.head(("Transfer-Encoding", "chunked")) + b"%x\r\n%b\r\n" % (len(answer.body), answer.body)
    )
    sender.close()


async def _unframed(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Connection", "close")) + answer.body)
    sender.close()


async def _unframed_reset(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Connection", "close")) + answer.body)
    await sleep(answer.pace)  # the reset discards data that has not arrived yet
    sender.reset()


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(60_000_000), mtime=0)


async def _gzip_bomb(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Encoding", "gzip"), ("Content-Length", str(len(_bomb())))) + _bomb())


async def _huge_body(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Length", str(1 << 30))))
    for _ in range(1 << 14):
        await sender.write(b"x" * (1 << 16))


async def _no_answer(_: Sender, __: Answer) -> None:
    await sleep(3600)


async def _close(sender: Sender, _: Answer) -> None:
    sender.close()


async def _reset(sender: Sender, _: Answer) -> None:
    sender.reset()


async def _reset_body(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.head(("Content-Length", str(2 * len(answer.body)))) + answer.body)
    await sleep(answer.pace)  # the reset discards data that has not arrived yet
    sender.reset()


async def _not_http(sender: Sender, _: Answer) -> None:
    await sender.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    sender.close()


async def _close_after(sender: Sender, answer: Answer) -> None:
    await sender.write(answer.wire())
    sender.close()


SENDERS: Mapping[Misbehavior, Callable[[Sender, Answer], Awaitable[None]]] = {
    Misbehavior.TRICKLE_HEADERS: _trickle_headers,
    Misbehavior.TRICKLE_BODY: _trickle_body,
    Misbehavior.ENDLESS_HEADERS: _endless_headers,
    Misbehavior.ENDLESS_CONTINUE: _endless_continue,
    Misbehavior.CUT_STATUS: _cut_status,
    Misbehavior.CUT_HEADERS: _cut_headers,
    Misbehavior.CUT_BODY: _cut_body,
    Misbehavior.CUT_CHUNKS: _cut_chunks,
    Misbehavior.UNFRAMED: _unframed,
    Misbehavior.UNFRAMED_RESET: _unframed_reset,
    Misbehavior.GZIP_BOMB: _gzip_bomb,
    Misbehavior.HUGE_BODY: _huge_body,
    Misbehavior.NO_ANSWER: _no_answer,
    Misbehavior.CLOSE: _close,
    Misbehavior.RESET: _reset,
    Misbehavior.RESET_BODY: _reset_body,
    Misbehavior.NOT_HTTP: _not_http,
    Misbehavior.CLOSE_AFTER: _close_after,
}
