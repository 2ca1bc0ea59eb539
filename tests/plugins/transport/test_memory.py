"""What a hostile target sends costs a bounded amount of memory, in Python and below it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

CHILD = """
import contextlib, resource, sys
import requests
from hookctl.errors import TransportError
from hookctl.network import Network
from hookctl.plugin.host import load_plugins

kind, port, ca_file = sys.argv[1:]
network = Network(connect_to={"siem.example.com": ("127.0.0.1", int(port))}, ca_file=ca_file)
adapter = load_plugins().transports[kind].build({}, network)

def send(path):
    prepared = requests.Request("POST", "https://siem.example.com" + path, data=b"{}").prepare()
    with contextlib.suppress(TransportError):
        adapter.send(prepared, timeout=2)

send("/ingest")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
send("/bomb")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(
    "misbehavior",
    [Misbehavior.GZIP_BOMB, Misbehavior.HUGE_BODY, Misbehavior.ENDLESS_HEADERS, Misbehavior.ENDLESS_CONTINUE],
)
def test_peak_memory(kind: str, receiver: Receiver, misbehavior: Misbehavior) -> None:
    receiver.answer("/bomb", Answer(misbehave=misbehavior, pace=0.0))
    child = subprocess.run(
        [sys.executable, "-c", CHILD, kind, str(receiver.port), receiver.ca_file],
        capture_output=True,
        text=True,
        check=True,
    )
    assert receiver.count == 2
    assert int(child.stdout) < 8 * 1024, (
        "KiB more than after an ordinary response"
    )  # the bombs are 60 MB, 1 GiB and without end
