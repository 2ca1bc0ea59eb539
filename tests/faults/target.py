"""A receiver in a process of its own, so that its memory does not count as the sender's.

It prints its port and CA file, and stops when its input ends. ``target.py COUNT``: ``/Together`` answers a second after
COUNT requests have arrived, and not before; ``/Never`` never answers.
"""

from __future__ import annotations

import sys

from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

if __name__ == "__main__":
    with Receiver(keep=1) as receiver:
        receiver.answer("/Together", Answer(together=int(sys.argv[1]), delay=1.0))
        receiver.answer("/Never", Answer(misbehave=Misbehavior.NO_ANSWER))
        sys.stdout.write(f"{receiver.port} {receiver.ca_file}\n")
        sys.stdout.flush()
        sys.stdin.read()
