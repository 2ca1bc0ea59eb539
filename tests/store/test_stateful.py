"""The queue against a model: random intake, claims, results, lease ends, restarts and applies."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hookctl.model import (
    AppliedState,
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Rename,
    Status,
    Timing,
)
from hookctl.store.interface import Store
from hookctl.store.records import Batch, Claimed, NewDelivery, Outcome, Result, Routed

from .conftest import IMPLEMENTATIONS, Clock, delete, new_url

LEASE = 60.0
WEBHOOKS = ("A", "B")
FAILED = Failure(FailureKind.CONNECT, "refused")


def plan(name: str, status: Status) -> DeliveryPlan:
    return DeliveryPlan(
        name=name,
        event="anomaly",
        status=status,
        method="POST",
        url="https://siem.example.com/",
        headers={},
        auth=(),
        transport=None,
        when=None,
        body_template=None,
        timeout_seconds=1.0,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )


def tried(number: int, at: float) -> Attempt:
    return Attempt(
        plan_digest="d", number=number, started_at=at, request=None, response=None, failure=FAILED, timing=Timing()
    )


@dataclass
class Known:
    """What the model knows of one delivery."""

    webhook: str
    status: str = "waiting"
    attempts: int = 0
    due: float = 0.0
    worker: int | None = None
    lease: int = 0
    until: float = 0.0
    made: float = 0.0
    ended: float = 0.0
    """When it was marked last, cancelled or made due."""


class QueueMachine(RuleBasedStateMachine):
    """Two workers on one queue."""

    scheme = "sqlite"
    ends_lost_claims = False
    """Whether :meth:`prune` frees what was cancelled while a worker tried it that did not come back in time.

    Only a store that several hosts share does: on one host, a worker that has ended is known to have.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.url = new_url(self.scheme, self.directory)
        self.clock = Clock()
        self.workers = [self.open(), self.open()]
        self.serial = 0
        self.applied: dict[str, Status] = {}
        self.renames: list[Rename] = []
        self.known: dict[str, Known] = {}
        self.hands: list[tuple[int, Claimed]] = []
        """Every claim that a worker believes to hold."""

    @property
    def now(self) -> float:
        return self.clock.now

    def open(self) -> Store:
        return IMPLEMENTATIONS[self.scheme](self.url, self.clock)

    def teardown(self) -> None:
        for worker in self.workers:
            worker.close()
        shutil.rmtree(self.directory)
        delete(self.url)

    @rule(worker=st.integers(0, 1), names=st.lists(st.integers(0, 15), min_size=1, max_size=4))
    def enqueue(self, worker: int, names: list[int]) -> None:
        batch = [
            Routed(
                Event(f"e{name}", "anomaly", 0.0, {"id": f"e{name}"}),
                tuple(NewDelivery(f"e{name}-{webhook}", webhook) for webhook in WEBHOOKS),
            )
            for name in names
        ]
        for routed, is_new in zip(batch, self.workers[worker].enqueue(batch, self.now), strict=True):
            assert is_new == (routed.deliveries[0].id not in self.known)
            for delivery in routed.deliveries if is_new else ():
                self.known[delivery.id] = Known(delivery.webhook, due=self.now, made=self.now, ended=self.now)

    @rule(worker=st.integers(0, 1), names=st.lists(st.integers(16, 31), min_size=1, max_size=4), room=st.integers(0, 3))
    def enqueue_and_claim(self, worker: int, names: list[int], room: int) -> None:
        older = {known.webhook for known in self.known.values() if self.claimable(known)}
        batch = [
            Routed(
                Event(f"e{name}", "anomaly", 0.0, {"id": f"e{name}"}),
                tuple(NewDelivery(f"e{name}-{webhook}", webhook) for webhook in WEBHOOKS),
            )
            for name in names
        ]
        wanted = dict.fromkeys(WEBHOOKS, room)
        stored = self.workers[worker].submit(Batch(now=self.now, events=batch, wanted=wanted, lease_seconds=LEASE))
        flags, claims = stored.result().is_new, stored.result().claims
        made = [
            delivery for routed, is_new in zip(batch, flags, strict=True) if is_new for delivery in routed.deliveries
        ]
        for delivery in made:
            assert delivery.id not in self.known
            self.known[delivery.id] = Known(delivery.webhook, due=self.now, made=self.now, ended=self.now)
        for webhook in WEBHOOKS:
            ours = [claimed for claimed in claims if claimed.delivery.webhook == webhook]
            assert len(ours) == (
                0 if webhook in older else min(room, sum(delivery.webhook == webhook for delivery in made))
            )
        for claimed in claims:
            known = self.known[claimed.delivery.id]
            known.worker, known.lease, known.until = worker, claimed.lease, self.now + LEASE
            self.hands.append((worker, claimed))

    @rule(worker=st.integers(0, 1), limit=st.integers(1, 5))
    def claim(self, worker: int, limit: int) -> None:
        claimable = {name for name, known in self.known.items() if self.claimable(known)}
        claims = self.workers[worker].claim(self.now, limit, LEASE, dict.fromkeys(WEBHOOKS, limit))
        assert len(claims) == min(limit, len(claimable))
        for claimed in claims:
            known = self.known[claimed.delivery.id]
            assert claimed.delivery.id in claimable
            assert claimed.delivery.attempts == known.attempts
            assert claimed.document == {"id": claimed.delivery.event_id}
            known.worker, known.lease, known.until = worker, claimed.lease, self.now + LEASE
            self.hands.append((worker, claimed))

    def claimable(self, known: Known) -> bool:
        return (
            known.status in {"waiting", "retrying"}
            and known.due <= self.now
            and (known.worker is None or known.until <= self.now)
        )

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), verdict=st.sampled_from(["delivered", "retrying", "dead"]), delay=st.floats(0, 200))
    def finish(self, data: st.DataObject, verdict: str, delay: float) -> None:
        """Several at once, some of which may have lost their lease."""
        worker = self.hands[data.draw(st.integers(0, len(self.hands) - 1))][0]
        ours = [claimed for owner, claimed in self.hands if owner == worker]
        chosen = {
            claimed.delivery.id: claimed
            for claimed in data.draw(st.lists(st.sampled_from(ours), min_size=1, max_size=4))
        }
        self.hands = [
            (owner, claimed)
            for owner, claimed in self.hands
            if not (owner == worker and chosen.get(claimed.delivery.id) is claimed)
        ]
        outcome = Outcome(DeliveryStatus(verdict), due_at=self.now + delay if verdict == "retrying" else None)
        results = [
            Result(claimed, tried(claimed.delivery.attempts + 1, self.now), outcome, self.serial)
            for claimed in chosen.values()
        ]
        lost = self.workers[worker].finish(results, self.now)
        holding = {
            name
            for name, claimed in chosen.items()
            if (self.known[name].worker, self.known[name].lease) == (worker, claimed.lease)
        }
        assert lost == chosen.keys() - holding
        for name in holding:
            self.mark(self.known[name], chosen[name].delivery.attempts + 1, verdict, delay)

    def mark(self, known: Known, number: int, verdict: str, delay: float) -> None:
        known.worker, known.attempts, known.ended = None, number, self.now
        if verdict != "retrying":
            known.status = verdict
            return
        known.due = self.now + delay
        if known.status in {"waiting", "retrying"}:
            known.status = "retrying"

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        worker, claimed = self.hands.pop(data.draw(st.integers(0, len(self.hands) - 1)))
        self.workers[worker].release([claimed])
        known = self.known[claimed.delivery.id]
        if (known.worker, known.lease) == (worker, claimed.lease):
            known.worker = None

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        worker, claimed = data.draw(st.sampled_from(self.hands))
        known = self.known[claimed.delivery.id]
        holds = (known.worker, known.lease) == (worker, claimed.lease)
        assert self.workers[worker].renew([claimed], self.now, LEASE) == (set() if holds else {claimed.delivery.id})
        if holds:
            known.until = self.now + LEASE

    @precondition(lambda self: self.known)
    @rule(data=st.data(), worker=st.integers(0, 1))
    def cancel(self, data: st.DataObject, worker: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        waits = self.known[name].status in {"waiting", "retrying", "held"}
        assert self.workers[worker].cancel([name], self.now, "not wanted") == ([name] if waits else [])
        if waits:
            self.known[name].status, self.known[name].ended = "cancelled", self.now

    @rule(worker=st.integers(0, 1), age=st.sampled_from([0.0, 50.0]))
    def prune(self, worker: int, age: float) -> None:
        """Events whose deliveries all ended a while ago are forgotten, and come as new ones."""
        before = self.now - age
        if self.ends_lost_claims:
            for known in self.known.values():
                if known.status in {"delivered", "dead", "cancelled"} and known.until <= before:
                    known.worker = None
        events = {name.partition("-")[0] for name in self.known}
        over = {
            event
            for event in events
            if all(self.is_over(self.known[f"{event}-{webhook}"], before) for webhook in WEBHOOKS)
        }
        assert self.workers[worker].prune(before, 100) == len(over)
        self.known = {name: known for name, known in self.known.items() if name.partition("-")[0] not in over}
        self.hands = [(holder, claimed) for holder, claimed in self.hands if claimed.delivery.id in self.known]

    def is_over(self, known: Known, before: float) -> bool:
        return (
            known.status in {"delivered", "dead", "cancelled"}
            and known.worker is None
            and known.made < before
            and known.ended < before
        )

    @rule(seconds=st.sampled_from([1.0, 30.0, LEASE, 200.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: self.hands)
    @rule(worker=st.integers(0, 1))
    def take_over(self, worker: int) -> None:
        """Every lease ends, and one worker claims what the others still believe to hold."""
        self.clock.now += LEASE
        self.claim(worker, 5)

    @rule(worker=st.integers(0, 1))
    def restart(self, worker: int) -> None:
        self.workers[worker].close()
        self.workers[worker] = self.open()
        self.hands = [(holder, claimed) for holder, claimed in self.hands if holder != worker]
        for known in self.known.values():
            if known.worker == worker:
                known.worker = None

    @rule(worker=st.integers(0, 1), statuses=st.dictionaries(st.sampled_from(WEBHOOKS), st.sampled_from(Status)))
    def apply(self, worker: int, statuses: dict[str, Status]) -> None:
        self.reconcile(worker, statuses, statuses.keys() - self.applied.keys())

    @precondition(lambda self: len(self.applied) == 1)
    @rule(worker=st.integers(0, 1))
    def rename(self, worker: int) -> None:
        ((old, status),) = self.applied.items()
        new = WEBHOOKS[1 - WEBHOOKS.index(old)]
        for known in self.known.values():
            if known.webhook == old:
                known.webhook = new
        self.reconcile(worker, {new: status}, {new}, Rename(self.serial + 1, old, new))

    def reconcile(self, worker: int, statuses: dict[str, Status], come: Iterable[str], *more: Rename) -> None:
        self.serial, self.applied = self.serial + 1, statuses
        late = [replace(one, is_taken=one.is_taken or one.old in come) for one in self.renames]
        self.renames = [*late, *more]
        plans = {name: plan(name, status) for name, status in statuses.items()}
        self.workers[worker].reconcile(AppliedState(self.serial, plans, tuple(self.renames)))
        for known in self.known.values():
            for one in late:
                if (
                    known.webhook == one.old
                    and not one.is_taken
                    and known.status in {"waiting", "retrying", "held", "dead"}
                ):
                    known.webhook = one.new
            if known.status not in {"waiting", "retrying", "held"}:
                continue
            if known.webhook not in statuses:
                known.status = "cancelled"
            elif statuses[known.webhook] is Status.INACTIVE:
                known.status = "held"
            elif known.status == "held":
                known.status = "retrying" if known.attempts else "waiting"

    @precondition(lambda self: self.known)
    @rule(data=st.data(), worker=st.integers(0, 1))
    def replay(self, data: st.DataObject, worker: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        known = self.known[name]
        is_free = known.worker is None or known.until <= self.now
        assert self.workers[worker].replay([name], self.now) == ([name] if is_free else [])
        if is_free:
            known.status, known.attempts, known.due, known.worker, known.ended = "waiting", 0, self.now, None, self.now

    @invariant()
    def nothing_is_lost_or_changed(self) -> None:
        found = {one.id: (one.webhook, one.status.value, one.attempts) for one in self.workers[0].deliveries()}
        assert found == {name: (known.webhook, known.status, known.attempts) for name, known in self.known.items()}

    @invariant()
    def next_due_is_when_something_can_be_claimed(self) -> None:
        times = [
            known.due if known.worker is None else max(known.due, known.until)
            for known in self.known.values()
            if known.status in {"waiting", "retrying"}
        ]
        assert self.workers[1].next_due(WEBHOOKS) == min(times, default=None)


class PostgresMachine(QueueMachine):
    """The same on a server."""

    scheme = "postgresql"
    ends_lost_claims = True


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPostgresQueue = PostgresMachine.TestCase
TestPostgresQueue.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
