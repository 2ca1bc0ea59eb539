"""What observers cost: the processor time of a delivery by `hookctl send` with none, and with each built-in one.

Figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from hookctl.testing.events import generate

HOOKCTL = str(Path(sys.executable).parent / "hookctl")
WEBHOOK = """\
name: Bench
event: anomaly
url: https://siem.example.com/ingest
body_template: '{"id": "{{ id }}", "severity": "{{ data.severity }}"}'
"""
WAYS = {
    "no observer": "",
    "`jsonl`": '[observers.jsonl]\npath = "audit.jsonl"\n',
    "`opentelemetry`": "[observers.opentelemetry]\n",
}


class Discard(BaseHTTPRequestHandler):
    """A collector that throws away what it gets."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass  # it is called for each request


@contextmanager
def receiving() -> Iterator[dict[str, str]]:
    """The variables with which hookctl reaches a receiver in another process, and a collector in this one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Discard)
    Thread(target=server.serve_forever, daemon=True).start()
    command = [sys.executable, str(Path(__file__).with_name("receiver.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout
        port, ca_file = receiver.stdout.readline().split()
        yield {
            "HOOKCTL_CONNECT_TO": f"siem.example.com:443:127.0.0.1:{port}",
            "HOOKCTL_CACERT": ca_file,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        }
        receiver.communicate()
    server.shutdown()


def cpu_of(root: Path, env: dict[str, str], *args: str) -> float:
    """The processor time of one command, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([HOOKCTL, *args], cwd=root, env=env, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(count: int, rounds: int) -> dict[str, float]:
    """Microseconds of processor time per delivery, by way: the medians of rounds in which the ways take turns."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as directory, receiving() as variables:
        root, env = Path(directory), {**os.environ, **variables}
        (root / "webhooks.d").mkdir()
        (root / "webhooks.d/bench.yaml").write_text(WEBHOOK, encoding="utf-8")
        cpu_of(root, env, "apply", "--auto-approve")
        for number in range(rounds):
            for way, settings in WAYS.items():
                (root / "hookctl.toml").write_text(settings, encoding="utf-8")
                events = ({**event, "id": f"{way}-{number}-{index}"} for index, event in enumerate(generate(count)))
                lines = "".join(json.dumps(event) + "\n" for event in events)
                (root / "events.jsonl").write_text(lines, encoding="utf-8")
                start = cpu_of(root, env, "send", "/dev/null")
                found[way].append((cpu_of(root, env, "send", "events.jsonl") - start) / count * 1e6)
    return {way: statistics.median(times) for way, times in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="deliveries in a round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print("| observer | us per delivery |\n| --- | --- |")
    for way, cost in measure(given.count, given.rounds).items():
        print(f"| {way} | {cost:.0f} |")


if __name__ == "__main__":
    main()
