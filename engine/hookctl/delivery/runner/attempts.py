"""Starts claimed deliveries within their limits, and turns ended attempts into results for the next commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.delivery.outcomes import DELIVERED, Signal, decide, describe, signal_of, was_not_made
from hookctl.delivery.runner.claims import Claims
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.holds import Holds
from hookctl.delivery.runner.limits import SLOW_SECONDS, Health, Limits
from hookctl.delivery.runner.tally import Tally
from hookctl.delivery.runner.tracing import Tracing
from hookctl.model import AppliedState, Attempt, DeliveryPlan, DeliveryStatus
from hookctl.store.records import Outcome, Result


class Attempts:
    """The attempts of a runner. Uses no store: claims are in memory, and results wait in ``commits``.

    ``clock`` returns epoch seconds, ``jitter`` a random number in [0, 1). With
    ``tracing``, requests carry ``traceparent``.
    """

    def __init__(
        self,
        engine: AttemptEngine,
        *,
        holds: Holds,
        claims: Claims,
        limits: Limits,
        commits: Commits,
        tally: Tally,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        tracing: Tracing | None = None,
    ) -> None:
        self._engine, self._holds = engine, holds
        self._claims, self._limits, self._commits, self._tally = claims, limits, commits, tally
        self._clock, self._jitter, self._tracing = clock, jitter, tracing
        self.state = AppliedState()
        """The applied state by which attempts are started."""
        self.is_stopping = False
        """Whether the runner is stopping: nothing more is started, and waiting claims are released."""

    @property
    def in_flight(self) -> bool:
        """Whether any attempt is in flight."""
        return self._engine.in_flight > 0

    def start(self) -> None:
        """Start claimed deliveries as far as the limits allow, and release those that may not start for a while."""
        for name in self._claims.waiting():
            plan = self.state.plans[name]
            if self.is_stopping or name in self._commits.holding or not self._limits.may_start(plan):
                self._commits.add_released(self._claims.drop_waiting([name]))
                continue
            for _ in range(self._limits.capacity(plan)):
                claimed = self._claims.next_waiting(name)
                if claimed is None:
                    break
                self._limits.started(plan)
                # A replay as planned uses the plan of the last attempt, whose webhook may have been renamed since.
                planned = replace(claimed.plan, name=name) if claimed.plan else plan
                trace = self._tracing.trace(claimed) if self._tracing else None
                delivery = claimed.delivery
                self._engine.start(Job(delivery.id, planned, claimed.document, delivery.attempts + 1, trace))

    def collect(self, wait: float) -> None:
        """Let attempts continue for up to ``wait`` seconds, or until an attempt or a commit ends. Keeps the results."""
        if self._engine.in_flight:
            for finished in self._engine.poll(wait):
                self._keep(finished)

    def close(self) -> None:
        """Abandon the attempts in flight."""
        self._engine.close()

    def _keep(self, finished: Finished) -> None:
        claimed = self._claims.ended(finished.job.delivery_id)
        attempt, plan = finished.attempt, finished.job.plan
        if was_not_made(attempt):
            reason = describe(attempt)
            self._limits.local_failure(plan, reason)
            self._tally.local_failures[reason] += 1
            self._commits.add_released([claimed])
            return
        is_slow = not attempt.succeeded and attempt.timing.total >= SLOW_SECONDS
        self._limits.ended(plan, health(attempt, plan), is_slow=is_slow)
        if attempt.succeeded:
            self._commits.add_result(Result(claimed, attempt, DELIVERED, self.state.serial, plan))
            return
        # A replay as planned shows nothing about the applied webhook.
        outcome = decide(attempt, plan, self._clock(), self._jitter(), may_hold=claimed.plan is None)
        secrets = ""
        if outcome.hold:
            applied = self.state.plans.get(plan.name)
            if applied and applied.digest == plan.digest:
                secrets = self._holds.begin(plan, finished.secrets)
                self._engine.forget(plan.name)
            else:
                outcome = _without_hold(outcome, self._clock())
        self._commits.add_result(Result(claimed, attempt, outcome, self.state.serial, plan, secrets))


WELL = Health(is_well=True)


def health(attempt: Attempt, plan: DeliveryPlan) -> Health | None:
    """What an attempt shows about its target; None if it shows nothing."""
    if attempt.succeeded:
        return WELL
    signal = signal_of(attempt, plan)
    if signal is Signal.SUCCESS:
        return WELL
    return Health(is_well=False, reason=describe(attempt)) if signal is Signal.FAILURE else None


def _without_hold(outcome: Outcome, now: float) -> Outcome:
    """An outcome of a request whose webhook an apply has changed since: what would be held is due at once."""
    if outcome.status is DeliveryStatus.HELD:
        return Outcome(DeliveryStatus.RETRYING, outcome.reason, due_at=now)
    return structs.replace(outcome, hold=False)
