"""``hookctl run`` survives faults: its disk fails for a moment, its siblings are killed, it has to stop."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import warm
from hookctl.model import DeliveryStatus
from hookctl.testing.answers import Answer

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_run(site: Any) -> Iterator[Run]:
    """Starts ``hookctl run``, behind the words of a tracer if they are given; kills what is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        argv = [*words, sys.executable, "-m", "hookctl", "run", "--log", "json"]
        start = subprocess.Popen if words else warm.Popen
        with (site.root / "output").open("a") as output:
            started.append(
                start(argv, cwd=site.root, env=os.environ | site.env, stdout=output, stderr=output, text=True)
            )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def all_delivered(site: Any, count: int) -> Callable[[], bool]:
    def condition() -> bool:
        stored = site.stored()
        return len(stored) == count and set(stored.values()) == {DeliveryStatus.DELIVERED}

    return condition


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(60)


def test_runs_that_are_killed_and_started_again(site: Any, start_run: Run) -> None:
    """Two at a time, one of them killed repeatedly while events come in; the other continues what it left."""
    site.receiver.default = Answer(delay=0.02)
    moments = random.Random(7)  # noqa: S311  # reproducible, not secret
    steady, other = start_run(), start_run()
    for number in range(5):
        assert site.wait(site.start_intake(40 * number, 40)) == 0
        time.sleep(moments.random() * 0.5)
        other.kill()
        other.wait()
        other = start_run()
    site.wait_for(all_delivered(site, 200))
    assert stop(steady) == 0
    assert stop(other) in {0, -signal.SIGTERM}  # it may not have come as far as to heed a signal
    site.check_all_delivered()


@pytest.mark.one_store("sqlite", "it makes writes to the file fail; see test_server.py for a server")
@pytest.mark.parametrize("fault", ["fdatasync:error=EIO", "pwrite64:error=ENOSPC"])
def test_a_disk_that_fails_for_a_moment_does_not_end_a_run(
    site: Any, start_run: Run, strace: Callable[..., list[str]], fault: str
) -> None:
    """It says so and tries again; what it had claimed by then may come twice."""
    site.receiver.default = Answer(delay=0.02)
    process = start_run(*strace(f"{fault}:when=4..12", path=site.store.with_name("hookctl.db-wal"), detached=True))
    for first in range(0, 600, 100):
        site.take_in(100, first)
        site.wait_for(lambda: DeliveryStatus.WAITING not in site.stored().values())
    site.wait_for(all_delivered(site, 600))
    assert stop(process) == 0
    assert '"trouble"' in site.output
    site.check_all_delivered()


@pytest.mark.one_store("sqlite", "what a target does never reaches the store")
def test_a_response_that_is_made_to_cost_much_holds_nobody_up(
    site: Any, start_run: Run, webhook: Callable[..., str]
) -> None:
    """Its validator fails at the budget; the other webhook's deliveries arrive, and the runner stops when asked to."""
    path, expression = "$.data" + "[0,0]" * 30, "data" + "|[@,@]" * 50 + "|to_string(@)"
    validators = f'[{{json_path: "{path}", expected_values: [1]}}, {{type: jmespath, expression: "{expression}"}}]'
    site.apply(
        Good=webhook("Good"),
        Hostile=webhook("Hostile", "retry: {schedule: [1h]}", f"response_validators: {validators}"),
    )
    site.receiver.answer("/Hostile", Answer(body=b"[" * 31 + b"1" + b"]" * 31))
    process = start_run()
    site.take_in(4)

    def settled() -> bool:
        stored = {(webhook, status) for (webhook, _, _), status in site.stored().items()}
        return stored == {("Good", DeliveryStatus.DELIVERED), ("Hostile", DeliveryStatus.RETRYING)}

    site.wait_for(settled)
    assert all("it takes more than 500,000 steps" in reason for reason in site.reasons()["Hostile"])
    site.take_in(4, 4)
    assert stop(process) == 0
