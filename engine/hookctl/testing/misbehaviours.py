"""The misbehaviours, each as a coroutine over one connection."""

from __future__ import annotations

import gzip
from asyncio import sleep
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Protocol

from hookctl.testing.answers import Answer, Misbehaviour


class Stage(Protocol):
    """What a misbehaviour can do with its connection."""

    async def write(self, data: bytes) -> None:
        """Send all of ``data``. Ends the misbehaviour if the client has closed the connection."""
        ...

    def close(self) -> None:
        """End the connection normally."""
        ...

    def reset(self) -> None:
        """End the connection by a TCP reset."""
        ...


async def _trickle(stage: Stage, data: bytes, pace: float) -> None:
    for byte in data:
        await stage.write(bytes((byte,)))
        await sleep(pace)


async def _trickle_headers(stage: Stage, answer: Answer) -> None:
    await _trickle(stage, answer.head()[:-2], answer.pace)
    while True:
        await _trickle(stage, b"X-Slow: 1\r\n", answer.pace)


async def _trickle_body(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Length", "1000000")))
    while True:
        await _trickle(stage, b" ", answer.pace)


async def _endless_headers(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head()[:-2])
    while True:
        await stage.write(b"X-Endless: 0123456789\r\n" * 40)


async def _endless_continue(stage: Stage, answer: Answer) -> None:
    while True:
        await stage.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await sleep(answer.pace)


async def _cut_status(stage: Stage, _: Answer) -> None:
    await stage.write(b"HTTP/1.1 200")
    stage.close()


async def _cut_headers(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Length", str(len(answer.body))))[:-2])
    stage.close()


async def _cut_body(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Length", str(2 * len(answer.body)))) + answer.body)
    stage.close()


async def _cut_chunks(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Transfer-Encoding", "chunked")) + b"%x\r\n%b\r\n" % (len(answer.body), answer.body))
    stage.close()


async def _unframed(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Connection", "close")) + answer.body)
    stage.close()


async def _unframed_reset(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Connection", "close")) + answer.body)
    await sleep(answer.pace)  # so that the sent bytes arrive before the reset discards them
    stage.reset()


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(60_000_000), mtime=0)


async def _gzip_bomb(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Encoding", "gzip"), ("Content-Length", str(len(_bomb())))) + _bomb())


async def _huge_body(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Length", str(1 << 30))))
    for _ in range(1 << 14):
        await stage.write(b"x" * (1 << 16))


async def _no_answer(_: Stage, __: Answer) -> None:
    await sleep(3600)


async def _close(stage: Stage, _: Answer) -> None:
    stage.close()


async def _reset(stage: Stage, _: Answer) -> None:
    stage.reset()


async def _reset_body(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.head(("Content-Length", str(2 * len(answer.body)))) + answer.body)
    await sleep(answer.pace)  # so that the sent bytes arrive before the reset discards them
    stage.reset()


async def _not_http(stage: Stage, _: Answer) -> None:
    await stage.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    stage.close()


async def _close_after(stage: Stage, answer: Answer) -> None:
    await stage.write(answer.wire())
    stage.close()


PLAYS: Mapping[Misbehaviour, Callable[[Stage, Answer], Awaitable[None]]] = {
    Misbehaviour.TRICKLE_HEADERS: _trickle_headers,
    Misbehaviour.TRICKLE_BODY: _trickle_body,
    Misbehaviour.ENDLESS_HEADERS: _endless_headers,
    Misbehaviour.ENDLESS_CONTINUE: _endless_continue,
    Misbehaviour.CUT_STATUS: _cut_status,
    Misbehaviour.CUT_HEADERS: _cut_headers,
    Misbehaviour.CUT_BODY: _cut_body,
    Misbehaviour.CUT_CHUNKS: _cut_chunks,
    Misbehaviour.UNFRAMED: _unframed,
    Misbehaviour.UNFRAMED_RESET: _unframed_reset,
    Misbehaviour.GZIP_BOMB: _gzip_bomb,
    Misbehaviour.HUGE_BODY: _huge_body,
    Misbehaviour.NO_ANSWER: _no_answer,
    Misbehaviour.CLOSE: _close,
    Misbehaviour.RESET: _reset,
    Misbehaviour.RESET_BODY: _reset_body,
    Misbehaviour.NOT_HTTP: _not_http,
    Misbehaviour.CLOSE_AFTER: _close_after,
}
