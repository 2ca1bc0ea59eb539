"""The runner: takes what is due out of the queue, has it tried, and records what came of it."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.delivery.runner.claims import Claims
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT, SLOW_SECONDS, Limits
from hookctl.delivery.runner.listener import Listener, notify
from hookctl.delivery.runner.observing import Observers
from hookctl.delivery.runner.retention import Retention, StoreLimits
from hookctl.delivery.runner.retry import DELIVERED, decide, describe, has_token_auth, health, was_not_made
from hookctl.delivery.runner.route import Router
from hookctl.delivery.runner.tally import Tally
from hookctl.errors import StateLockedError, StoreError
from hookctl.model import AppliedState, Attempt, DeliveryPlan, Event, Status
from hookctl.plugin.calls import Plugins
from hookctl.store.clock import since_boot
from hookctl.store.interface import Batch, Claimed, Committed, Outcome, Queue, Result

STATE_SECONDS = 0.5
"""How old the applied state may be that deliveries are made by."""
CLAIM_SECONDS = 0.01
"""Between two claims, while attempts are under way: each is a commit."""
GROUP_SECONDS = 0.025
"""Between two records of results, while attempts are under way: each is a commit, so a few at once."""
RESULTS_BATCH = 512
"""Results that are recorded at once, whenever the last ones were."""
MAX_AHEAD = 2048
"""Claimed deliveries that wait for their turn, at most."""
PATIENCE_SECONDS = 0.25
"""How long an attempt is waited for while a commit is in flight; the end of either ends the wait."""
LEASE_SECONDS = 60.0
"""How long a worker that stalls keeps others from its deliveries."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""Between two renewals of the leases on what is in hand."""
CLOCK_SECONDS = 60.0
"""A wall clock that goes astray by more, between two steps, was set."""

log = logging.getLogger(__name__)


class Runner:
    """Delivers from one queue, on the caller's thread. Begin with :meth:`step`; end with :meth:`stop`.

    Nothing is lost by ending otherwise: what was claimed and not recorded is tried again, with the same ``webhook-id``.
    ``read_state`` gives the applied state; it is asked again twice a second, so an apply reaches what still waits.
    ``clock`` gives epoch seconds, ``monotonic`` seconds on a clock that nobody sets and that goes on while the machine sleeps.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        engine: AttemptEngine,
        plugins: Plugins,
        read_state: Callable[[], AppliedState],
        store_limits: StoreLimits | None = None,
        listener: Listener | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.tally = Tally(clock())
        self._queue, self._engine, self._plugins = queue, engine, plugins
        self._read_state, self._clock, self._monotonic, self._jitter = read_state, clock, monotonic, jitter
        self._limits = Limits(monotonic, max_in_flight)
        self._retention = Retention(queue, store_limits or StoreLimits(), clock, monotonic)
        self._listener = listener or Listener()
        self._observers = Observers(plugins.observers.values())
        self._is_observed = listener is not None or bool(plugins.observers)
        self._stopped = False
        self._claims = Claims()
        self._commits = Commits(queue, engine.wake)
        self._backlogged: set[str] = set()
        """Webhooks of which more is due in the queue than could be claimed."""
        self._claimed_at = self._recorded_at = self._state_at = float("-inf")
        self._renewed_at = monotonic()
        self._ahead = clock() - monotonic()
        """How far the wall clock is ahead of the other."""
        queue.clock_set(clock(), clock())
        self._limits.take_over(queue.circuits(), clock())
        self._take_state(read_state())

    # -- intake

    def accept(self, events: Sequence[Event]) -> list[bool]:
        """Route events and store them durably, in one commit with what has ended. Attempts go on in the meantime.

        Gives one flag per event: False where its id was seen before.

        Raises:
            IntakeRefusedError: there is no room for all of them; nothing was stored.
            StoreError: the store fails; nothing was stored.
        """
        self._finish_commit()
        self._retention.admit()
        self._refresh_state()
        self._commits.submit(
            self._clock(),
            events=[self._router.route(event) for event in events],
            max_waiting=self._retention.max_waiting,
            wanted=self._limits.wanted(self._state.plans, self._claims.waiting()),
            lease_seconds=LEASE_SECONDS,
        )
        committed = self._finish_commit()
        self._start()
        return [*committed.is_new]

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook is for events of this type."""
        return self._router.receives(event_type)

    def replay(self, delivery_ids: Sequence[str], *, as_planned: bool = False) -> list[str]:
        """Make deliveries due now, as far as their webhooks are active; gives those that nobody is trying at this moment.

        ``as_planned``: by the delivery plan of the last attempt, as far as there was one.
        """
        self._finish_commit()
        replayed = self._queue.replay(delivery_ids, self._clock(), as_planned=as_planned)
        self._take_state(self._read_state())
        return replayed

    # -- work

    @property
    def in_flight(self) -> int:
        """How many deliveries are being tried."""
        return self._claims.in_flight

    def intake_capacity(self) -> int:
        """How many events more are worth taking in, since they can go straight to their targets, or since there is little to do; 0: there is enough.

        More may be taken in at any time; it waits in the queue then, behind what waits there.
        """
        plans = self._state.plans
        wanted = self._limits.wanted(plans, self._claims.waiting())
        worthwhile = [
            count
            for name, count in wanted.items()
            if name not in self._backlogged and self._limits.is_worth_a_commit(plans[name], count)
        ]
        return max(worthwhile, default=0 if self._limits.is_busy else MAX_AHEAD)

    def next_due(self) -> float | None:
        """When there is something to claim next, in epoch seconds; None: nothing waits. What waits for a target that fails is due when that is probed."""
        active = [name for name, plan in self._state.plans.items() if plan.status is Status.ACTIVE]
        probes = {name: seconds for name in active if (seconds := self._limits.probe_in(name))}
        due = [self._queue.next_due([name for name in active if name not in probes])]
        for name, seconds in probes.items():
            at = self._queue.next_due([name])
            due.append(None if at is None else max(at, self._clock() + seconds))
        return min((at for at in due if at is not None), default=None)

    def due_in(self) -> float | None:
        """Seconds until :meth:`next_due`, 0 or less when it has come; None: nothing waits."""
        due = self.next_due()
        return None if due is None else due - self._clock()

    def step(self, wait: float) -> bool:
        """Start what is due and record what has ended; wait up to ``wait`` seconds while anything is in flight.

        False when no attempt was in flight, so that the caller may wait for something else.
        """
        if not self._commits.in_flight:
            self._watch_clock()
            self._refresh_state()
            self._retention.prune()
            self._renew()
            self._claim()
        if not self._engine.in_flight:
            self._finish_commit()
        self._start()
        works = self._engine.in_flight > 0
        self.collect(min(wait, GROUP_SECONDS) if self._commits.results else wait)
        if self._commits.has_ended:
            self._finish_commit()
        self._start()
        self._record()
        if not self._engine.in_flight:
            self._finish_commit()
        return works

    def collect(self, wait: float) -> None:
        """Let attempts go on for up to ``wait`` seconds, or until a commit ends; keep their results to be recorded.

        Does not need the store.
        """
        if self._engine.in_flight:
            self._collect(self._engine.poll(wait))

    def stop(self, grace: float) -> None:
        """Start nothing more, give attempts in flight ``grace`` seconds to end, and release all other claims.

        Later calls do nothing.
        """
        if self._stopped:
            return
        self._stopped = True
        deadline = self._monotonic() + grace
        try:
            self._finish_commit()
            self._submit()  # releases what is not in flight, which another worker may take at once
            while self._engine.in_flight and (left := deadline - self._monotonic()) > 0:
                self.collect(min(left, GROUP_SECONDS))
                if self._commits.has_ended:
                    self._finish_commit()
                if not self._commits.in_flight:
                    self._renew()
                    self._record()
        finally:
            self._engine.close()
            with suppress(StoreError, StateLockedError):  # what it could not write is in the commit below again
                self._finish_commit()
            self._commits.add_released(self._claims)
            self._claims.clear()
            self._submit()
            self._finish_commit()
            self._observers.close()

    # -- claims and attempts

    def _claim(self) -> None:
        """Begin a commit that claims what is due, with everything else that waits to be written."""
        now = self._monotonic()
        if self._claims and now - self._claimed_at < CLAIM_SECONDS:
            return
        self._claimed_at = now
        waiting = self._claims.waiting()
        wanted = self._limits.wanted(self._state.plans, waiting)
        due_at = self._queue.next_due(wanted)
        if due_at is None or due_at > self._clock():
            self._backlogged.difference_update(wanted)
            return
        limit = self._limits.total_capacity + MAX_AHEAD - sum(waiting.values())
        self._submit(wanted=wanted, limit=limit, lease_seconds=LEASE_SECONDS)

    def _start(self) -> None:
        """Start claimed deliveries as far as the limits allow, and release those that they do not allow for a while."""
        for name in self._claims.waiting():
            if self._stopped or name in self._commits.suspending or self._limits.probe_in(name):
                self._commits.add_released(self._claims.drop_waiting([name]))
                continue
            plan = self._state.plans[name]
            for _ in range(self._limits.capacity(plan)):
                claimed = self._claims.next_waiting(name)
                if claimed is None:
                    break
                self._limits.started(plan)
                # A replay as planned uses the plan of the last attempt, whose webhook may have been renamed since.
                planned = replace(claimed.plan, name=name) if claimed.plan else plan
                self._engine.start(Job(claimed.delivery.id, planned, claimed.document, claimed.delivery.attempts + 1))

    def _renew(self) -> None:
        if self._monotonic() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = self._monotonic()
        lost = self._queue.renew([*self._claims, *self._commits.claims()], self._clock(), LEASE_SECONDS)
        self._claims.lost(lost)

    def _watch_clock(self) -> None:
        now, monotonic = self._clock(), self._monotonic()
        if abs(now - monotonic - self._ahead) > CLOCK_SECONDS:
            log.warning("the clock was set, by %+.0f seconds", now - monotonic - self._ahead)
            self._queue.clock_set(self._ahead + monotonic, now)
        self._ahead = now - monotonic

    def _collect(self, finished: Iterable[Finished]) -> None:
        for one in finished:
            claimed = self._claims.ended(one.job.delivery_id)
            attempt, plan = one.attempt, one.job.plan
            if was_not_made(attempt):
                reason = describe(attempt)
                self._limits.local_failure(plan, reason)
                self.tally.local_failures[reason] += 1
                self._commits.add_released([claimed])
                continue
            is_slow = not attempt.succeeded and attempt.timing.total >= SLOW_SECONDS
            self._limits.ended(plan, health(attempt), is_slow=is_slow)
            outcome = DELIVERED if attempt.succeeded else self._decide(attempt, plan)
            self._commits.add_result(Result(claimed, attempt, outcome, self._state.serial, plan))

    def _decide(self, attempt: Attempt, plan: DeliveryPlan) -> Outcome:
        return decide(
            attempt,
            plan.retry_schedule,
            self._clock(),
            self._jitter(),
            token_auth=has_token_auth(plan, self._plugins),
            mismatch_message=plan.custom_validation_error_message,
        )

    # -- commits

    def _record(self) -> None:
        """Begin a commit of what has ended, unless more may be added to it first, or one is in flight already."""
        if not self._commits.in_flight and (
            self._commits.suspending
            or len(self._commits.results) >= RESULTS_BATCH
            or not self._engine.in_flight
            or self._monotonic() - self._recorded_at >= GROUP_SECONDS
        ):
            self._submit()

    def _submit(self, **more: Any) -> None:
        """Begin a commit of what waits to be written, and of ``more`` fields of a batch, if there is anything."""
        self._recorded_at = self._monotonic()
        self._commits.add_circuits(self._limits.circuits(self._clock()))
        if more or not self._commits.is_empty:
            self._commits.submit(self._clock(), **more)

    def _finish_commit(self) -> Committed:
        """Go on with attempts until no commit is in flight, and take up what the last one brought.

        Raises what made it fail; what it was to write then waits for the next commit.
        """
        self._start()
        while self._commits.in_flight and not self._commits.has_ended and self._engine.in_flight:
            self.collect(PATIENCE_SECONDS)
            self._start()
        ended = self._commits.end()
        if ended is None:
            return Committed()
        batch, committed = ended
        self._recorded_at = self._monotonic()
        self._note_backlog(batch, committed.claims)
        self._claims.add(committed.claims)
        self._start()
        for name, circuit in batch.circuits.items():
            self._listener.circuit(name, circuit)
        recorded = [result for result in batch.results if result.claimed.delivery.id not in committed.lost]
        self.tally.add(recorded)
        if self._is_observed:
            notify(recorded, self._listener, self._observers)
        return committed

    def _note_backlog(self, batch: Batch, claims: Sequence[Claimed]) -> None:
        """Learn which webhooks have more due in the queue than was claimed."""
        if batch.limit:
            counts = Counter(claimed.delivery.webhook for claimed in claims)
            self._backlogged.difference_update([name for name, count in batch.wanted.items() if counts[name] < count])
        elif len(claims) < sum(len(routed.deliveries) for routed in batch.events):
            claimed = {one.delivery.id for one in claims}
            made = (delivery for routed in batch.events for delivery in routed.deliveries)
            self._backlogged.update(delivery.webhook for delivery in made if delivery.id not in claimed)

    # -- applied state

    def _refresh_state(self) -> None:
        if self._monotonic() - self._state_at < STATE_SECONDS:
            return
        self._queue.check()
        state = self._read_state()
        self._queue.check()  # it may have been read from another file that has taken the store's place
        if state.serial != self._state.serial:
            self._take_state(state)
        self._state_at = self._monotonic()

    def _take_state(self, state: AppliedState) -> None:
        self._finish_commit()
        self._queue.reconcile(state)
        # What was claimed for the state before is claimed again, as far as it is still due.
        self._commits.add_released(self._claims.drop_waiting(self._claims.waiting()))
        self._state, self._router = state, Router(state)
        self._state_at = self._monotonic()
        self._listener.applied(state)
