"""How light hookctl starts and how fast it delivers, each beside a plain equivalent in the same run.

Figures and method: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import requests

from hookctl.model import Request, Response
from hookctl.network import Network
from hookctl.plugin import ConcurrentTransport
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.testing.events import generate

HOST = "siem.example.com"
IN_FLIGHT = 64
HOOKCTL = str(Path(sys.executable).parent / "hookctl")
BODY = json.dumps({"event_type": "anomaly", "severity": "High", "title": "t" * 100, "text": "x" * 420}).encode()
HEADERS = {"Content-Type": "application/json", "User-Agent": "hookctl-benchmark"}
WEBHOOK = """\
name: Bench {number}
event: anomaly
url: https://siem.example.com/ingest/{number}
headers:
  X-Source: hookctl
body_template: |
  {{
    "event_type": "{{{{ event_type }}}}",
    "severity": "{{{{ data.severity }}}}",
    "title": "{{{{ data.title }}}}",
    "text": "{{{{ data.description }}}}",
    "request": {{{{ data.request }}}},
    "requester": "{{{{ data.requester.email }}}}"
  }}
response_validators:
  - json_path: $.data.status
    expected_values: [accepted, queued]
"""


@dataclass(frozen=True)
class Running:
    """The receiver's process, as the clients reach it."""

    port: int
    ca_file: str

    def network(self) -> Network:
        return Network(connect_to={HOST: ("127.0.0.1", self.port)}, ca_file=self.ca_file)

    def options(self) -> list[str]:
        return ["--connect-to", f"{HOST}:443:127.0.0.1:{self.port}", "--cacert", self.ca_file]


@contextmanager
def receiver() -> Iterator[Running]:
    command = [sys.executable, str(Path(__file__).with_name("receiver.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, ca_file = process.stdout.readline().split()
        yield Running(int(port), ca_file)


Timed = Callable[[], float]
"""Does something once, and gives the seconds that it took."""


def timed(call: Callable[[], object]) -> Timed:
    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return once


def shell(*command: str, cwd: Path) -> Timed:
    """A whole process, from its start to its end."""
    # Byte code is kept, as it is where hookctl is installed, whatever this process was told about it.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOOKCTL_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    quiet = subprocess.DEVNULL
    return timed(lambda: subprocess.run(command, cwd=cwd, env=environment, stdout=quiet, stderr=quiet, check=True))


def medians(rounds: int, calls: Mapping[str, Timed]) -> dict[str, float]:
    """The median time of each call, in seconds.

    The calls take turns, so that a slow moment of the machine affects all of them equally.
    """
    for call in calls.values():
        call()  # once unmeasured: caches, byte code
    times = [{name: call() for name, call in calls.items()} for _ in range(rounds)]
    return {name: statistics.median(row[name] for row in times) for name in calls}


def write_project(root: Path, name: str, files: int) -> Path:
    """A directory with that many webhooks."""
    directory = root / name
    (directory / "webhooks.d").mkdir(parents=True)
    for number in range(files):
        (directory / "webhooks.d" / f"{number}.yaml").write_text(WEBHOOK.format(number=number), encoding="utf-8")
    return directory


# -- start-up --------------------------------------------------------------------------------------------------------


def start_up(root: Path, rounds: int) -> dict[str, float]:
    ten, applied, thousand = (
        write_project(root, "ten", 10),
        write_project(root, "applied", 10),
        write_project(root, "thousand", 1000),
    )
    shell(HOOKCTL, "apply", "--auto-approve", cwd=applied)()
    quick = medians(
        rounds,
        {
            "python -c pass": shell(sys.executable, "-c", "pass", cwd=root),
            'python -c "import click"': shell(sys.executable, "-c", "import click", cwd=root),
            "hookctl --help": shell(HOOKCTL, "--help", cwd=root),
            "hookctl validate, 10 files": shell(HOOKCTL, "validate", cwd=ten),
            "hookctl plan, 10 files": shell(HOOKCTL, "plan", cwd=ten),
            "hookctl plan, 10 files, no change": shell(HOOKCTL, "plan", cwd=applied),
        },
    )
    return quick | medians(max(3, rounds // 5), {"hookctl plan, 1,000 files": shell(HOOKCTL, "plan", cwd=thousand)})


# -- deliveries ------------------------------------------------------------------------------------------------------


def plain_loop(target: Running, count: int) -> None:
    """What anyone would write first."""
    with requests.Session() as session:
        for _ in range(count):
            session.post(
                f"https://localhost:{target.port}/ingest", data=BODY, headers=HEADERS, timeout=10, verify=target.ca_file
            ).raise_for_status()


def one_by_one(plugins: Plugins, name: str, target: Running, count: int) -> None:
    """A transport as a ``BaseAdapter``, one request after the other."""
    adapter = plugins.transports[name].build({}, target.network())
    prepared = requests.Request("POST", f"https://{HOST}/ingest", data=BODY, headers=HEADERS).prepare()
    for _ in range(count):
        adapter.send(prepared, timeout=10).raise_for_status()
    adapter.close()


def many_at_once(plugins: Plugins, name: str, target: Running, count: int) -> None:
    """A transport as a ``ConcurrentTransport``, as the runner drives it."""
    transport = cast("ConcurrentTransport", plugins.transports[name].build({}, target.network()))
    request = Request("POST", f"https://{HOST}/ingest", tuple(HEADERS.items()), BODY)
    submitted = done = 0
    while done < count:
        while submitted < count and submitted - done < IN_FLIGHT:
            transport.submit(submitted, request, 10)
            submitted += 1
        for completion in transport.poll(1):
            if not isinstance(completion.result, Response) or completion.result.status != 200:
                raise SystemExit(f"{name}: {completion.result}")
            done += 1
    transport.close()


def send_command(root: Path, target: Running, count: int, transport: str) -> Timed:
    """The whole of ``hookctl send``, from the start of the process to its end.

    It reads, checks, stores, routes, renders, delivers, validates and records.
    """
    project = root / f"send-{transport}"
    (project / "webhooks.d").mkdir(parents=True)
    text = WEBHOOK.format(number=0) + f"transport:\n  type: {transport}\n"
    (project / "webhooks.d" / "bench.yaml").write_text(text, encoding="utf-8")
    with (project / "events.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in generate(count))

    def send() -> float:
        for left in project.glob(".hookctl/*"):
            left.unlink()  # a new store each time: an event is delivered once
        shell(HOOKCTL, "apply", "--auto-approve", cwd=project)()
        return shell(HOOKCTL, "send", *target.options(), "events.jsonl", cwd=project)()

    return send


def deliveries(root: Path, rounds: int, count: int) -> dict[str, float]:
    """Deliveries per second of each way to make them."""
    plugins = load_plugins()
    with receiver() as target:
        times = medians(
            rounds,
            {
                "requests.Session loop": timed(lambda: plain_loop(target, count)),
                "transport requests, one by one": timed(lambda: one_by_one(plugins, "requests", target, count)),
                "transport curl, one by one": timed(lambda: one_by_one(plugins, "curl", target, count)),
                f"transport curl, {IN_FLIGHT} in flight": timed(lambda: many_at_once(plugins, "curl", target, count)),
                "hookctl send, whole, requests": send_command(root, target, count, "requests"),
                "hookctl send, whole, curl": send_command(root, target, count, "curl"),
            },
        )
    return {name: count / took for name, took in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=15, help="how often start-up is measured; deliveries a third of that"
    )
    parser.add_argument("--count", type=int, default=5000, help="deliveries a round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        print(f"{'start-up':<36} {'ms':>8}  {'x click':>8}")
        times = start_up(root, arguments.rounds)
        click = times['python -c "import click"']
        for name, took in times.items():
            print(f"{name:<36} {1000 * took:>8.0f}  {took / click:>8.1f}")
        print(f"\n{'deliveries':<36} {'a second':>8}  {'x plain':>8}")
        rates = deliveries(root, max(3, arguments.rounds // 3), arguments.count)
        plain = rates["requests.Session loop"]
        for name, rate in rates.items():
            print(f"{name:<36} {rate:>8.0f}  {rate / plain:>8.1f}")


if __name__ == "__main__":
    main()
