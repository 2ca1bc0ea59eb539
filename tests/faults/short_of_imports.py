"""Delivers what waits, for a while without being able to import anything: a process for tests.

``short_of_imports.py ALLOWED``, in a project's directory: the first ALLOWED modules are imported, and then none for
some steps. Prints which modules were asked for in vain, and why webhooks waited for this machine.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from typing import Any

from hookctl.cli.running import running
from hookctl.cli.session import open_session
from hookctl.delivery.runner.sending import deliver

STEPS = 15
STAY = 10.0
"""Seconds for what is tried again."""


class Refusing:
    """Finds no module: as if each file that could hold one could not be opened."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.refused: set[str] = set()

    def find_spec(self, name: str, *_: Any) -> None:
        if self.allowed > 0:
            self.allowed -= 1
            return
        self.refused.add(name)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), f"{name}.py")


def run(allowed: int) -> None:
    refusing = Refusing(allowed)
    session = open_session(directory=None, store=os.environ["HOOKCTL_STORE"], config=None, color="never", debug=False)
    session.load_plugins()
    network = session.network((*os.environ["HOOKCTL_CONNECT_TO"].split(),), os.environ["HOOKCTL_CACERT"])
    with running(session, network, stopping=lambda: False) as (runner, queue):
        sys.meta_path.insert(0, refusing)
        for _ in range(STEPS):
            runner.step(0.02)
            time.sleep(0.02)
        sys.meta_path.remove(refusing)
        local_failures = sorted(runner.tally.local_failures)
        deliver(runner, queue, wait=STAY, stopping=lambda: False, progress=lambda: None)
    sys.stdout.write(json.dumps({"refused": sorted(refusing.refused), "local_failures": local_failures}))


if __name__ == "__main__":
    run(int(sys.argv[1]))
