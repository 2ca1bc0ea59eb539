"""Which signals are a request to stop, and which are the same one again."""

from __future__ import annotations

import signal

import pytest

from hookctl.cli import interrupts
from hookctl.cli.interrupts import Interrupts


def test_a_sigterm_that_is_sent_twice_at_once_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("hookctl.cli.interrupts.time.monotonic", lambda: now)
    requests = Interrupts()
    requests.handle(signal.SIGTERM, None)
    requests.handle(signal.SIGTERM, None)
    assert requests.requested
    now += interrupts.REPEAT_SECONDS
    with pytest.raises(KeyboardInterrupt):
        requests.handle(signal.SIGTERM, None)


def test_ctrl_c_always_counts() -> None:
    requests = Interrupts()
    requests.handle(signal.SIGTERM, None)
    with pytest.raises(KeyboardInterrupt):
        requests.handle(signal.SIGINT, None)
