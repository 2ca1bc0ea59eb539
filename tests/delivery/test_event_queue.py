"""``hookctl.open_queue`` and ``hookctl.enqueue``: events from Python, without anything that delivering needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import hookctl
from hookctl.config.diff import make_plan as make_change
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Json, Status
from hookctl.store.interface import Store

WAITING = DeliveryStatus.WAITING


@dataclass
class Made:
    """An event as a program may hold it."""

    id: str
    event_type: str
    event_time: float
    data: Any


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hookctl.db'}"


@pytest.fixture
def store(url: str, make_plan: Callable[..., DeliveryPlan]) -> Iterator[Store]:
    """The store, with the webhook Siem applied."""
    opened = hookctl.open_store(url)
    apply(opened, make_plan())
    yield opened
    opened.close()


def apply(store: Store, *plans: DeliveryPlan) -> AppliedState:
    """Make these the applied webhooks."""
    return store.apply(make_change(store.read_state(), {plan.name: plan for plan in plans}, {}))


@pytest.fixture
def mock(mock_event: Mapping[str, Json]) -> Callable[..., dict[str, Any]]:
    return lambda name, **fields: {**mock_event, "id": name, **fields}


def stored(store: Store) -> dict[str, str]:
    return {one.event_id: one.status.value for one in store.deliveries()}


def test_mappings_and_dataclasses_are_stored_as_the_same_json(
    url: str, store: Store, mock: Callable[..., dict[str, Any]]
) -> None:
    event = mock("e1")
    as_class = Made("e2", event["event_type"], event["event_time"], MappingProxyType(event["data"]))
    with hookctl.open_queue(url) as queue:
        done = queue.enqueue([event, as_class])
    assert (done.accepted, done.seen_before, done.rejected) == (("e1", "e2"), (), ())
    documents = {one.event_id: store.document(one.id) for one in store.deliveries()}
    assert documents == {"e1": event, "e2": mock("e2")}
    assert store.counts() == {"Siem": {WAITING: 2}}


def test_one_call_opens_and_closes(url: str, store: Store, mock: Callable[..., dict[str, Any]]) -> None:
    assert hookctl.enqueue(url, [mock("e1")]).accepted == ("e1",)
    assert hookctl.enqueue(url, iter([mock("e1"), mock("e2")])).seen_before == ("e1",)
    assert stored(store) == {"e1": "waiting", "e2": "waiting"}


def test_an_id_is_accepted_once_even_within_a_batch(
    url: str, store: Store, mock: Callable[..., dict[str, Any]]
) -> None:
    with hookctl.open_queue(url) as queue:
        done = queue.enqueue([mock("e1"), mock("e1"), mock("e2")])
    assert (done.accepted, done.seen_before) == (("e1", "e2"), ("e1",))
    assert len(store.deliveries()) == 2


def test_bad_events_are_rejected_with_every_finding_and_the_others_stored(
    url: str, store: Store, mock: Callable[..., dict[str, Any]]
) -> None:
    recursive: dict[str, Any] = {}
    recursive["self"] = recursive
    bad = [
        {**mock("b0"), "data": 7, "event_time": "noon"},
        {**mock("b1"), "event_type": "anomalie"},
        mock("b2", extra=float("nan")),
        mock("b3", extra="\ud800"),
        mock("b4", extra=object()),
        mock("b5", extra=recursive),
        mock("b6", extra={1: "a", "1": "b"}),
        mock("\n"),
        {},
    ]
    with hookctl.open_queue(url) as queue:
        done = queue.enqueue([mock("e1"), *bad, mock("e2")])
        assert queue.enqueue(bad[:1]).accepted == ()
    assert done.accepted == ("e1", "e2")
    assert [one.index for one in done.rejected] == list(range(1, len(bad) + 1))
    first = done.rejected[0].findings
    assert len(first) == 2
    assert any(text.startswith("event_time: ") for text in first)
    assert any(text.startswith("data: ") for text in first)
    assert "did you mean 'anomaly'?" in done.rejected[1].findings[0]
    assert [one.findings[0].split(":")[0] for one in done.rejected[2:6]] == [
        "not JSON",
        "a string contains half of a surrogate pair, which is not valid Unicode",
        "not JSON",
        "not JSON",
    ]
    assert stored(store) == {"e1": "waiting", "e2": "waiting"}


@pytest.mark.parametrize("wrong", ["e1", ["id"], [7], [Made], {"id": "e1"}])
def test_what_is_not_a_list_of_events_is_a_type_error(url: str, store: Store, wrong: Any) -> None:
    with hookctl.open_queue(url) as queue, pytest.raises(TypeError, match="each a mapping or a dataclass instance"):
        queue.enqueue(wrong)
    assert store.deliveries() == []


def test_nothing_applied_and_no_store_are_errors_and_create_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(hookctl.HookctlError, match="no webhook is applied yet"):
        hookctl.open_queue(url)
    assert list(tmp_path.iterdir()) == []
    hookctl.open_store(url).close()
    with pytest.raises(hookctl.HookctlError, match="no webhook is applied yet"):
        hookctl.enqueue(url, [])


def test_an_apply_is_noticed_by_an_open_queue(
    url: str, store: Store, mock: Callable[..., dict[str, Any]], make_plan: Callable[..., DeliveryPlan]
) -> None:
    with hookctl.open_queue(url) as queue:
        queue.enqueue([mock("e1")])
        apply(store, make_plan(), replace(make_plan(), name="Second"))
        queue.enqueue([mock("e2")])
    assert sorted((one.webhook, one.event_id) for one in store.deliveries()) == [
        ("Second", "e2"),
        ("Siem", "e1"),
        ("Siem", "e2"),
    ]


def test_an_apply_between_routing_and_storing_still_holds(
    url: str,
    store: Store,
    mock: Callable[..., dict[str, Any]],
    make_plan: Callable[..., DeliveryPlan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with hookctl.open_queue(url) as queue:
        enqueue = queue._store.enqueue

        def late(*given: Any, **options: Any) -> list[bool]:
            store.reconcile(apply(store, replace(make_plan(), status=Status.INACTIVE)))
            return enqueue(*given, **options)

        monkeypatch.setattr(queue._store, "enqueue", late)
        assert queue.enqueue([mock("e1")]).accepted == ("e1",)
    assert stored(store) == {"e1": "held"}


def test_a_full_store_raises_and_stores_nothing(url: str, store: Store, mock: Callable[..., dict[str, Any]]) -> None:
    with hookctl.open_queue(url, limits=hookctl.StoreLimits(max_waiting=1)) as queue:
        queue.enqueue([mock("e1")])
        with pytest.raises(hookctl.IntakeRefusedError, match="1 deliveries are waiting"):
            queue.enqueue([mock("e2")])
    assert stored(store) == {"e1": "waiting"}


def test_threads_share_a_queue(url: str, store: Store, mock: Callable[..., dict[str, Any]]) -> None:
    with hookctl.open_queue(url) as queue, ThreadPoolExecutor(8) as pool:
        batches = [[mock(f"e{number}-{index}") for index in range(5)] for number in range(40)]
        assert all(len(done.accepted) == 5 for done in pool.map(queue.enqueue, batches))
    assert len(store.deliveries()) == 200


def test_a_queue_is_not_used_across_a_fork(
    url: str, store: Store, mock: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = hookctl.open_queue(url)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(hookctl.HookctlError, match="before a fork"):
            queue.enqueue([mock("e1")])
        queue.close()  # leaves the connection of the other process alone
    assert queue.enqueue([mock("e1")]).accepted == ("e1",)
    queue.close()
    queue.close()
    with pytest.raises(hookctl.HookctlError, match="this queue is closed"):
        queue.enqueue([mock("e2")])
    assert stored(store) == {"e1": "waiting"}


def test_a_runner_is_reported_and_woken(url: str, store: Store, mock: Callable[..., dict[str, Any]]) -> None:
    from threading import Event as Flag

    woken = Flag()
    with hookctl.open_queue(url) as queue:
        assert not queue.enqueue([mock("e1")]).has_runner
        with store.announce_runner(woken.set):
            assert queue.enqueue([]).has_runner
            assert not woken.is_set()
            assert queue.enqueue([mock("e2")]).has_runner
            assert woken.wait(20)


PRODUCER = """
import json, sys
for name in ("pycurl", "requests", "urllib3", "oauthlib", "requests_oauthlib", "http.client", "click"):
    sys.modules[name] = None  # an import raises ImportError
import hookctl
with hookctl.open_queue(sys.argv[1]) as queue:
    print(queue.enqueue([json.load(sys.stdin)]).accepted)
print([name for name in sys.modules if name.startswith("hookctl.delivery.attempt")])
"""


def test_a_producer_needs_no_library_that_sends(
    url: str, store: Store, mock: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRODUCER, url],
        input=json.dumps(mock("e1")),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("('e1',)\n[]\n", "")
    assert stored(store) == {"e1": "waiting"}
