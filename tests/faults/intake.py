"""An application that takes in events, acknowledges each, and delivers them: a process for tests to kill.

``intake.py ACKNOWLEDGED MOCK FIRST COUNT``, in a project's directory: stores the events from ``e{FIRST}`` on, each a
copy of the JSON object in MOCK. Once an event is stored, its id becomes a line in ACKNOWLEDGED, which stands for the
202 that a client of the application would get.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hookctl.cli.running import running
from hookctl.cli.session import open_session
from hookctl.delivery.runner.sending import deliver
from hookctl.model import Event

STAY = 5.0
"""Seconds for retries."""


def take_in(acknowledged: str, mock: str, first: str, count: str) -> None:
    document = json.loads(Path(mock).read_text(encoding="utf-8"))
    session = open_session(directory=None, store=os.environ["HOOKCTL_STORE"], config=None, color="never", debug=False)
    network = session.network((os.environ["HOOKCTL_CONNECT_TO"],), os.environ["HOOKCTL_CACERT"])
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with running(session, network, stopping=lambda: False) as (runner, queue):
        for number in range(int(first), int(first) + int(count)):
            name = f"e{number}"
            runner.accept([Event(name, "anomaly", 1.0, {**document, "id": name})])
            os.write(file, f"{name}\n".encode())
            runner.step(0.0)
        deliver(runner, queue, wait=STAY, stopping=lambda: False, progress=lambda: None)


if __name__ == "__main__":
    take_in(*sys.argv[1:])
