"""What a target that never answers costs the others: 99 webhooks with and without a hundredth that hangs.

Rounds with and without it alternate, and every second pair is in reverse order, so that a slow moment of the machine
affects both equally. Each pair gives one ratio, and the median of the ratios counts. The 99 are nginx where it is
installed, since a receiver in Python is slower than hookctl. The target that hangs accepts connections and never
answers. CPU time is that of the runner only.
"""

from __future__ import annotations

import argparse
import gc
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from delivery import nginx
from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.runner import Runner
from hookctl.model import AppliedState, DeliveryPlan, Event, Status
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.events import generate

HOST, HOLE_HOST, HOLE = "siem.example.com", "hole.example.com", "hole"
OTHERS = 99
WARM_UP = 20
"""Deliveries to each of the others before time is taken: until then connections are made."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round has shown of the 99."""

    rate: float
    """Deliveries a second."""
    cpu: float
    """Seconds of CPU time of one delivery."""


def plan(name: str) -> DeliveryPlan:
    return DeliveryPlan(
        name=name,
        events=("anomaly",),
        status=Status.ACTIVE,
        method="POST",
        url=f"https://{HOLE_HOST if name == HOLE else HOST}/{name}",
        headers={},
        auth=(),
        transport=None,
        when=None,
        body_template='{"id": "{{ id }}", "severity": "{{ data.severity }}"}',
        timeout_seconds=60,  # longer than a round: it hangs all the time, and no circuit opens
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(1.0, 1.0, 1.0),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )


def measure(plugins: Plugins, network: Network, *, events: int, with_hole: bool) -> Round:
    """One round, with a store and connections of its own."""
    plans = {name: plan(name) for name in [f"W{number}" for number in range(OTHERS)] + [HOLE] * with_hole}
    with tempfile.TemporaryDirectory() as directory, closing(SqliteQueue(Path(directory) / "queue.db")) as queue:
        engine = AttemptEngine(plugins, network, "hookctl-benchmark")
        runner = Runner(queue=queue, engine=engine, plugins=plugins, read_state=lambda: AppliedState(1, plans))
        for number, document in enumerate(generate(WARM_UP + events)):
            deliveries = tuple(NewDelivery(f"e{number}-{webhook}", webhook) for webhook in plans)
            queue.enqueue([Routed(Event(f"e{number}", "anomaly", 1.0, document), deliveries)], time.time())
        gc.collect()
        _deliver(runner, OTHERS * WARM_UP)
        begun, started, cpu = runner.tally.delivered.total(), time.perf_counter(), time.process_time()
        _deliver(runner, OTHERS * (WARM_UP + events))
        count = runner.tally.delivered.total() - begun
        found = Round(count / (time.perf_counter() - started), (time.process_time() - cpu) / count)
        runner.stop(0.0)
    return found


def _deliver(runner: Runner, count: int) -> None:
    while runner.tally.delivered.total() < count:
        runner.step(0.1)


@contextmanager
def target() -> Iterator[tuple[int, str]]:
    """Port and CA file of what answers for the 99."""
    if nginx.program():
        with tempfile.TemporaryDirectory() as directory, nginx.sink(Path(directory)) as sink:
            yield sink.tls_port, sink.ca_file
        return
    command = [sys.executable, str(Path(__file__).with_name("receiver.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, ca_file = process.stdout.readline().split()
        yield int(port), ca_file
        process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--events", type=int, default=100, help="each for every webhook")
    arguments = parser.parse_args()
    plugins = load_plugins()
    rounds: dict[bool, list[Round]] = {False: [], True: []}
    with target() as (port, ca_file), socket.create_server(("127.0.0.1", 0), backlog=4096) as hole:
        network = Network(connect_to={HOST: ("127.0.0.1", port), HOLE_HOST: hole.getsockname()}, ca_file=ca_file)
        measure(plugins, network, events=arguments.events, with_hole=True)  # whatever is done once only
        for pair in range(arguments.pairs):
            for with_hole in (pair % 2 == 0, pair % 2 == 1):
                rounds[with_hole].append(measure(plugins, network, events=arguments.events, with_hole=with_hole))
    alone, beside = rounds.values()
    report("deliveries a second", [one.rate for one in alone], [one.rate for one in beside], 1.0)
    report("CPU microseconds of a delivery", [one.cpu for one in alone], [one.cpu for one in beside], 1e6)


def report(what: str, alone: list[float], beside: list[float], scale: float) -> None:
    low, middle, high = statistics.quantiles(
        [with_hole / without for without, with_hole in zip(alone, beside, strict=True)], n=4
    )
    print(
        f"{what}: {scale * statistics.median(alone):,.0f} alone, "
        f"{scale * statistics.median(beside):,.0f} beside a black hole"
    )
    print(
        f"  {100 * middle:.0f} % by the median of {len(alone)} pairs, "
        f"half of them between {100 * low:.0f} and {100 * high:.0f} %"
    )


if __name__ == "__main__":
    main()
