"""The receiver of the benchmarks, in a process of its own.

It prints its port and CA file, and stops when its standard input ends.
"""

from __future__ import annotations

import sys

from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

if __name__ == "__main__":
    with Receiver(hosts=("siem.example.com", "localhost"), keep=1) as receiver:
        receiver.answer("/hole", Answer(misbehave=Misbehavior.NO_ANSWER))
        print(receiver.port, receiver.ca_file, flush=True)
        sys.stdin.read()
