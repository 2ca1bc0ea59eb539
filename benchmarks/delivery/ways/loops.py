"""The loops of senders.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from delivery.measure import Done, Group, Job, TurnError
from delivery.work import Site

SENDERS = Path(__file__).parents[1] / "senders.py"


def loop(name: str) -> Callable[[Site, Job, Group], Done]:
    """A turn of one loop, without the start of its process."""

    def turn(site: Site, job: Job, group: Group) -> Done:
        words = (name, site.sink.url, site.sink.ca_file, str(site.body), job.prefix, str(job.count), str(job.rate or 0))
        process = group.start(sys.executable, str(SENDERS), *words, cwd=site.root, stdin=subprocess.PIPE)
        before = ready(process, group)
        start = go(process)
        group.wait(process)
        cpu = group.cpu() - before
        return Done(start, job.ids, site.sink.receipts(job.ids), cpu)

    return turn


def ready(process: subprocess.Popen[bytes], group: Group) -> float:
    """Wait until the process says that it is ready; the group's time until then. Raises TurnError."""
    assert process.stdout is not None
    if process.stdout.readline().strip() != b"ready":
        raise TurnError(group.last_words())
    return group.cpu()


def go(process: subprocess.Popen[bytes]) -> float:
    """Let it begin; when it did, in epoch seconds."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()
    return float(process.stdout.readline())
