"""The runner: takes what is due out of the queue, has it tried, and records what came of it."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.delivery.runner.claims import Claims
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT, SLOW_SECONDS, Limits
from hookctl.delivery.runner.listener import Listener, notify
from hookctl.delivery.runner.observing import Observers
from hookctl.delivery.runner.retention import Retention, StoreLimits
from hookctl.delivery.runner.retry import DELIVERED, decide, describe, has_token_auth, health, was_not_made
from hookctl.delivery.runner.route import Router
from hookctl.delivery.runner.tally import Tally
from hookctl.model import AppliedState, Event, Status
from hookctl.plugin.calls import Plugins
from hookctl.store.clock import since_boot
from hookctl.store.interface import Claimed, Queue, Result

STATE_SECONDS = 0.5
"""How old the applied state may be that deliveries are made by."""
CLAIM_SECONDS = 0.01
"""Between two claims, while attempts are under way: each is a commit."""
GROUP_SECONDS = 0.025
"""Between two records of results, while attempts are under way: each is a commit, so a few at once."""
FINISH_BATCH = 512
MAX_AHEAD = 2048
"""Deliveries in hand that wait for their turn, at most."""
MEANWHILE_SECONDS = 0.001
"""Between two looks whether the store has done what is waited for."""
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
        self._backlogged: set[str] = set()
        """Webhooks of which more waits in the queue than could be claimed."""
        self._results: list[Result] = []
        self._released: list[Claimed] = []
        """What this machine lacked something for: to be put back, as if it had not been tried."""
        self._hurry = False
        """A webhook is to be suspended: that cannot wait."""
        self._claimed_at = self._finished_at = self._state_at = float("-inf")
        self._renewed_at = monotonic()
        self._ahead = clock() - monotonic()
        """How far the wall clock is ahead of the other."""
        queue.clock_set(clock(), clock())
        self._limits.take_over(queue.circuits(), clock())
        self._take_state(read_state())

    # -- intake

    def accept(self, events: Sequence[Event]) -> list[bool]:
        """Route and store events in one commit, with what has ended since the last. One flag per event: False where its id was seen before.

        Raises IntakeRefusedError when there is no room for all of them, StoreError when the store fails; nothing was stored then.
        """
        self._retention.admit()
        self._refresh_state()
        routed = [self._router.route(event) for event in events]
        with self._recording():  # one commit for what has come and what has ended
            wanted = self._limits.wanted(self._state.plans, self._claims.waiting())
            is_new, claims = self._queue.enqueue_and_claim(
                routed, self._clock(), LEASE_SECONDS, wanted, self._retention.max_waiting
            )
        made = sum(len(one.deliveries) for one in routed)
        if len(claims) < made:
            claimed = {one.delivery.id for one in claims}
            self._backlogged.update(
                delivery.webhook for one in routed for delivery in one.deliveries if delivery.id not in claimed
            )
        self._claims.add(claims)
        self._start()
        return is_new

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook is for events of this type."""
        return self._router.receives(event_type)

    def replay(self, delivery_ids: Sequence[str], *, as_planned: bool = False) -> list[str]:
        """Make deliveries due now, as far as their webhooks are active; gives those that nobody is trying at this moment.

        ``as_planned``: by the delivery plan of the last attempt, as far as there was one.
        """
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
        """Start what is due and record what has ended; wait up to ``wait`` seconds for that while anything is under way.

        False when nothing was under way, so that the caller may wait for something else.
        """
        self._watch_clock()
        self._refresh_state()
        self._retention.prune()
        self._renew()
        self._claim()
        self._start()
        works = self._engine.in_flight > 0
        self.collect(wait if not self._results else min(wait, GROUP_SECONDS))
        self._start()
        if (
            self._hurry
            or len(self._results) >= FINISH_BATCH
            or not self._engine.in_flight
            or self._monotonic() - self._finished_at >= GROUP_SECONDS
        ):
            self._record()
        return works

    def collect(self, wait: float) -> None:
        """Let what is under way go on, and keep what ends for the next :meth:`step` to record. Does not need the store."""
        if self._engine.in_flight:
            self._collect(self._engine.poll(wait))

    def stop(self, grace: float) -> None:
        """Start nothing more, give what is under way ``grace`` seconds to end, and put the rest back into the queue. Once; later calls do nothing."""
        if self._stopped:
            return
        self._stopped = True
        deadline = self._monotonic() + grace
        try:
            self._put_back(self._claims.waiting())
            while self._engine.in_flight and (left := deadline - self._monotonic()) > 0:
                self._collect(self._engine.poll(min(left, GROUP_SECONDS)))
                if self._monotonic() - self._finished_at >= GROUP_SECONDS:
                    self._record()
                self._renew()
        finally:
            self._engine.close()
            self._record()
            self._queue.release(self._claims)
            self._claims.clear()
            self._observers.close()

    def _claim(self) -> None:
        now = self._monotonic()
        if self._claims and now - self._claimed_at < CLAIM_SECONDS:
            return
        self._claimed_at = now
        waiting = self._claims.waiting()
        wanted = self._limits.wanted(self._state.plans, waiting)
        claims = self._queue.claim(
            self._clock(),
            self._limits.total_capacity + MAX_AHEAD - sum(waiting.values()),
            LEASE_SECONDS,
            wanted,
            self._meanwhile,
        )
        counts = Counter(claimed.delivery.webhook for claimed in claims)
        self._backlogged.difference_update([name for name, count in wanted.items() if counts[name] < count])
        self._claims.add(claims)

    def _start(self) -> None:
        """Start what is in hand, as far as limits allow, and put back what they do not allow for a while."""
        self._put_back([name for name in self._claims.waiting() if self._limits.probe_in(name)])
        self._start_waiting()

    def _start_waiting(self) -> None:
        for name in self._claims.waiting():
            plan = self._state.plans[name]
            for _ in range(self._limits.capacity(plan)):
                claimed = self._claims.next_waiting(name)
                if claimed is None:
                    break
                self._limits.started(plan)
                planned = replace(claimed.plan, name=name) if claimed.plan else plan  # it may have been renamed since
                self._engine.start(Job(claimed.delivery.id, planned, claimed.document, claimed.delivery.attempts + 1))

    def _put_back(self, webhooks: Iterable[str]) -> None:
        """Give back what is in hand of these webhooks and not under way."""
        claims = self._claims.drop_waiting(webhooks)
        if claims:
            self._queue.release(claims)

    def _renew(self) -> None:
        if self._monotonic() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = self._monotonic()
        held = [*self._claims, *self._released, *(result.claimed for result in self._results)]
        self._claims.lost(self._queue.renew(held, self._clock(), LEASE_SECONDS))

    def _watch_clock(self) -> None:
        now, monotonic = self._clock(), self._monotonic()
        if abs(now - monotonic - self._ahead) > CLOCK_SECONDS:
            log.warning("the clock was set, by %+.0f seconds", now - monotonic - self._ahead)
            self._queue.clock_set(self._ahead + monotonic, now)
        self._ahead = now - monotonic

    def _collect(self, finished: Iterable[Finished]) -> None:
        for one in finished:
            claimed = self._claims.ended(one.job.delivery_id)
            plan = one.job.plan
            if was_not_made(one.attempt):
                self._limits.local_failure(plan, describe(one.attempt))
                self._released.append(claimed)
                self.tally.local_failures[describe(one.attempt)] += 1
                continue
            is_slow = not one.attempt.succeeded and one.attempt.timing.total >= SLOW_SECONDS
            self._limits.ended(plan, health(one.attempt), is_slow=is_slow)
            if one.attempt.succeeded:
                outcome = DELIVERED
            else:
                outcome = decide(
                    one.attempt,
                    plan.retry_schedule,
                    self._clock(),
                    self._jitter(),
                    token_auth=has_token_auth(plan, self._plugins),
                    mismatch_message=plan.custom_validation_error_message,
                )
                self._hurry = self._hurry or outcome.suspend
            self._results.append(Result(claimed, one.attempt, outcome, self._state.serial, plan))

    def _record(self) -> None:
        self._finished_at = self._monotonic()
        self._store_circuits()
        if self._results or self._released:
            with self._recording():
                pass

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """One commit for what has ended and for what is done within. What is under way goes on while the store is waited for."""
        results: list[Result] = []
        not_made: list[Claimed] = []
        lost: Collection[str] = ()
        try:
            with self._queue.together(self._meanwhile):
                results, self._results = self._results, []
                not_made, self._released = self._released, []
                if results:
                    lost = self._queue.finish(results, self._clock())
                if not_made:
                    self._queue.release(not_made)
                yield
        except BaseException:
            self._results = results + self._results  # they have ended, and are not recorded yet
            self._released = not_made + self._released
            raise
        self._recorded(results, lost)

    def _meanwhile(self) -> bool:
        """What does not need the store; False when nothing is under way."""
        if not self._hurry:
            self._start_waiting()
        self.collect(MEANWHILE_SECONDS)
        return self._engine.in_flight > 0

    def _recorded(self, results: Sequence[Result], lost: Collection[str]) -> None:
        self._finished_at = self._monotonic()
        self._put_back([result.claimed.delivery.webhook for result in results if result.outcome.suspend])
        self._hurry = any(result.outcome.suspend for result in self._results)
        recorded = [result for result in results if result.claimed.delivery.id not in lost]
        self.tally.add(recorded)
        if self._is_observed:
            notify(recorded, self._listener, self._observers)

    def _store_circuits(self) -> None:
        circuits = self._limits.circuits(self._clock())
        if circuits:
            self._queue.set_circuits(circuits)
        for name, circuit in circuits.items():
            self._listener.circuit(name, circuit)

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
        self._put_back(self._claims.waiting())
        self._state, self._router = state, Router(state)
        self._state_at = self._monotonic()
        self._queue.reconcile(state)
        self._listener.applied(state)
