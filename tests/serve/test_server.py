"""The thread of the HTTP server."""

from __future__ import annotations

import asyncio
import socket
from threading import Thread
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hookctl.serve import server


class Finished(Thread):
    """A thread that has ended once it was started."""

    def start(self) -> None:
        super().start()
        self.join()


def test_a_server_that_is_asked_to_stop_while_it_starts_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has closed its listener before anyone asks for its address."""
    made: Any = Finished
    monkeypatch.setattr(server, "Thread", made)
    with server.serving(Starlette(), "127.0.0.1", 0, stopping=lambda: True) as (host, port):
        assert host == "127.0.0.1"
        assert port > 0


async def endless(_: Request) -> Response:
    await asyncio.sleep(60)
    return Response()


def test_a_request_that_is_cut_when_the_server_stops_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback for each slow client would hide what matters."""
    monkeypatch.setattr(server, "STOP_SECONDS", 0)
    with (
        socket.socket() as client,
        server.serving(Starlette(routes=[Route("/", endless)]), "127.0.0.1", 0) as address,
    ):
        client.connect(address)
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert not [record for record in caplog.records if record.exc_info]
