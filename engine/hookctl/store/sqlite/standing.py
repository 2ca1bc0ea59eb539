"""The part of the SQLite store that knows webhooks: what holds them, their circuits, and their last results."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager

from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus
from hookctl.store.history import AuditEntry
from hookctl.store.records import Circuit, Hold, Stopped
from hookctl.store.sqlite import audit as audit_log
from hookctl.store.sqlite import reading
from hookctl.store.sqlite.reconciling import hold_by_hand, reconcile, stopped, unhold


class SqliteStanding:
    """A part of :class:`hookctl.store.sqlite.queue.SqliteQueue`, which has the connection."""

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def reconcile(self, applied: AppliedState) -> None:
        """See :meth:`hookctl.store.interface.Queue.reconcile`."""
        with self._writing() as connection:
            reconcile(connection, applied)

    def hold(self, plan: DeliveryPlan, reason: str, now: float, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Standing.hold`."""
        with self._writing() as connection:
            held = hold_by_hand(connection, plan, reason, now)
            if held is not None:
                audit_log.record(connection, audit, held)
            return held is not None

    def resume(self, webhook: str, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Queue.resume`."""
        with self._writing() as connection:
            ended = connection.execute("DELETE FROM holds WHERE webhook = ?", (webhook,)).rowcount == 1
            if ended:
                audit_log.record(connection, audit, unhold(connection, webhook))
            return ended

    def holds(self) -> Mapping[str, Hold]:
        """See :meth:`hookctl.store.interface.Queue.holds`."""
        with self._reading() as connection:
            return reading.holds(connection)

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """See :meth:`hookctl.store.interface.Queue.stopped`."""
        with self._reading() as connection:
            return stopped(connection, applied)

    def circuits(self) -> Mapping[str, Circuit]:
        """See :meth:`hookctl.store.interface.Queue.circuits`."""
        with self._reading() as connection:
            return reading.circuits(connection)

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """See :meth:`hookctl.store.interface.Queue.last_results`."""
        with self._reading() as connection:
            return reading.last_results(connection)
