"""Copies of stores, of each kind to each kind: see ``hookctl.store.copying``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.diff import make_plan
from hookctl.errors import StateError, StoreError
from hookctl.model import DefinedType, DeliveryPlan, DeliveryStatus, Event
from hookctl.model.token import Scope, Token, token_digest, token_id
from hookctl.store.copying import PARTS, Part, Position, Row, copy_store
from hookctl.store.history import AuditEntry
from hookctl.store.interface import Store
from hookctl.store.records import Circuit, NewDelivery, Outcome, RequestKey, Result, Routed

from .conftest import IMPLEMENTATIONS, Clock, delete, new_url
from .test_contract import attempt

Build = Callable[..., DeliveryPlan]
Make = Callable[..., Store]
NOW = 1_800_000_000.0
AUDIT = AuditEntry(id="a1", at=NOW, who="ada@loom", action="cancel", what="e3-A", reason="not wanted")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Opens a new store of a kind; with a function, one that it was called with, and that was closed since."""
    made: list[tuple[str, Store]] = []

    def make_one(scheme: str, fill: Callable[[Store], None] | None = None) -> Store:
        url = new_url(scheme, tmp_path / str(len(made)))
        if fill:
            with closing(IMPLEMENTATIONS[scheme](url, Clock())) as filled:
                fill(filled)
        made.append((url, IMPLEMENTATIONS[scheme](url, Clock())))
        return made[-1][1]

    yield make_one
    for url, store in made:
        store.close()
        delete(url)


def routed(name: str, *webhooks: str) -> Routed:
    document: dict[str, Any] = {"id": name, "event_type": "anomaly", "event_time": NOW, "data": {"text": "ä\u2028\0"}}
    return Routed(
        Event(name, "anomaly", NOW, document), tuple(NewDelivery(f"{name}-{webhook}", webhook) for webhook in webhooks)
    )


def fill(delivery_plan: Build, store: Store) -> None:
    """A store with something in every part."""
    first = make_plan(store.read_state(), {"A": delivery_plan("A"), "Old": delivery_plan("Old")}, {})
    state = store.apply(first, applied_by="ada@loom", commit="abc")
    plans = {"A": delivery_plan("A", timeout_seconds=3), "B": delivery_plan("B")}
    order = DefinedType("order", {"type": "object", "examples": [{"id": "1"}]})
    state = store.apply(make_plan(state, plans, {}, event_types={"order": order}))
    store.reconcile(state)
    store.enqueue([routed(f"e{number}", "A", "B") for number in range(5)], NOW, keys=[RequestKey("k", "c")])
    store.enqueue([routed("nobody")], NOW + 1)
    ends = [
        Outcome(DeliveryStatus.DELIVERED),
        Outcome(DeliveryStatus.DEAD, "HTTP 404"),
        Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW + 60),
    ]
    claims = store.claim(NOW, 3, 60.0, {"A": 3})
    failed = attempt()
    results = [Result(one, failed, end, 2, delivery_plan("A")) for one, end in zip(claims, ends, strict=True)]
    store.finish(results, NOW)
    store.hold(delivery_plan("B"), "their release", NOW)
    store.set_circuits({"A": Circuit("open", "HTTP 500", NOW, NOW + 9)})
    store.cancel(["e3-A"], NOW, "not wanted", AUDIT)
    store.count_attempts(NOW)
    token = Token(
        id=token_id("hookctl_x_y"),
        name="shop",
        digest=token_digest("hookctl_x_y"),
        scopes=frozenset({Scope.INTAKE}),
        event_types=frozenset({"order"}),
        signature="",
        secrets=("${env:A}",),
        wrap="",
        created_at=NOW,
        created_by="ada@loom",
    )
    store.add_token(token)


def contents(store: Store) -> dict[str, list[Any]]:
    """Every row that is copied, without what the kinds of stores represent differently."""
    found: dict[str, list[Any]] = {part.name: [tuple(row) for row in store.read_rows(part, (), 1000)] for part in PARTS}
    found["tokens"] = [*store.tokens()]
    found["state"] = [store.read_state(), store.holds(), store.circuits(), store.counts(), store.summaries()]
    found["seen"] = [*store.deliveries(), *store.log(10), *store.groups(), *store.history(10).entries]
    found["seen"] += [one for name in ("e0-A", "e1-A", "e2-A") for one in store.attempts(name)]
    return found


@pytest.mark.parametrize(("source", "target"), [*product(IMPLEMENTATIONS, repeat=2)])
def test_a_copy_has_everything_and_goes_on(make: Make, delivery_plan: Build, source: str, target: str) -> None:
    first, second = make(source, partial(fill, delivery_plan)), make(target)
    copied = copy_store(first, second, lambda *_: None)
    assert copied.keys() == {part.name for part in PARTS}
    assert (copied["events"], copied["deliveries"], copied["attempts"]) == (6, 10, 3)
    assert {name for name, number in copied.items() if not number} == set()
    assert contents(second) == contents(first)
    assert second.copy_position() is None
    with pytest.raises(StateError, match="is not empty"):
        copy_store(first, second, lambda *_: None)
    # It is used like the first one from now on: no id comes in twice, and new numbers are greater.
    assert second.enqueue([routed("e1", "A"), routed("new", "A")], NOW + 5) == [False, True]
    assert [one.delivery.id for one in second.claim(NOW + 5, 9, 60.0, {"A": 9})] == ["e4-A", "new-A"]
    assert [one.id for one in second.events(limit=2).events] == ["new", "nobody"]
    assert second.deliveries()[0].id == "new-A"


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_an_interrupted_copy_goes_on_where_it_ended(
    make: Make, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    monkeypatch.setattr("hookctl.store.copying.ROWS", 2)
    first, second = make(source, partial(fill, delivery_plan)), make(target)
    write = type(second).write_rows
    commits = 0

    def failing(store: Store, part: Part, rows: Sequence[Row], position: Position) -> None:
        nonlocal commits
        commits += 1
        if commits % 3 == 0:
            raise StoreError("the connection was lost")
        write(store, part, rows, position)

    monkeypatch.setattr(type(second), "write_rows", failing)
    total = dict.fromkeys((part.name for part in PARTS), 0)
    for _ in range(50):
        try:
            copied = copy_store(first, second, lambda *_: None)
        except StoreError:
            with pytest.raises(StateError, match="incomplete copy"):  # what is added now would be in the way
                second.read_state()
            continue
        break
    else:
        pytest.fail("it never ended")
    assert set(copied) < set(total)
    assert contents(second) == contents(first)


def test_what_is_in_use_or_is_another_copy_is_refused(make: Make, delivery_plan: Build) -> None:
    first, other, second = make("sqlite", partial(fill, delivery_plan)), make("sqlite"), make("postgresql")
    with first.announce_runner(lambda: None), pytest.raises(StateError, match="in use"):
        copy_store(first, second, lambda *_: None)
    second.write_rows(PARTS[0], [], Position(first.copy_id(), PARTS[0].name, ()))
    with pytest.raises(StateError, match="a part of another store"):
        copy_store(other, second, lambda *_: None)
