"""hookctl as on another machine: ``host.py AHEAD ARGUMENT...``, with a clock that is AHEAD seconds ahead.

Nobody can tell from the numbers of its processes whether they have ended.
"""

from __future__ import annotations

import secrets
import sys
import time


def move(seconds: float) -> None:
    """Set the clock of this process, before anything has read it."""
    read = time.time
    time.time = lambda: read() + seconds


def run() -> None:
    from hookctl.store.postgres import workers

    place = secrets.token_hex(6)
    workers._place = lambda: place
    from hookctl.cli.main import main

    main()


if __name__ == "__main__":
    move(float(sys.argv[1]))
    sys.argv = ["hookctl", *sys.argv[2:]]
    run()
