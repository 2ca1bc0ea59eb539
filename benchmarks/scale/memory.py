"""The memory of a worker over a million deliveries; ``--help`` lists the options."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path

from hookctl import open_queue

BATCH = 500
AHEAD = 20_000
"""Deliveries that wait at most: the producer waits for the worker."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The memory of a worker while it makes many deliveries.")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--looks", type=int, default=10, help="how often to look")
    arguments = parser.parse_args()
    from delivery.ways import end_to_end
    from delivery.ways.end_to_end import HOOKCTL, event_id

    from scale.server import place

    with place() as (site, server, group):
        url = server.new_database(1)
        project = end_to_end.new_project(site, url)
        with (project / "log").open("wb") as log:
            worker = group.start(HOOKCTL, "run", cwd=project, env=end_to_end.environment(), stdout=log)
        made = added = 0
        every = arguments.count // arguments.looks
        print("| deliveries | MB of the worker | MB of the server |\n| --- | --- | --- |")
        began = time.monotonic()
        with open_queue(url) as queue:
            while made < arguments.count:
                if added < arguments.count and added - made < AHEAD:
                    lines = site.lines([event_id(str(added + number)) for number in range(BATCH)])
                    queue.enqueue([json.loads(line) for line in lines])
                    added += BATCH
                else:
                    time.sleep(0.05)
                before, made = made, made + site.sink.count()
                if made // every > before // every:
                    memory = group.memory(worker) / 1e6, group.memory(server.process) / 1e6
                    print(f"| {made:,} | {memory[0]:.1f} | {memory[1]:.0f} |", flush=True)
        seconds = time.monotonic() - began
    print(f"{made / seconds:,.0f} deliveries/s, the producer included")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    import_module("scale.memory").main()
