"""Stores events for workers of hookctl: ``producer.py STORE FILE``. The file has one JSON event a line."""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from hookctl import open_queue

BATCH = 200
"""Events that are stored at once, as by the other producers."""

if __name__ == "__main__":
    store, file = sys.argv[1:]
    events = [json.loads(line) for line in Path(file).read_bytes().splitlines()]
    gc.freeze()  # a real producer does not have all of its events at once
    with open_queue(store) as queue:
        print("ready", flush=True)
        sys.stdin.readline()
        print(time.time(), flush=True)
        for first in range(0, len(events), BATCH):
            queue.enqueue(events[first : first + BATCH])
