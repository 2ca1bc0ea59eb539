"""Progress off a terminal: nothing for what is done at once, then a line now and then."""

from __future__ import annotations

import time

import pytest

from hookctl.cli.progress import FIRST_LOG_SECONDS, LOG_SECONDS, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_is_done_at_once_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress()
    clock[0] += FIRST_LOG_SECONDS / 2
    shown.update(lambda: "1 of 2")
    shown.clear()
    assert capsys.readouterr() == ("", "")


def test_what_takes_longer_says_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress()
    for step in range(100):
        clock[0] += FIRST_LOG_SECONDS
        shown.update(lambda step=step: f"{step} of 100")  # type: ignore[misc]  # a lambda with a default
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "0 of 100"
    assert len(lines) == 100 * FIRST_LOG_SECONDS / LOG_SECONDS
