"""Watches the secrets of held webhooks, and ends a hold once one of them has changed.

The store keeps a keyed digest of the secrets that were in use when the webhook was held, and never a secret. Any runner
can compare it: also one that starts later, with another environment.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import pbkdf2_hmac
from hmac import compare_digest
from queue import Empty, SimpleQueue
from typing import NamedTuple

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.attempt.failures import AttemptFailedError
from hookctl.delivery.attempt.secrets import Secrets, secrets_digest
from hookctl.delivery.runner.listener import Listener
from hookctl.errors import SecretError
from hookctl.model import DeliveryPlan
from hookctl.plugin.calls import Plugins
from hookctl.store.interface import Queue
from hookctl.threads import Pool

CHECK_SECONDS = 10.0
"""Seconds between two comparisons of the secrets of held webhooks."""
FIRST_SECONDS = 1.0
"""Seconds that the first comparison may take, so that a short run such as ``hookctl send`` notices a change too."""
ROUNDS = 100_000
"""Rounds of PBKDF2, some 30 ms: whoever has a copy of the store cannot try many passwords."""

log = logging.getLogger(__name__)


class _Read(NamedTuple):
    """The secrets of a held webhook as they are now."""

    webhook: str
    stored: str
    """The keyed digest of its hold."""
    has_changed: bool


class Holds:
    """The held webhooks of a runner. ``monotonic`` returns seconds on a clock that is never set."""

    def __init__(
        self,
        queue: Queue,
        engine: AttemptEngine,
        plugins: Plugins,
        listener: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        self._queue, self._engine, self._plugins, self._listener = queue, engine, plugins, listener
        self._monotonic = monotonic
        self._checked_at = float("-inf")
        self._pool = Pool("hookctl-secrets")
        self._reading: set[str] = set()
        self._read: SimpleQueue[_Read | str] = SimpleQueue()
        """What threads have found; only the name of a webhook whose secrets cannot be read now."""
        self._same: dict[str, tuple[str, bytes]] = {}
        """By webhook, a keyed digest and the digest in memory that it is of: the keyed one takes long to compute."""

    def begin(self, plan: DeliveryPlan, secrets: bytes) -> str:
        """Note the digest of the secrets with which a webhook is held; return the keyed digest to store."""
        if not secrets:
            return ""
        stored, known = self._same.get(plan.name, ("", b""))
        if known != secrets:
            stored = _keyed(secrets, os.urandom(16))
            self._same[plan.name] = stored, secrets
        return stored

    def watch(self, plans: Mapping[str, DeliveryPlan]) -> None:
        """End the holds of applied webhooks whose secrets have changed. Compares them every :data:`CHECK_SECONDS`."""
        now, is_first = self._monotonic(), self._checked_at == float("-inf")
        if now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            for name, hold in self._queue.holds().items():
                plan = plans.get(name)
                if hold.secrets and name not in self._reading and plan and plan.digest == hold.plan:
                    self._start(plan, hold.secrets)
        until = time.monotonic() + (FIRST_SECONDS if is_first else 0.0)
        while self._reading:
            try:
                read = self._read.get(timeout=max(until - time.monotonic(), 0.0))
            except Empty:
                return
            self._reading.discard(read if isinstance(read, str) else read.webhook)
            if isinstance(read, _Read) and read.has_changed:
                self._end(read)

    def close(self) -> None:
        """Read no more secrets."""
        self._pool.close()

    def _start(self, plan: DeliveryPlan, stored: str) -> None:
        try:
            self._pool.run(plan.name, partial(self._compare, plan, stored))
        except (RuntimeError, MemoryError):
            log.warning("the secrets of %s cannot be compared: this machine cannot start a thread", plan.name)
        else:
            self._reading.add(plan.name)

    def _end(self, read: _Read) -> None:
        hold = self._queue.holds().get(read.webhook)
        if hold and hold.secrets == read.stored and self._queue.resume(read.webhook):
            self._engine.forget(read.webhook)
            log.info("%s is no longer held: one of its secrets has changed", read.webhook)
            self._listener.resumed(read.webhook)

    def _compare(self, plan: DeliveryPlan, stored: str) -> None:
        """Compare the secrets with those of the hold, on a thread. May block."""
        found: _Read | str = plan.name
        # A secret that cannot be read, perhaps because it is being replaced, is compared again later. A stored digest
        # that is damaged (ValueError) never matches, and `hookctl doctor` reports its row.
        with suppress(SecretError, AttemptFailedError, ValueError):
            digest = secrets_digest(plan, Secrets(self._plugins))
            if self._same.get(plan.name) == (stored, digest):
                found = _Read(plan.name, stored, has_changed=False)
            else:
                is_same = compare_digest(_keyed(digest, bytes.fromhex(stored.partition(":")[0])), stored)
                if is_same:
                    self._same[plan.name] = stored, digest
                found = _Read(plan.name, stored, has_changed=not is_same)
        self._read.put(found)


def _keyed(digest: bytes, key: bytes) -> str:
    return f"{key.hex()}:{pbkdf2_hmac('sha256', digest, key, ROUNDS).hex()}"
