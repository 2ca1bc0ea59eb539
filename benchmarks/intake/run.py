"""How many events per second `hookctl serve` takes in, beside a bare Starlette handler. Figures: benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hookctl.testing.events import generate
from hookctl.testing.receiver import Receiver

HERE = Path(__file__).parent
HOOKCTL = str(Path(sys.executable).parent / "hookctl")
WEBHOOK = """\
name: Bench
event: {event}
url: https://siem.example.com/ingest
body_template: '{{"id": "{{{{ id }}}}", "title": "{{{{ data.title }}}}"}}'
"""


@contextmanager
def bare() -> Iterator[tuple[int, int]]:
    command = [sys.executable, str(HERE / "bare.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.stdin.close()


@contextmanager
def receiver() -> Iterator[tuple[int, str]]:
    command = [sys.executable, str(HERE.parent / "receiver.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        port, ca_file = process.stdout.readline().split()
        try:
            yield int(port), ca_file
        finally:
            process.stdin.close()


@contextmanager
def serve(root: Path, port: int, ca_file: str) -> Iterator[tuple[int, int, str]]:
    """The port and a token of `hookctl serve`."""
    run = subprocess.run
    run([HOOKCTL, "apply", "--auto-approve"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    token = run(
        [HOOKCTL, "tokens", "create", "bench", "--scope", "intake"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()
    options = ["--listen", "127.0.0.1:0", "--connect-to", f"siem.example.com:443:127.0.0.1:{port}", "--cacert", ca_file]
    command = [HOOKCTL, "serve", *options]
    if profile := os.environ.get("BENCH_PROFILE"):
        command = [sys.executable, "-X", "importtime", *command] if profile == "import" else profile.split() + command
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        line = process.stderr.readline()
        yield process.pid, int(line.rpartition(":")[2]), token
    finally:
        process.send_signal(signal.SIGTERM)
        print(process.communicate(timeout=60)[1][-2000:], file=sys.stderr)


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(pid: int, port: int, token: str, *, seconds: float, rate: float = 0, first: int, event: Path) -> dict[str, Any]:
    values = [str(port), token, "32", str(seconds), str(rate), str(first), str(event)]
    before = cpu_seconds(pid)
    done = subprocess.run(
        [sys.executable, str(HERE / "clients.py"), *values], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    result["cpu_us"] = (cpu_seconds(pid) - before) / result["sent"] * 1e6
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--unmatched", action="store_true", help="no webhook receives the events")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hookctl-intake-") as folder, receiver() as (target, ca_file):
        root = Path(folder)
        (event,) = generate(1)
        file = root / "event.json"
        file.write_text(json.dumps(event))
        (root / "webhooks.d").mkdir()
        (root / "webhooks.d/bench.yaml").write_text(WEBHOOK.format(event="anomaly"))
        with bare() as (pid, port):
            print("bare", load(pid, port, "-", seconds=options.seconds, first=0, event=file))
            base = load(pid, port, "-", seconds=options.seconds, first=0, event=file)
            print("bare", base)
        if options.unmatched:
            text = WEBHOOK.format(event="anomaly") + "when: data.title == 'never'\n"
            (root / "webhooks.d/bench.yaml").write_text(text)
        with serve(root, target, ca_file) as (pid, port, token):
            full = load(pid, port, token, seconds=options.seconds, first=0, event=file)
            print("full", full, "share", full["per_second"] / base["per_second"])
            half = load(pid, port, token, seconds=options.seconds, rate=full["per_second"] / 2, first=10**9, event=file)
            print("half", half)
        with sqlite3.connect(root / ".hookctl/hookctl.db") as store:
            print(
                "stored", store.execute("SELECT count(*) FROM events").fetchone()[0], "of", full["sent"] + half["sent"],
                store.execute("SELECT status, count(*) FROM deliveries GROUP BY status").fetchall(),
            )


if __name__ == "__main__":
    main()
