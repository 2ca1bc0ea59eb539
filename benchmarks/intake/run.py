"""How many events per second `hookctl serve` takes in, beside a bare Starlette handler that only parses and answers.

Figures and method: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hookctl.model import Json
from hookctl.testing.events import generate

HERE = Path(__file__).parent
HOOKCTL = str(Path(sys.executable).parent / "hookctl")
CLIENTS = 32
WEBHOOK = """\
name: Bench
event: anomaly
url: https://siem.example.com/ingest
when: data.title != 'stored only'
body_template: '{"id": "{{ id }}", "title": "{{ data.title }}"}'
"""
SHARE, P99_MS = 1 / 3, 50.0
"""The targets: of the bare handler's events, and at half load."""


@dataclass(frozen=True)
class Server:
    """A process that takes in events."""

    pid: int
    port: int
    token: str
    receiver: int = 0
    """The process to which it delivers, if it does."""


@contextmanager
def process(name: Path) -> Iterator[tuple[int, str]]:
    """The id of a process, and the first line that it prints. It ends when its standard input does."""
    with subprocess.Popen([sys.executable, str(name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin
        assert run.stdout
        try:
            yield run.pid, run.stdout.readline()
        finally:
            run.stdin.close()


@contextmanager
def serve(root: Path, receiver: int, target: str) -> Iterator[Server]:
    """`hookctl serve` with one webhook, which delivers to the receiver, a process on loopback."""
    port, ca_file = target.split()
    subprocess.run([HOOKCTL, "apply", "--auto-approve"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    create = [HOOKCTL, "tokens", "create", "bench", "--scope", "intake"]
    token = subprocess.run(create, cwd=root, check=True, capture_output=True, text=True).stdout.strip()
    options = ["--listen", "127.0.0.1:0", "--connect-to", f"siem.example.com:443:127.0.0.1:{port}", "--cacert", ca_file]
    run = subprocess.Popen(
        [HOOKCTL, "serve", *options], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr
    try:
        line = run.stderr.readline()
        if not line.startswith("Serving "):
            sys.exit(line + run.stderr.read())
        yield Server(run.pid, int(line.rpartition(":")[2]), token, receiver)
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)


def load(server: Server, event: Path, *, seconds: float, first: int, rate: float = 0) -> dict[str, float]:
    """What the clients measured, with the CPU time that the server and the receiver used for each event."""
    values = [server.port, server.token, CLIENTS, seconds, rate, first, event]
    before, before_there = cpu_seconds(server.pid), cpu_seconds(server.receiver)
    command = [sys.executable, str(HERE / "clients.py"), *map(str, values)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    used, used_there = cpu_seconds(server.pid) - before, cpu_seconds(server.receiver) - before_there
    return result | {"cpu_us": used / result["sent"] * 1e6, "receiver_us": used_there / result["sent"] * 1e6}


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its children; 0 for no process."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def counts(root: Path) -> dict[str, int]:
    """The number of events, and of deliveries by status."""
    with sqlite3.connect(root / ".hookctl/hookctl.db") as store:
        (events,) = store.execute("SELECT count(*) FROM events").fetchone()
        return {"events": events} | dict(store.execute("SELECT status, count(*) FROM deliveries GROUP BY status"))


def wait_until_delivered(root: Path) -> None:
    until = time.monotonic() + 120
    while counts(root).get("waiting", 0) and time.monotonic() < until:
        time.sleep(0.2)


Found = dict[str, list[dict[str, float]]]


def measure(root: Path, events: tuple[Path, Path], receiver: tuple[int, str], options: argparse.Namespace) -> Found:
    """``events`` are one that a webhook receives, and one that no webhook receives."""
    event, unmatched = events
    found: Found = {"bare": [], "alone": [], "full": [], "half": [], "control": []}
    with process(HERE / "bare.py") as (pid, line), serve(root, *receiver) as server:
        bare = Server(pid, int(line), "none")
        for number in range(options.rounds):
            first, seconds = number * 10**9, options.seconds
            found["bare"].append(load(bare, event, seconds=seconds, first=first))
            found["alone"].append(load(server, unmatched, seconds=seconds, first=first))
            found["full"].append(load(server, event, seconds=seconds, first=first + 3 * 10**8))
            wait_until_delivered(root)
            rate = found["full"][-1]["per_second"] / 2
            found["half"].append(load(server, event, seconds=seconds, first=first + 6 * 10**8, rate=rate))
            wait_until_delivered(root)
            found["control"].append(load(bare, event, seconds=seconds, first=first, rate=rate))
    sent = {name: sum(one["sent"] for one in loads) for name, loads in found.items()}
    kept, to_deliver = counts(root), sent["full"] + sent["half"]
    if kept["events"] != sent["alone"] + to_deliver or kept.get("delivered") != to_deliver:
        sys.exit(f"{sent} events were sent, and the store has {kept}")
    return found


NAMES = {
    "bare": "bare handler",
    "alone": "`hookctl serve`, no webhook matches",
    "full": "`hookctl serve`, while it delivers",
    "half": "the same at half of that load",
    "control": "bare handler at that load: what the machine allows",
}


def report(found: Found) -> None:
    def median(name: str, key: str) -> float:
        return statistics.median(one[key] for one in found[name])

    print(
        "| 32 clients | events per second | p50 ms | p99 ms | CPU us for one event | of the receiver |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    for name, shown in NAMES.items():
        values = [median(name, key) for key in ("per_second", "p50_ms", "p99_ms", "cpu_us", "receiver_us")]
        print("| {} | {:,.0f} | {:.1f} | {:.1f} | {:.0f} | {:.0f} |".format(shown, *values))
    print()
    for name in ("alone", "full"):
        rates = zip(found[name], found["bare"], strict=True)
        share = statistics.median(one["per_second"] / bare["per_second"] for one, bare in rates)
        print(f"{NAMES[name]}: {share:.2f} of the bare handler ({'met' if share >= SHARE else 'missed'})")
    p99 = median("half", "p99_ms")
    print(f"p99 at half load: {p99:.1f} ms ({'met' if p99 < P99_MS else 'missed'})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement, after one second of warm-up")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    receiver = process(HERE.parent / "receiver.py")
    with tempfile.TemporaryDirectory(prefix="hookctl-intake-") as folder, receiver as target:
        root = Path(folder)
        (document,) = generate(1)
        event, unmatched = root / "event.json", root / "unmatched.json"
        event.write_text(json.dumps(document))
        unmatched.write_text(
            json.dumps({**document, "data": {**cast("dict[str, Json]", document["data"]), "title": "stored only"}})
        )
        (root / "webhooks.d").mkdir()
        (root / "webhooks.d/bench.yaml").write_text(WEBHOOK)
        report(measure(root, (event, unmatched), target, options))


if __name__ == "__main__":
    main()
