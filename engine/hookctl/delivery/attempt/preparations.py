"""The prepared delivery plans of an engine: each is prepared once, and again if it or its secrets have changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hookctl.delivery.attempt.exchange import Exchange
from hookctl.delivery.attempt.failures import AttemptFailedError
from hookctl.delivery.attempt.prepare import may_block, prepare
from hookctl.delivery.attempt.prepared import Prepared
from hookctl.delivery.attempt.threads import Call, Lanes
from hookctl.model import DeliveryPlan, Failure
from hookctl.plugin.calls import Plugins

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from hookctl.delivery.attempt.redact import Redactor

SECRETS_SECONDS = 30.0
"""Secrets that were read less than this many seconds ago are not read again when a target rejects them."""


class Preparations:
    """Prepares delivery plans, on a thread if that may block."""

    def __init__(
        self,
        plugins: Plugins,
        user_agent: str,
        lanes: Lanes,
        *,
        prepared: Callable[[Exchange, Prepared], None],
        failed: Callable[[Exchange, Failure], None],
    ) -> None:
        """``prepared`` or ``failed`` is called for each waiting exchange, on the engine's thread."""
        self._plugins, self._user_agent, self._lanes = plugins, user_agent, lanes
        self._on_prepared, self._on_failed = prepared, failed
        self._prepared: dict[str, Prepared] = {}
        self._redactors: dict[tuple[str, bool], Callable[[frozenset[str]], Redactor]] = {}
        """The functions that return redactors, by the webhook's name and whether it has tokens. They are kept when it
        is prepared again.
        """
        self._waiting: dict[str, list[Exchange]] = {}
        """Exchanges that wait while their plan is prepared, by the plan's digest."""

    def find(self, plan: DeliveryPlan) -> Prepared | None:
        """The prepared plan; None if it must be prepared first."""
        prepared = self._prepared.get(plan.name)
        if prepared is None or prepared.plan is plan:
            return prepared
        if prepared.digest != plan.digest:
            return None
        self._prepared[plan.name] = renewed = replace(prepared, plan=plan)
        return renewed

    def prepare(self, exchange: Exchange, adapter: BaseAdapter | None) -> None:
        """Prepare the plan of an exchange; its auth may send with ``adapter``.

        Raises AttemptFailedError for an immediate failure.
        """
        plan = exchange.job.plan
        if waiting := self._waiting.get(plan.digest):
            waiting[:] = [one for one in waiting if not one.has_ended]
            waiting.append(exchange)
            return
        function = partial(prepare, plan, self._plugins, adapter, self._user_agent)
        if not may_block(plan, self._plugins):
            self._on_prepared(exchange, self._keep(function()))
            return
        self._waiting[plan.digest] = [exchange]
        failed = partial(self._failed, plan.digest)
        self._lanes.run(plan.digest, Call("preparing", function, self._done, failed))

    def forget_old(self, prepared: Prepared) -> None:
        """Make the next attempt prepare the plan again, unless its secrets were read recently.

        A target has rejected them: if a secret has changed there, it may have changed here as well.
        """
        current = self._prepared.get(prepared.plan.name)
        if current and current.made_at == prepared.made_at and time.monotonic() - prepared.made_at > SECRETS_SECONDS:
            del self._prepared[prepared.plan.name]

    def _done(self, prepared: Prepared) -> None:
        prepared = self._keep(prepared)
        for exchange in self._waiting.pop(prepared.digest):
            self._on_prepared(exchange, prepared)

    def _failed(self, digest: str, error: AttemptFailedError) -> None:
        for exchange in self._waiting.pop(digest):
            self._on_failed(exchange, error.failure)

    def _keep(self, prepared: Prepared) -> Prepared:
        """Use ``prepared`` from now on. It also masks the tokens that the webhook used before."""
        has_tokens = any(auth.refreshable for auth in prepared.auths)
        redactor_for = self._redactors.setdefault((prepared.plan.name, has_tokens), prepared.redactor_for)
        self._prepared[prepared.plan.name] = kept = replace(prepared, redactor_for=redactor_for)
        return kept
