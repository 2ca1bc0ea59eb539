"""Starts claimed deliveries within their limits, and turns ended attempts into results for the next commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.delivery.runner.claims import Claims
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.limits import SLOW_SECONDS, Limits
from hookctl.delivery.runner.retry import DELIVERED, decide, describe, has_token_auth, health, was_not_made
from hookctl.delivery.runner.tally import Tally
from hookctl.model import AppliedState, Attempt, DeliveryPlan
from hookctl.plugin.calls import Plugins
from hookctl.store.records import Outcome, Result


class Attempts:
    """The attempts of a runner. Uses no store: claims are in memory, and results wait in ``commits``.

    ``clock`` returns epoch seconds, ``jitter`` a random number in [0, 1).
    """

    def __init__(
        self,
        engine: AttemptEngine,
        plugins: Plugins,
        *,
        claims: Claims,
        limits: Limits,
        commits: Commits,
        tally: Tally,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._engine, self._plugins = engine, plugins
        self._claims, self._limits, self._commits, self._tally = claims, limits, commits, tally
        self._clock, self._jitter = clock, jitter
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
            if self.is_stopping or name in self._commits.suspending or self._limits.probe_in(name):
                self._commits.add_released(self._claims.drop_waiting([name]))
                continue
            plan = self.state.plans[name]
            for _ in range(self._limits.capacity(plan)):
                claimed = self._claims.next_waiting(name)
                if claimed is None:
                    break
                self._limits.started(plan)
                # A replay as planned uses the plan of the last attempt, whose webhook may have been renamed since.
                planned = replace(claimed.plan, name=name) if claimed.plan else plan
                self._engine.start(Job(claimed.delivery.id, planned, claimed.document, claimed.delivery.attempts + 1))

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
        self._limits.ended(plan, health(attempt), is_slow=is_slow)
        outcome = DELIVERED if attempt.succeeded else self._decide(attempt, plan)
        self._commits.add_result(Result(claimed, attempt, outcome, self.state.serial, plan))

    def _decide(self, attempt: Attempt, plan: DeliveryPlan) -> Outcome:
        return decide(
            attempt,
            plan.retry_schedule,
            self._clock(),
            self._jitter(),
            token_auth=has_token_auth(plan, self._plugins),
            mismatch_message=plan.custom_validation_error_message,
        )
