"""Following deliveries that another process makes: when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import hookctl
from hookctl.config.diff import make_plan as make_change
from hookctl.delivery import following
from hookctl.delivery.following import follow
from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.tally import Tally
from hookctl.model import DeliveryPlan, Event, Json, Status
from hookctl.store.interface import Store
from hookctl.store.records import Circuit, Followed

PATIENCE = 20.0


@pytest.fixture
def store(tmp_path: Path, make_plan: Callable[..., DeliveryPlan]) -> Iterator[Store]:
    opened = hookctl.open_store(f"sqlite:///{tmp_path / 'hookctl.db'}")
    opened.apply(make_change(opened.read_state(), {"Siem": make_plan()}, {}))
    yield opened
    opened.close()


@pytest.fixture
def producer(store: Store, mock_event: Mapping[str, Json]) -> Producer:
    """It has stored one event for Siem."""
    made = Producer(store)
    assert made.accept([Event("e1", "anomaly", 1.0, mock_event)]) == [True]
    return made


def look(store: Store, producer: Producer, wait: float = 0.0) -> tuple[bool, list[Followed]]:
    """What ``follow`` returns, and what it has seen. It is stopped after a while, which no test expects."""
    limit, seen = time.monotonic() + PATIENCE, list[Followed]()
    ended = follow(
        store,
        producer,
        Tally(0.0),
        wait=wait,
        stopping=lambda: time.monotonic() > limit,
        progress=seen.append,
    )
    assert time.monotonic() <= limit
    return ended, seen


def test_without_a_runner_it_ends_at_once(store: Store, producer: Producer) -> None:
    ended, seen = look(store, producer)
    assert (ended, len(seen)) == (False, 1)


def test_nothing_to_wait_for_needs_no_runner(store: Store, producer: Producer) -> None:
    store.cancel([one.id for one in store.deliveries()], time.time(), "no need")
    assert look(store, producer)[0]


def test_a_webhook_that_was_made_inactive_is_not_waited_for(
    store: Store, producer: Producer, make_plan: Callable[..., DeliveryPlan]
) -> None:
    inactive = replace(make_plan(), status=Status.INACTIVE)
    with store.announce_runner(lambda: None):
        store.apply(make_change(store.read_state(), {"Siem": inactive}, {}))
        assert look(store, producer)[0]


def test_an_open_circuit_is_waited_for_only_if_its_probe_comes_in_time(store: Store, producer: Producer) -> None:
    now = time.time()
    store.set_circuits({"Siem": Circuit("open", "it fails", now, now + 3600)})
    with store.announce_runner(lambda: None):
        assert look(store, producer, wait=60.0)[0]


def test_a_runner_that_does_nothing_is_not_followed_for_ever(
    store: Store, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "STALLED_SECONDS", 0.0)
    with store.announce_runner(lambda: None):
        ended, seen = look(store, producer)
    assert ended
    assert len(seen) > 1
