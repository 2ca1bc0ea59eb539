"""The runner: claims deliveries that are due, has them attempted, and records the outcomes."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.attempts import Attempts
from hookctl.delivery.runner.backlog import Backlog
from hookctl.delivery.runner.claims import Claims
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT, Limits
from hookctl.delivery.runner.listener import Listener, notify
from hookctl.delivery.runner.observing import Observers
from hookctl.delivery.runner.retention import Retention, StoreLimits
from hookctl.delivery.runner.route import Router
from hookctl.delivery.runner.tally import Tally
from hookctl.errors import StateLockedError, StoreError
from hookctl.model import AppliedState, Event
from hookctl.plugin.calls import Plugins
from hookctl.store.clock import since_boot
from hookctl.store.interface import Queue
from hookctl.store.records import Batch, Committed

STATE_SECONDS = 0.5
"""How old the applied state may be when a delivery starts."""
CLAIM_SECONDS = 0.01
"""Between two claims while anything is claimed: each claim is a commit."""
GROUP_SECONDS = 0.025
"""Between two commits of results while attempts are in flight: one commit for many results is cheaper."""
RESULTS_BATCH = 512
"""So many results are recorded at once, without waiting for :data:`GROUP_SECONDS` to pass."""
MAX_AHEAD = 2048
"""Claimed deliveries that are not in flight yet, at most."""
POLL_SECONDS = 0.25
"""How long one poll lasts while a commit is in flight, unless an attempt or the commit ends first."""
LEASE_SECONDS = 60.0
"""How long a worker that stalls keeps others from its deliveries."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""Between two renewals of the leases on what is claimed."""
CLOCK_SECONDS = 60.0
"""When the wall clock and the monotonic clock drift apart by more between two steps, the wall clock was set."""

log = logging.getLogger(__name__)


class Runner:
    """Delivers from one queue, on the caller's thread. Call :meth:`step` again and again, and :meth:`stop` at the end.

    Nothing is lost without :meth:`stop`: what was claimed and not recorded is tried again, with the same
    ``webhook-id``. ``read_state`` reads the applied state; the runner calls it twice a second, so an apply takes effect
    on deliveries that still wait. ``clock`` gives epoch seconds, ``monotonic`` seconds on a clock that nobody sets and
    that goes on while the machine sleeps.

    A commit is in flight like an attempt is: the store's writer makes it on a thread of its own, and the runner takes
    up its result in one of its own calls. At most one is in flight.
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
        self._queue, self._read_state, self._clock, self._monotonic = queue, read_state, clock, monotonic
        self._limits = Limits(monotonic, max_in_flight)
        self._retention = Retention(queue, store_limits or StoreLimits(), clock, monotonic)
        self._listener = listener or Listener()
        self._observers = Observers(plugins.observers.values())
        self._is_observed = listener is not None or bool(plugins.observers)
        self._claims = Claims()
        self._commits = Commits(queue, engine.wake)
        self._attempts = Attempts(
            engine,
            plugins,
            claims=self._claims,
            limits=self._limits,
            commits=self._commits,
            tally=self.tally,
            clock=clock,
            jitter=jitter,
        )
        self._backlog = Backlog(queue, self._limits, clock)
        self._claimed_at = self._recorded_at = self._state_at = float("-inf")
        self._renewed_at = monotonic()
        self._ahead = clock() - monotonic()
        """Seconds by which the wall clock is ahead of the monotonic one."""
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
            Batch(
                now=self._clock(),
                events=[self._router.route(event) for event in events],
                max_waiting=self._retention.max_waiting,
                wanted=self._limits.wanted(self._state.plans, self._claims.waiting()),
                lease_seconds=LEASE_SECONDS,
            )
        )
        committed = self._finish_commit()
        self._attempts.start()
        return [*committed.is_new]

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook receives events of this type."""
        return self._router.receives(event_type)

    def replay(self, delivery_ids: Sequence[str], *, as_planned: bool = False) -> list[str]:
        """Make deliveries of active webhooks due now; gives the ids of those that no attempt is in flight for.

        ``as_planned``: use the delivery plan of the last attempt. Deliveries without an attempt are left alone then.
        """
        self._finish_commit()
        replayed = self._queue.replay(delivery_ids, self._clock(), as_planned=as_planned)
        self._take_state(self._read_state())
        return replayed

    # -- work

    @property
    def in_flight(self) -> int:
        """How many deliveries an attempt is in flight for."""
        return self._claims.in_flight

    @property
    def is_store_failing(self) -> bool:
        """Whether the last commit failed, and what it was to write is not written yet."""
        return self._commits.is_failing

    def intake_capacity(self) -> int:
        """How many more events are worth taking in: their targets have capacity, or there is little to do. 0 when none.

        More may be taken in at any time; their deliveries then wait in the queue.
        """
        return self._backlog.intake_capacity(self._state.plans, self._claims.waiting())

    def next_due(self) -> float | None:
        """When the next delivery can be claimed, in epoch seconds; None when nothing waits.

        What waits for a target that fails is due when the target is probed.
        """
        return self._backlog.next_due(self._state.plans)

    def due_in(self) -> float | None:
        """Seconds until :meth:`next_due`, 0 or less when it has passed; None when nothing waits."""
        due = self.next_due()
        return None if due is None else due - self._clock()

    def step(self, wait: float) -> bool:
        """Start what is due and record what has ended; wait up to ``wait`` seconds while anything is in flight.

        False when no attempt was in flight, so that the caller may wait for something else.
        """
        if self._commits.in_flight and self._is_state_old:
            self._finish_commit(start=False)  # an apply may have changed what to send
        if not self._commits.in_flight:
            self._watch_clock()
            self._refresh_state()
            self._retention.prune()
            self._renew()
            self._claim()
        if not self._attempts.in_flight:
            self._finish_commit()
        self._attempts.start()
        works = self._attempts.in_flight
        self._attempts.collect(min(wait, GROUP_SECONDS) if self._commits.results else wait)
        if self._commits.has_ended:
            self._finish_commit()
        self._attempts.start()
        self._record()
        if not self._attempts.in_flight:
            self._finish_commit()
        return works

    def collect(self, wait: float) -> None:
        """Let attempts go on for up to ``wait`` seconds; keep their results for the next :meth:`step` to record.

        Does not need the store.
        """
        self._attempts.collect(wait)

    def stop(self, grace: float) -> None:
        """Start nothing more, give attempts in flight ``grace`` seconds to end, and release all other claims.

        Later calls do nothing.
        """
        if self._attempts.is_stopping:
            return
        self._attempts.is_stopping = True
        deadline = self._monotonic() + grace
        try:
            self._finish_commit()
            self._submit()  # releases what is not in flight, which another worker may take at once
            while self._attempts.in_flight and (left := deadline - self._monotonic()) > 0:
                self._attempts.collect(min(left, GROUP_SECONDS))
                if self._commits.has_ended:
                    self._finish_commit()
                if not self._commits.in_flight:
                    self._renew()
                    self._record()
        finally:
            self._attempts.close()
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
        due_at, clock = self._queue.next_due(wanted), self._clock()
        if due_at is None or due_at > clock:
            self._backlog.clear(wanted)
            return
        limit = self._limits.total_capacity + MAX_AHEAD - sum(waiting.values())
        self._submit(Batch(now=clock, wanted=wanted, limit=limit, lease_seconds=LEASE_SECONDS))

    def _renew(self) -> None:
        if self._monotonic() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = self._monotonic()
        lost = self._queue.renew([*self._claims, *self._commits.claims()], self._clock(), LEASE_SECONDS)
        self._claims.lost(lost)

    def _watch_clock(self) -> None:
        now, monotonic = self._clock(), self._monotonic()
        if abs(now - monotonic - self._ahead) > CLOCK_SECONDS:
            log.warning("the system clock was changed by %+.0f seconds", now - monotonic - self._ahead)
            self._queue.clock_set(self._ahead + monotonic, now)
        self._ahead = now - monotonic

    # -- commits

    def _record(self) -> None:
        """Begin a commit of results when it is time to: they wait a little for others to join them."""
        if not self._commits.in_flight and (
            self._commits.suspending
            or len(self._commits.results) >= RESULTS_BATCH
            or not self._attempts.in_flight
            or self._monotonic() - self._recorded_at >= GROUP_SECONDS
        ):
            self._submit()

    def _submit(self, batch: Batch | None = None) -> None:
        """Begin a commit of what waits to be written, and of ``batch``, if there is anything to write."""
        self._recorded_at = self._monotonic()
        self._commits.add_circuits(self._limits.circuits(self._clock()))
        if batch is not None or not self._commits.is_empty:
            self._commits.submit(batch or Batch(now=self._clock()))

    def _finish_commit(self, *, start: bool = True) -> Committed:
        """Go on with attempts until no commit is in flight, and take up what the last one brought.

        ``start`` is False while the state is out of date: attempts in flight go on, and none starts. Raises what made
        the commit fail; what it was to write then waits for the next commit.
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
        self._backlog.note(batch, committed.claims)
        self._claims.add(committed.claims)
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
        self._queue.check()  # another file may have taken the store's place while the state was read
        if state.serial != self._state.serial:
            self._take_state(state)
        self._state_at = self._monotonic()

    def _take_state(self, state: AppliedState) -> None:
        self._finish_commit(start=False)
        self._queue.reconcile(state)
        # What was claimed for the state before is claimed again, as far as it is still due.
        self._commits.add_released(self._claims.drop_waiting(self._claims.waiting()))
        self._state = self._attempts.state = state
        self._router = Router(state)
        self._state_at = self._monotonic()
        self._listener.applied(state)
