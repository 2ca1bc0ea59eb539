"""The thread of the HTTP server."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from starlette.applications import Starlette

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
