"""What every store promises about counts, lists and history for pages: see ``hookctl.store.pages_interface``."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, product
from operator import eq, le
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.diff import make_plan
from hookctl.model import (
    AppliedState,
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Mismatch,
    Plan,
    Rename,
    Response,
    Timing,
    Verdict,
)
from hookctl.store.history import AuditEntry
from hookctl.store.interface import Store
from hookctl.store.overviews import HOURS, NO_SUMMARY, DeliveryRow, HistoryEntry
from hookctl.store.records import Circuit, Filter, NewDelivery, Outcome, Result, Routed

from .conftest import IMPLEMENTATIONS, Clock, delete, new_url

Build = Callable[..., DeliveryPlan]
HOUR = 3600.0
NOW = 500_000 * HOUR + 60.0
S = DeliveryStatus
NOBODY = AuditEntry(id="one", at=NOW, who="ada@loom", action="replay", what="--status dead", reason="key rotated")
ENDS: dict[str, tuple[Outcome, Any]] = {
    "delivered": (Outcome(S.DELIVERED), 200),
    "mismatch": (Outcome(S.RETRYING, "json_path: no", due_at=NOW + 1e6), "mismatch"),
    "busy": (Outcome(S.RETRYING, "HTTP 503", due_at=NOW + 1e6), 503),
    "dead": (Outcome(S.DEAD, "HTTP 404"), 404),
    "timeout": (Outcome(S.DEAD, "timeout: slow"), FailureKind.TIMEOUT),
    "accepted": (Outcome(S.DELIVERED), 409),  # as a webhook's ``outcomes`` can have it
}


@dataclass
class Model:
    """A store, and what was done with it."""

    store: Store
    tried: list[tuple[str, float, bool, float]] = field(default_factory=list)
    """Each attempt: webhook, start, whether it delivered, seconds."""
    numbers: Iterator[int] = field(default_factory=count)

    def add(self, webhook: str, at: float = NOW, *, event_type: str = "anomaly", dead_because: str = "") -> str:
        name = f"e{next(self.numbers)}"
        event = Event(name, event_type, at, {"id": name, "event_type": event_type, "event_time": at, "data": {}})
        assert self.store.enqueue([Routed(event, (NewDelivery(f"d-{name}", webhook, dead_because),))], at) == [True]
        return f"d-{name}"

    def end(self, webhook: str, end: str, at: float = NOW, *, seconds: float = 0.1, body: str = "") -> list[str]:
        """Try what is due of a webhook, with this result."""
        outcome, result = ENDS[end]
        claims = self.store.claim(at, 100, 60.0, {webhook: 100})
        results = [
            Result(one, attempt(result, one.delivery.attempts + 1, at, seconds, body), outcome, 1) for one in claims
        ]
        assert self.store.finish(results, at) == set()
        self.tried += [(webhook, at, outcome.status is S.DELIVERED, seconds) for _ in claims]
        return [one.delivery.id for one in claims]

    def count(self, now: float = NOW, limit: int = 100) -> None:
        while (progress := self.store.count_attempts(now, limit)).counted < progress.last:
            pass

    def rows(self, which: Filter | None = None, **options: Any) -> list[DeliveryRow]:
        return [*self.store.delivery_page(which or Filter(), **options).rows]


def attempt(result: Any, number: int, at: float, seconds: float, body: str) -> Attempt:
    status = result if isinstance(result, int) else 200
    is_failure = isinstance(result, FailureKind)
    verdict = Verdict("json_path $.ok", (Mismatch("json_path $.ok", "no", got=math.inf),))
    return Attempt(
        plan_digest=f"digest-{result}",
        number=number,
        started_at=at,
        request=None,
        response=None if is_failure else Response(status, "", (), body.encode()),
        failure=Failure(result, body or "slow") if is_failure else None,
        timing=Timing(total=seconds),
        verdicts=(verdict,) if result == "mismatch" else (),
    )


def plan_of(state: AppliedState, *webhooks: DeliveryPlan) -> Plan:
    """The plan after which these webhooks are applied."""
    return make_plan(state, {webhook.name: webhook for webhook in webhooks}, {})


@pytest.fixture
def model(store: Store) -> Model:
    return Model(store)


# -- counts


def test_a_webhook_in_numbers(model: Model) -> None:
    store = model.store
    for end, seconds in (("delivered", 0.02), ("delivered", 0.04), ("accepted", 0.04), ("dead", 4.0)):
        model.add("A")
        model.end("A", end, seconds=seconds)
    model.add("A", NOW - 30)
    assert store.summaries(["A", "none"])["none"] == NO_SUMMARY
    assert store.progress().last - store.progress().counted == 4
    assert not store.progress().is_behind
    model.count()
    found = store.summaries()
    assert found == store.summaries(["A"])
    assert store.progress().last == store.progress().counted
    one = found["A"]
    assert (one.waiting, one.dead, one.retrying, one.held) == (1, 1, 0, 0)
    assert (one.succeeded, one.failed, one.share) == (3, 1, 0.75)
    assert (one.p50, one.p95) == (0.05, 5.0)  # the bounds of the buckets
    assert (one.last_status, one.last_at, one.due_at) == (S.DEAD, NOW, NOW - 30)
    assert NO_SUMMARY.share is None


def test_what_webhooks_are_sorted_by(model: Model) -> None:
    for webhook, end in (("A", "delivered"), ("B", "dead"), ("C", "busy")):
        model.add(webhook)
        model.end(webhook, end, seconds=1.0)
    model.add("C")
    model.count()
    store = model.store
    assert (store.ranking("waiting"), store.ranking("retrying")) == ({"C": 1}, {"C": 1})
    assert (store.ranking("held"), store.ranking("dead")) == ({}, {"B": 1})
    assert store.ranking("share") == {"A": 1.0, "B": 0.0, "C": 0.0}
    assert store.ranking("attempts") == {"A": 1, "B": 1, "C": 1}
    assert store.ranking("p50") == store.ranking("p95") == {"A": 1.0, "B": 1.0, "C": 1.0}
    assert store.ranking("last_at") == {"A": NOW, "B": NOW, "C": NOW}


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("AB")),
        st.tuples(st.just("end"), st.sampled_from("AB"), st.sampled_from([*ENDS])),
        st.tuples(st.just("pass"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.floats(0.1, 30.0)),
        st.tuples(st.just("rename")),
        st.tuples(st.just("prune")),
        st.tuples(st.just("replay")),
    ),
    max_size=40,
)


@given(operations=OPERATIONS)
@settings(max_examples=15, deadline=None)
def test_counts_are_those_of_a_look_at_every_attempt(operations: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for scheme, make in IMPLEMENTATIONS.items():
            url = new_url(scheme, Path(directory))
            model = Model(make(url, Clock()))
            now = _perform(model, operations)
            model.count(now, 3)
            _compare(model, now)
            model.store.close()
            delete(url)


def _perform(model: Model, operations: list[tuple[Any, ...]]) -> float:
    """Do all this to the store; returns the time at the end."""
    renames: list[Rename] = []
    now, name = NOW, {"A": "A", "B": "B"}
    for action, *values in operations:
        webhook = name.get(values[0], "") if values else ""
        if action == "add":
            model.add(webhook, now)
        elif action == "end":
            model.end(webhook, values[1], now)
        elif action == "pass":
            model.store.count_attempts(now, values[0])
        elif action == "wait":
            now += values[0] * HOUR
        elif action == "prune":
            model.store.prune(now - 6 * HOUR, 100)
        elif action == "replay":
            model.store.replay([one.id for one in model.store.deliveries(Filter(statuses={S.DEAD}))], now)
        else:
            new = f"{name['A']}'"
            renames.append(Rename(len(renames) + 1, name["A"], new))
            model.tried = [(new if one == name["A"] else one, *rest) for one, *rest in model.tried]  # type: ignore[misc]
            name["A"] = new
            everything = OnlyNames(new, "B")
            model.store.reconcile(AppliedState(len(renames), everything, tuple(renames)))
    return now


class OnlyNames(dict[str, Any]):
    """Applied plans of which only the names and the status matter."""

    def __init__(self, *names: str) -> None:
        super().__init__({name: type("Plan", (), {"status": None, "digest": ""})() for name in names})


def _compare(model: Model, now: float) -> None:
    first = (now // HOUR - HOURS + 1) * HOUR
    store = model.store
    naive = Counter((webhook, at // HOUR * HOUR, ok) for webhook, at, ok, _ in model.tried if at >= first)
    names = sorted({webhook for webhook, *_ in model.tried})
    compare = eq if _still_counted(model) else le
    for name, hours in store.hours(names, now).items():
        assert [hour.start for hour in hours] == [first + number * HOUR for number in range(HOURS)]
        for hour in hours:
            assert compare(hour.succeeded, naive[name, hour.start, True])
            assert compare(hour.failed, naive[name, hour.start, False])
        found = store.summaries([name])[name]
        assert (found.succeeded, found.failed) == (sum(h.succeeded for h in hours), sum(h.failed for h in hours))
    for group in store.groups():
        passing = store.deliveries(group.filter())
        assert len(passing) == group.count == sum(group.webhooks.values())
        assert {one.id for one in passing} >= set(group.ids)
        assert {one.status for one in passing} == {group.status}
        assert group == store.group(group.key)
    ungrouped = Filter(statuses={S.DEAD, S.RETRYING, S.HELD, S.WAITING})
    assert sum(group.count for group in store.groups()) == len(store.deliveries(ungrouped))


def _still_counted(model: Model) -> bool:
    """False if attempts may have been deleted before they were counted."""
    stored = sum(len(model.store.attempts(one.id)) for one in model.store.deliveries())
    return stored == len(model.tried)


def test_counts_go_on_after_everything_was_deleted(model: Model) -> None:
    for _ in range(3):
        model.add("A")
        model.end("A", "delivered")
        model.count()
        assert model.store.prune(NOW + 1, 100) == 1
    assert model.store.summaries(["A"])["A"].succeeded == 3


def test_counts_of_another_day_are_deleted_also_when_the_clock_is_set_back(model: Model) -> None:
    later = NOW + 100 * 24 * HOUR
    for at in (NOW, later):
        model.add("A", at)
        model.end("A", "delivered", at)
        model.count(at)
        assert model.store.summaries(["A"])["A"].succeeded == 1
    model.count(NOW)
    assert model.store.summaries(["A"])["A"].succeeded == 0
    assert all(hour.succeeded == 0 for hour in model.store.hours(["A"], NOW)["A"])


def test_a_renamed_webhook_keeps_its_counts(model: Model) -> None:
    for webhook, end in (("A", "delivered"), ("A", "dead"), ("B", "dead")):
        model.add(webhook)
        model.end(webhook, end)
    model.count()
    model.store.reconcile(AppliedState(1, OnlyNames("B"), (Rename(1, "A", "B"),)))
    assert model.store.ranking("attempts") == {"B": 3}
    assert [hour.failed for hour in model.store.hours(["B"], NOW)["B"]][-1] == 2
    assert [reason.attempts for reason in model.store.reasons("B", NOW)] == [2]


def test_reasons_of_failures(model: Model) -> None:
    page = "<html>\n<h1>Sorry</h1>\n<p>{0}</p>\n<i>at 12:30:0{1}, request 4f9a0b1c2d3e4f{1}</i></html>"
    for number, why in enumerate(("the disk is full", "no such table", "the disk is full")):
        model.add("A")
        model.end("A", "dead", NOW + number, body=page.format(why, number))
    model.add("A")
    last = model.end("A", "timeout", body="no response within 10 s")
    model.count()
    first, second, third = model.store.reasons("A", NOW)
    assert (first.cause, first.line, first.attempts, first.last_at) == ("404", "<p>the disk is full</p>", 2, NOW + 2)
    assert (second.cause, second.line, second.attempts) == ("404", "<p>no such table</p>", 1)
    assert (third.cause, third.line, [third.sample]) == ("timeout", "no response within 10 s", last)
    assert model.store.reasons("A", NOW, 1) == [first]
    assert model.store.reasons("A", NOW + 25 * HOUR) == model.store.reasons("B", NOW) == []


# -- groups


def test_a_group_that_does_not_exist_is_empty(store: Store) -> None:
    """Its key is a part of the address of a page."""
    causes = ("", "x", "-1", "9" * 20, "9" * 5000, "\N{SUPERSCRIPT TWO}")
    for status, cause in product(("dead", "retrying", "held", "waiting", "no"), causes):
        which = Filter(group=f"{status}-{cause}")
        assert not store.deliveries(which)
        assert not store.delivery_page(which).rows
        assert not store.tally(which, 100)
        assert store.group(which.group) is None


def test_groups_of_what_is_not_delivered(model: Model, delivery_plan: Build) -> None:
    store = model.store
    store.apply(plan_of(AppliedState(), *(delivery_plan(name) for name in "ABCDEF")))
    for webhook in "AAB":
        model.add(webhook)
        model.end(webhook, "dead", body='{"error": "no such tenant", "request_id": "01HF-123456789012"}')
    model.add("B")
    model.end("B", "busy")
    model.add("C", dead_because="its condition cannot be decided: 1 + 1")
    model.add("D")
    store.set_circuits({"D": Circuit("open", "5 failures in a row", NOW, NOW + 60)})
    model.add("E")
    hold = Outcome(S.HELD, "HTTP 401 Unauthorized", hold=True)
    claims = store.claim(NOW, 10, 60.0, {"E": 1})
    store.finish([Result(one, attempt(401, 1, NOW, 0.1, ""), hold, 1) for one in claims], NOW)
    model.add("F")
    model.count()
    groups = {(group.status, group.cause, group.line): group for group in store.groups()}
    assert {key: group.count for key, group in groups.items()} == {
        (S.DEAD, "404", '"error": "no such tenant"'): 3,
        (S.RETRYING, "503", ""): 1,
        (S.DEAD, "", "its condition cannot be decided: 1 + 1"): 1,
        (S.WAITING, "", "5 failures in a row"): 1,
        (S.WAITING, "", ""): 1,
        (S.HELD, "401", "the webhook is held: HTTP 401 Unauthorized"): 1,
    }
    largest = store.groups()[0]
    assert (largest.count, dict(largest.webhooks), largest.webhook_count) == (3, {"A": 2, "B": 1}, 2)
    assert (largest.since, largest.ids) == (NOW, ["d-e2", "d-e1", "d-e0"])
    assert [group.count for group in store.groups("B")] == [1, 1]
    assert [one.id for one in store.deliveries(largest.filter("B"))] == ["d-e2"]
    for group in groups.values():
        assert len(model.rows(group.filter())) == len(store.deliveries(group.filter())) == group.count
    assert store.replay([one.id for one in store.deliveries(largest.filter())], NOW) == ["d-e2", "d-e1", "d-e0"]
    assert store.group(largest.key) is None
    assert not store.deliveries(Filter(group="nonsense"))
    assert not model.rows(Filter(group="nonsense"))


def test_the_serial_that_was_applied_when_a_group_began(model: Model, delivery_plan: Build) -> None:
    store = model.store
    state = store.apply(plan_of(AppliedState(), delivery_plan("A")))
    at = store.history(1).entries[0].at
    model.add("A", at + 1)
    model.end("A", "dead", at + 1)
    model.count(at + 1)
    assert (store.groups()[0].serial, store.groups()[0].since) == (state.serial, at + 1)


# -- lists

FILTERS: dict[str, dict[str, Any]] = {
    "everything": {},
    "webhook": {"webhook": "A"},
    "dead": {"statuses": {S.DEAD}},
    "dead or retrying": {"statuses": {S.DEAD, S.RETRYING}},
    "waiting": {"statuses": {S.WAITING}},
    "due": {"statuses": {S.WAITING, S.RETRYING}},
    "delivered": {"statuses": {S.DELIVERED}},
    "of a webhook, dead": {"webhook": "A", "statuses": {S.DEAD}},
    "of a webhook, retrying": {"webhook": "A", "statuses": {S.RETRYING}},
    "of a webhook, due": {"webhook": "A", "statuses": {S.WAITING, S.RETRYING}},
    "of a webhook, undelivered": {"webhook": "A", "statuses": set(S) - {S.DELIVERED}},
    "status code": {"cause": "503"},
    "class": {"cause": "4xx"},
    "mismatch": {"cause": "mismatch"},
    "failure": {"cause": "timeout"},
    "plan": {"plan_digest": "digest-404"},
    "type": {"event_type": "other"},
    "event": {"event_id": "e3"},
    "ids": {"ids": ["d-e1", "d-e4", "none"]},
    "part": {"id_part": "1"},
    "since": {"since": NOW + 5},
    "until": {"until": NOW + 5},
    "of a webhook, range": {"webhook": "B", "since": NOW + 2, "until": NOW + 9},
    "dead, range": {"statuses": {S.DEAD}, "since": NOW + 2, "until": NOW + 9},
    "where": {"where": lambda document: document["id"] in {"e2", "e5"}},
}


def _fill(model: Model, chances: list[tuple[str, str]]) -> None:
    for number, (webhook, end) in enumerate(chances):
        at = NOW + number // 2  # some are made at the same time
        model.add(webhook, at, event_type="other" if number % 3 else "anomaly")
        if end != "none":
            model.end(webhook, end, at)


def test_pages_together_are_what_a_filter_passes(model: Model) -> None:
    ends = [*ENDS]
    _fill(model, [("ABA"[number % 3], ends[number % len(ends)]) for number in range(24)] + [("A", "none")] * 3)
    for name, fields in FILTERS.items():
        only = Filter(**fields)
        expected = [one.id for one in model.store.deliveries(only)]
        assert expected, name
        counts = Counter(one.webhook for one in model.store.deliveries(only))
        assert model.store.tally(only, len(expected)) == counts, name
        for look_at in (1, 3, 1000):
            assert _all_pages(model, only, look_at) == expected, name


def _all_pages(model: Model, which: Filter, look_at: int) -> list[str]:
    found: list[str] = []
    position = None
    while True:
        page = model.store.delivery_page(which, 2, before=position, look_at=look_at)
        assert len(page.rows) <= 2
        assert page.looked_at <= look_at
        found += [row.delivery.id for row in page.rows]
        position = page.next
        if position is None:
            return found


@given(
    before=st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from([*ENDS, "none"])), max_size=10),
    during=st.lists(st.tuples(st.sampled_from("AB"), st.integers(-3, 3)), max_size=10),
    which=st.sampled_from(["everything", "webhook", "dead or retrying", "due", "type"]),
)
@settings(max_examples=12, deadline=None)
def test_deliveries_that_are_added_between_pages_move_no_other(
    before: list[tuple[str, str]], during: list[tuple[str, int]], which: str
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for scheme, make in IMPLEMENTATIONS.items():
            url = new_url(scheme, Path(directory))
            model = Model(make(url, Clock()))
            _fill(model, before)
            only = Filter(**FILTERS[which])
            expected = [one.id for one in model.store.deliveries(only)]
            added = iter(during)
            found, position, more = [], None, True
            while more:
                page = model.store.delivery_page(only, 2, before=position)
                found += [row.delivery.id for row in page.rows]
                position, more = page.next, page.next is not None
                for webhook, hours in [next(added)] if during and len(found) < len(during) else []:
                    model.add(webhook, NOW + hours, event_type="other")
            assert len(found) == len(set(found))
            assert [name for name in found if name in expected] == expected
            model.store.close()
            delete(url)


def test_the_columns_of_a_list(model: Model) -> None:
    model.add("A", event_type="other")
    model.end("A", "timeout", NOW + 5)
    model.add("B", NOW + 10)
    claimed = model.store.claim(NOW + 10, 1, 60.0, {"B": 1})
    newest, oldest = model.rows()
    assert (newest.last, newest.last_at, newest.plan_digest, newest.is_claimed) == ("", None, "", True)
    assert newest.delivery.id == claimed[0].delivery.id
    assert (oldest.event_type, oldest.last, oldest.last_at) == ("other", "timeout", NOW + 5)
    assert (oldest.plan_digest, oldest.is_claimed) == ("digest-timeout", False)
    assert oldest.delivery == model.store.deliveries(Filter(webhook="A"))[0]


def test_the_next_tries_of_a_webhook(model: Model) -> None:
    model.add("A")
    model.end("A", "busy")
    model.add("A", NOW + 1)
    model.add("B", NOW)
    assert [row.delivery.due_at for row in model.store.next_tries("A", 10)] == [NOW + 1, NOW + 1e6]
    assert len(model.store.next_tries("A", 1)) == 1


# -- applies


def test_history_goes_on_where_a_page_ended(model: Model, delivery_plan: Build) -> None:
    store = model.store
    assert (store.history(10).entries, store.history(10).next, store.apply_entry(1)) == ([], None, None)
    state = AppliedState()
    for number in range(3):
        plan = plan_of(state, delivery_plan("A", timeout_seconds=number + 1))
        state = store.apply(plan, applied_by="ada@loom", commit="c" * number)
        store.cancel([], NOW, "", AuditEntry(id=f"a{number}", at=NOW, who="", action="cancel", what="", reason=""))
    entries = store.history(10).entries
    assert [entry.serial for entry in entries] in ([3, 2, 1, None, None, None], [None, None, None, 3, 2, 1])
    applies = [entry for entry in entries if entry.serial]
    assert [store.apply_entry(number) for number in (3, 2, 1)] == applies
    assert store.apply_entry(4) is None
    assert [(entry.who, entry.commit, dict(entry.changes)) for entry in applies] == [
        ("ada@loom", "cc", {"update": 1}),
        ("ada@loom", "c", {"update": 1}),
        ("ada@loom", "", {"create": 1}),
    ]
    found: list[HistoryEntry] = []
    before = None
    while True:
        page = store.history(2, before=before)
        found += page.entries
        before = page.next
        if before is None:
            break
    assert found == entries


def test_what_an_apply_changed_and_the_plan_before(model: Model, delivery_plan: Build) -> None:
    store = model.store
    first, second = delivery_plan("A"), delivery_plan("A", timeout_seconds=3)
    assert (store.changes(1), store.applied(["A"]), store.previous_plan("A")) == ([], {}, None)
    state = store.apply(plan_of(AppliedState(), first, delivery_plan("B")), applied_by="ada@loom", commit="abc")
    assert [(one.name, one.action, one.before, one.after) for one in store.changes(1, 1)] == [
        ("A", "create", "", first.digest)
    ]
    assert [one.name for one in store.changes(1, after="A")] == ["B"]
    applied = store.applied(["A", "none"])
    assert applied.keys() == {"A"}
    assert (applied["A"].serial, applied["A"].by, applied["A"].commit) == (1, "ada@loom", "abc")
    assert store.previous_plan("A") is None
    store.apply(plan_of(state, second), applied_by="bob@loom")
    assert [(one.name, one.action, one.after) for one in store.changes(2)] == [
        ("A", "update", second.digest),
        ("B", "delete", ""),
    ]
    previous = store.previous_plan("A")
    assert previous is not None
    assert (previous.plan, previous.replaced.serial, previous.replaced.by) == (first, 2, "bob@loom")
    assert store.applied(["B"]) == {}
    assert store.plan(first.digest) == first
    assert store.plan(second.digest) is None  # neither tried nor replaced
