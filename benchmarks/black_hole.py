"""What a target that never answers costs the others: 99 webhooks with and without a hundredth that hangs."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hookctl.model import AppliedState, DeliveryPlan, Event, Status
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.queue.interface import NewDelivery, Routed
from hookctl.queue.sqlite import SqliteQueue
from hookctl.run.attempts import AttemptEngine
from hookctl.run.runner import Runner
from hookctl.testing.events import generate

HOST, HOLE = "siem.example.com", "hole"


def plan(name: str) -> DeliveryPlan:
    return DeliveryPlan(
        name=name,
        event="anomaly",
        status=Status.ACTIVE,
        method="POST",
        url=f"https://{HOST}/{name}",
        headers={},
        auth=(),
        transport=None,
        when=None,
        body_template='{"id": "{{ id }}", "severity": "{{ data.severity }}"}',
        timeout_seconds=2,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(1.0, 1.0, 1.0),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )


def rate(plugins: Plugins, network: Network, *, events: int, with_hole: bool) -> float:
    """Deliveries a second to the 99."""
    plans = {name: plan(name) for name in (f"W{number}" for number in range(99))}
    if with_hole:
        plans[HOLE] = plan(HOLE)
    with tempfile.TemporaryDirectory() as directory:
        queue = SqliteQueue(Path(directory) / "queue.db")
        engine = AttemptEngine(plugins, network, "hookctl-benchmark")
        runner = Runner(queue=queue, engine=engine, plugins=plugins, read_state=lambda: AppliedState(1, plans))
        for number, document in enumerate(generate(events)):
            name = f"e{number}"
            queue.enqueue([Routed(Event(name, "anomaly", 1.0, document), tuple(NewDelivery(f"{name}-{webhook}", webhook) for webhook in plans))], time.time())
        start = time.perf_counter()
        while runner.tally.delivered.total() < 99 * events:
            runner.step(0.1)
        took = time.perf_counter() - start
        runner.stop(0.0)
        queue.close()
        return 99 * events / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=200, help="each for every webhook")
    arguments = parser.parse_args()
    plugins = load_plugins()
    command = [sys.executable, str(Path(__file__).with_name("receiver.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, ca_file = process.stdout.readline().split()
        network = Network(connect_to={HOST: ("127.0.0.1", int(port))}, ca_file=ca_file)
        rates: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(arguments.rounds):
            for with_hole, found in rates.items():  # in turns, so that a slow moment of the machine strikes both alike
                found.append(rate(plugins, network, events=arguments.events, with_hole=with_hole))
        process.communicate()
    alone, beside = (statistics.median(found) for found in rates.values())
    print(f"99 webhooks alone: {alone:,.0f}/s; beside a black hole: {beside:,.0f}/s, {100 * beside / alone:.0f} %")


if __name__ == "__main__":
    main()
