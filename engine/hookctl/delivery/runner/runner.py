"""The runner: claims due deliveries, makes attempts, and records the outcomes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Unpack

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.alerts import Alerts
from hookctl.delivery.runner.attempts import Attempts
from hookctl.delivery.runner.backlog import Backlog
from hookctl.delivery.runner.claims import LEASE_SECONDS, RENEW_SECONDS, Claims
from hookctl.delivery.runner.clock_watch import ClockWatch
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.coordination import Coordination
from hookctl.delivery.runner.holds import Holds
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT, Limits
from hookctl.delivery.runner.listener import Listener, notify
from hookctl.delivery.runner.observing import Observers
from hookctl.delivery.runner.retention import Retention, StoreLimits
from hookctl.delivery.runner.route import Router
from hookctl.delivery.runner.shares import Shares
from hookctl.delivery.runner.tally import Tally
from hookctl.delivery.runner.tracing import tracing_for
from hookctl.delivery.runner.wakeup import Wakeup
from hookctl.errors import StateLockedError, StoreError
from hookctl.model import AppliedState, Event
from hookctl.plugin.calls import Plugins
from hookctl.store.clock import since_boot
from hookctl.store.history import ReplayOptions
from hookctl.store.interface import Queue
from hookctl.store.records import Batch, Committed

STATE_SECONDS = 0.5
"""The maximum age of the applied state when a delivery starts, in seconds."""
CLAIM_SECONDS = 0.01
"""Seconds between two claims while anything is claimed: each claim is a commit."""
GROUP_SECONDS = 0.025
"""Seconds that a result waits at most for others, or for events, to share its commit: each waits for the disk."""
RESULTS_BATCH = 512
"""The number of results that are recorded at once, without waiting for :data:`GROUP_SECONDS`."""
MAX_AHEAD = 2048
"""The maximum number of claimed deliveries that are not in flight yet."""
POLL_SECONDS = 0.25
"""The maximum length of one poll while a commit is in flight, in seconds."""


class Runner:
    """Delivers from one queue, on the caller's thread.

    Call :meth:`step` repeatedly, and :meth:`stop` at the end. Nothing is lost without :meth:`stop`: deliveries that
    were claimed and not recorded are tried again, with the same ``webhook-id``.

    ``read_state`` reads the applied state. The runner calls it twice a second, so an apply takes effect on waiting
    deliveries. ``clock`` returns epoch seconds. ``monotonic`` returns seconds on a clock that is never set, and that
    continues while the machine sleeps.

    A commit is in flight like an attempt: the store's writer makes it on its own thread, and the runner processes its
    result in a later call. At most one is in flight.
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
        self.tally, self.wakeup = Tally(clock()), Wakeup(engine.wake)
        self._queue, self._read_state, self._clock, self._monotonic = queue, read_state, clock, monotonic
        shares = Shares(queue, monotonic, LEASE_SECONDS)
        self._limits = Limits(monotonic, max_in_flight, shares.share)
        self._retention = Retention(queue, store_limits or StoreLimits(), clock, monotonic)
        self._listener = listener or Listener()
        observers = [observer for observer in plugins.observers.values() if observer.build is None]
        self._observers = Observers(observers)
        self._is_observed = listener is not None or bool(observers)
        self._claims = Claims()
        self._alerts = Alerts(queue, clock, monotonic)
        self._commits = Commits(queue, self._alerts, engine.wake, self._listener.committed)
        self._holds = Holds(queue, engine, plugins, self._listener, monotonic)
        self._attempts = Attempts(
            engine,
            holds=self._holds,
            claims=self._claims,
            limits=self._limits,
            commits=self._commits,
            tally=self.tally,
            clock=clock,
            jitter=jitter,
            tracing=tracing_for(observers),
        )
        self._coordination = Coordination(queue, shares, self._limits, self._commits, clock)
        self._backlog = Backlog(queue, self._limits, clock)
        self._claimed_at = self._recorded_at = self._state_at = float("-inf")
        self._renewed_at = monotonic()
        self._clock_watch = ClockWatch(queue, clock, monotonic)
        self._limits.take_over(queue.circuits(), clock())
        self._take_state(read_state())
        self._state_at = float("-inf")  # the first step joins the other workers, which a busy store may delay

    # -- intake

    def accept(self, events: Sequence[Event]) -> list[bool]:
        """Route events and store them durably, in one commit with waiting results. Attempts continue in the meantime.

        Returns one flag per event: False if its id was seen before.

        Raises:
            IntakeRefusedError: There is not enough room for all events; nothing was stored.
            StoreError: The store failed; nothing was stored.
        """
        self._finish_commit()
        self._retention.admit()
        self._refresh_state()
        routed = [self._router.route(event) for event in events]
        alerts = self._alerts.of_intake(routed)
        self._commits.submit(
            Batch(
                now=self._clock(),
                events=[*routed, *alerts],
                max_waiting=self._retention.max_waiting + sum(len(one.deliveries) for one in alerts),
                wanted=self._limits.wanted(self._state.plans, self._claims.waiting()),
                lease_seconds=LEASE_SECONDS,
                rates=self._rates,
            )
        )
        committed = self._finish_commit()
        self._attempts.start()
        return [*committed.is_new[: len(events)]]

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook receives events of this type."""
        return self._router.receives(event_type)

    def replay(self, ids: Sequence[str], **options: Unpack[ReplayOptions]) -> list[str]:
        """Make deliveries of active webhooks due now. Returns the ids of those without an attempt in flight."""
        self._finish_commit()
        replayed = self._queue.replay(ids, self._clock(), **options)
        self._take_state(self._read_state())
        return replayed

    # -- work

    @property
    def in_flight(self) -> int:
        """The number of deliveries with an attempt in flight."""
        return self._claims.in_flight

    @property
    def is_store_failing(self) -> bool:
        """Whether the last commit failed, and what it was to write is not written yet."""
        return self._commits.is_failing

    def intake_capacity(self) -> int:
        """See :meth:`Backlog.intake_capacity`. More may be taken in; their deliveries then wait in the queue."""
        return self._backlog.intake_capacity(self._state.plans, self._claims.waiting())

    def next_due(self) -> float | None:
        """See :meth:`Backlog.next_due`."""
        return self._backlog.next_due(self._state.plans)

    def due_in(self) -> float | None:
        """Seconds until :meth:`next_due` or until results are recorded, 0 or less if passed; None if nothing waits."""
        if self._commits.results:
            return self._recorded_at + GROUP_SECONDS - self._monotonic()
        due = self.next_due()
        return None if due is None else due - self._clock()

    def step(self, wait: float, *, is_taking_in: bool = False) -> bool:
        """Start due deliveries and record ended ones. Waits up to ``wait`` seconds while anything is in flight.

        ``is_taking_in``: the caller may accept events soon, so results wait for them even if nothing is in flight.
        Returns False if no attempt was in flight, so that the caller may wait for something else.
        """
        if self._commits.in_flight and self._is_state_old:
            self._finish_commit(start=False)  # an apply may have changed what to send
        if not self._commits.in_flight:
            self._clock_watch.check()
            self._refresh_state()
            self._retention.prune()
            self._renew()
            self._holds.watch(self._state.plans)
            self._claim()
        if not self._attempts.in_flight:
            self._finish_commit()
        self._attempts.start()
        works = self._attempts.in_flight
        wait = min(wait, CLAIM_SECONDS) if self.wakeup.is_asked else wait
        self._attempts.collect(min(wait, GROUP_SECONDS) if self._commits.results else wait)
        if self._commits.has_ended:
            self._finish_commit()
        self._attempts.start()
        self._record(is_taking_in=is_taking_in)
        if not self._attempts.in_flight:
            self._finish_commit()
        return works

    def collect(self, wait: float) -> None:
        """Let attempts continue for up to ``wait`` seconds. The next :meth:`step` records their results.

        Does not need the store.
        """
        self._attempts.collect(wait)

    def stop(self, grace: float) -> None:
        """Start nothing more, wait up to ``grace`` seconds for attempts in flight, and release all other claims.

        Later calls do nothing.
        """
        if self._attempts.is_stopping:
            return
        self._attempts.is_stopping = True
        deadline = self._monotonic() + grace
        try:
            self._finish_commit()
            self._submit()  # releases claims that are not in flight, which another worker may take at once
            while self._attempts.in_flight and (left := deadline - self._monotonic()) > 0:
                self._attempts.collect(min(left, GROUP_SECONDS))
                if self._commits.has_ended:
                    self._finish_commit()
                if not self._commits.in_flight:
                    self._renew()
                    self._coordination.follow(self._state.plans)
                    self._record()
        finally:
            self._attempts.close()
            with suppress(StoreError, StateLockedError):  # a failed write is part of the commit below again
                self._finish_commit()
            self._commits.add_released(self._claims)
            self._claims.clear()
            self._submit()
            self._finish_commit()
            self._observers.close()
            self._holds.close()

    # -- claims and attempts

    def _claim(self) -> None:
        """Start a commit that claims due deliveries, with everything else that waits to be written."""
        now = self._monotonic()
        if self._claims and now - self._claimed_at < CLAIM_SECONDS:
            return
        self.wakeup.note_look()
        self._claimed_at = now
        waiting = self._claims.waiting()
        wanted, clock = self._limits.wanted(self._state.plans, waiting), self._clock()
        if wanted and self._backlog.may_be_due(wanted):
            limit = self._limits.total_capacity + MAX_AHEAD - sum(waiting.values())
            self._submit(Batch(now=clock, wanted=wanted, limit=limit, lease_seconds=LEASE_SECONDS, rates=self._rates))

    def _renew(self) -> None:
        if self._monotonic() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = self._monotonic()
        lost = self._queue.renew([*self._claims, *self._commits.claims()], self._clock(), LEASE_SECONDS)
        self._claims.lost(lost)

    # -- commits

    def _record(self, *, is_taking_in: bool = False) -> None:
        """Start a commit of results if it is time to: results wait a little for others, or for events, to join them."""
        if not self._commits.in_flight and (
            self._commits.holding
            or len(self._commits.results) >= RESULTS_BATCH
            or not (self._attempts.in_flight or is_taking_in)
            or self._monotonic() - self._recorded_at >= GROUP_SECONDS
        ):
            if self._backlog.is_likely and not self._attempts.is_stopping:
                self._claim()  # in the same commit
            if not self._commits.in_flight:
                self._submit()

    def _submit(self, batch: Batch | None = None) -> None:
        """Start a commit of ``batch`` and everything that waits to be written, if there is anything."""
        self._recorded_at = self._monotonic()
        self._commits.add_circuits(self._limits.circuits(self._clock()))
        if batch is not None or not self._commits.is_empty:
            self._commits.submit(batch or Batch(now=self._clock()))

    def _finish_commit(self, *, start: bool = True) -> Committed:
        """Continue attempts until no commit is in flight, and process the result of the last one.

        ``start`` is False while the applied state is out of date: attempts in flight continue, and none starts. Raises
        the error that made the commit fail; its writes then wait for the next commit.
        """
        if start:
            self._attempts.start()
        while self._commits.in_flight and not self._commits.has_ended and self._attempts.in_flight:
            self._attempts.collect(POLL_SECONDS)
            if start:
                self._attempts.start()
        ended = self._commits.end()
        if ended is None:
            return Committed()
        batch, committed = ended
        self._recorded_at = self._monotonic()
        self._limits.commit_took(self._commits.seconds)
        self._backlog.note(batch, committed.claims)
        self._claims.add(committed.claims)
        if committed.tokens:
            self._limits.bound_tokens(committed.tokens, self._claims.waiting())
        if start:
            self._attempts.start()
        for name, circuit in batch.circuits.items():
            self._listener.circuit(name, circuit)
        recorded = [result for result in batch.results if result.claimed.delivery.id not in committed.lost]
        self.tally.add(recorded)
        if self._is_observed:
            notify(recorded, self._listener, self._observers)
        return committed

    # -- applied state

    @property
    def _is_state_old(self) -> bool:
        return self._monotonic() - self._state_at >= STATE_SECONDS

    def _refresh_state(self) -> None:
        if not self._is_state_old:
            return
        self._queue.check()
        state = self._read_state()
        self._queue.check()  # another file may have replaced the store while the state was read
        if state.serial != self._state.serial:
            self._take_state(state)
        self._coordination.follow(self._state.plans)
        self._state_at = self._monotonic()

    def _take_state(self, state: AppliedState) -> None:
        self._finish_commit(start=False)
        self._queue.reconcile(state)
        # Deliveries claimed for the state before are claimed again if they are still due.
        self._commits.add_released(self._claims.drop_waiting(self._claims.waiting()))
        self._state = self._attempts.state = state
        self._rates = {name: plan.rate_limit for name, plan in state.plans.items() if plan.rate_limit is not None}
        self._router = Router(state)
        self._alerts.take(state, self._router)
        self._state_at = self._monotonic()
        self._listener.applied(state)
