"""Attempts against a real receiver, over both transports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.model import Attempt, DeliveryPlan, Json, PluginBlock, Status
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def mock_event(plugins: Plugins) -> Mapping[str, Json]:
    return plugins.event_types["anomaly"].mock


@pytest.fixture(params=["curl", "requests"])
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def make_plan() -> Callable[..., DeliveryPlan]:
    """A delivery plan for the receiver; ``auth`` and ``validators`` are mappings with a ``type``, as in YAML."""

    def make(
        *,
        auth: tuple[dict[str, Any], ...] = (),
        validators: tuple[dict[str, Any], ...] = (),
        transport: str | None = None,
        **fields: Any,
    ) -> DeliveryPlan:
        plan = DeliveryPlan(
            name="Siem",
            events=("anomaly",),
            status=Status.ACTIVE,
            method="POST",
            url="https://siem.example.com/ingest",
            headers={},
            auth=tuple(_block(block) for block in auth),
            transport=PluginBlock(transport, {}) if transport else None,
            when=None,
            body_template='{"severity": {{ data.severity }}}',
            timeout_seconds=5.0,
            response_validators=tuple(_block({"type": "json_path", **block}) for block in validators),
            custom_validation_error_message=None,
            retry_schedule=(),
            rate_limit=None,
            description=None,
            labels={},
            protected=False,
        )
        return replace(plan, **fields)

    return make


def _block(block: Mapping[str, Any]) -> PluginBlock:
    return PluginBlock(block["type"], {key: value for key, value in block.items() if key != "type"})


@pytest.fixture
def make_engine(plugins: Plugins, receiver: Receiver) -> Iterator[Callable[..., AttemptEngine]]:
    """Engines on the receiver's network. Each is closed at the end, and must leave no thread behind."""
    engines: list[AttemptEngine] = []
    before = set(threading.enumerate())

    def make(
        *, network: Network | None = None, plugins: Plugins = plugins, clock: Callable[[], float] = time.time
    ) -> AttemptEngine:
        engine = AttemptEngine(plugins, network or receiver.network(), "hookctl/test", clock)
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(2)
    assert [thread.name for thread in left if thread.is_alive()] == []


@pytest.fixture
def finish(mock_event: Mapping[str, Json]) -> Callable[..., list[Finished]]:
    """``finish(engine, plan, plan)`` starts an attempt by each plan, polls until all are over, in the same order."""

    def run(engine: AttemptEngine, *plans: DeliveryPlan, document: Mapping[str, Json] = mock_event) -> list[Finished]:
        jobs = [Job(f"delivery-{index}", plan, document, 1) for index, plan in enumerate(plans)]
        for job in jobs:
            engine.start(job)
        finished: dict[str, Finished] = {}
        deadline = time.monotonic() + PATIENCE
        while len(finished) < len(jobs):
            assert time.monotonic() < deadline, f"{len(jobs) - len(finished)} attempts did not end"
            finished |= {one.job.delivery_id: one for one in engine.poll(0.5)}
        assert engine.in_flight == 0
        return [finished[job.delivery_id] for job in jobs]

    return run


@pytest.fixture
def attempt(make_engine: Callable[..., AttemptEngine], finish: Callable[..., list[Finished]]) -> Callable[..., Attempt]:
    """One attempt by a plan, with an engine of its own."""

    def make(plan: DeliveryPlan, *, document: Mapping[str, Json] | None = None, **engine: Any) -> Attempt:
        finished = finish(make_engine(**engine), plan, **({"document": document} if document else {}))
        return finished[0].attempt

    return make
