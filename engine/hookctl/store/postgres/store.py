"""The PostgreSQL store: the queue, the applied state and the lock in one schema of a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError
from hookctl.store.history import AuditEntry, LogEntry, Routes
from hookctl.store.locking import hold_lock
from hookctl.store.postgres import applied, healing, monitoring, past, reading, runners, tokens
from hookctl.store.postgres import audit as audit_log
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.connection import Connection, Database
from hookctl.store.postgres.copying import PostgresCopying
from hookctl.store.postgres.history import PostgresHistory
from hookctl.store.postgres.locks import COUNT_ALIVE, WORKER
from hookctl.store.postgres.overviews import PostgresOverviews
from hookctl.store.records import Backlog, Damaged, Followed, Lock

if TYPE_CHECKING:
    from hookctl.model import AppliedState, Plan
    from hookctl.model.token import Token


class PostgresStore(PostgresHistory, PostgresOverviews, PostgresCopying):
    """A :class:`hookctl.store.interface.Store` at an address, whose tables it creates if there are none.

    Args:
        address: where the store is.
        clock: the clock of leases for a test; None: the server's.

    It has at most three connections: one for the queue, one for the applied state and the lock, since a runner reads
    what is applied while a commit is in flight, and one on which a runner listens.

    Raises SettingsError and StoreError if the server cannot be reached or used.
    """

    def __init__(self, address: Address, clock: Callable[[], float] | None = None) -> None:
        super().__init__(address, clock)
        self._state = Database(address, self._identify, "hookctl state")
        self._last_state: AppliedState | None = None

    def close(self) -> None:
        """See :meth:`hookctl.store.interface.Upkeep.close`."""
        try:
            super().close()
        finally:
            self._state.close()

    # -- the applied state

    def read_state(self) -> AppliedState:
        """See :meth:`hookctl.store.interface.State.read_state`."""
        known = self._last_state
        if known is None or self._state.read(applied.serial) != known.serial:
            known = self._last_state = self._state.snapshot(applied.read)
        return known

    def serial(self) -> int:
        """See :meth:`hookctl.store.interface.State.serial`."""
        return self._state.read(applied.serial)

    def check_plan(self, plan: Plan) -> None:
        """See :meth:`hookctl.store.interface.State.check_plan`."""
        self._state.snapshot(applied.check, plan)

    def apply(self, plan: Plan, *, applied_by: str = "", lock_id: str = "", commit: str = "") -> AppliedState:
        """See :meth:`hookctl.store.interface.State.apply`."""
        return self._apply(plan, lambda _: None, applied_by=applied_by, lock_id=lock_id, commit=commit)

    def apply_and_heal(
        self, plan: Plan, audit: AuditEntry, *, applied_by: str = "", lock_id: str = "", commit: str = ""
    ) -> tuple[AppliedState, int]:
        """See :meth:`hookctl.store.healing.Healing.apply_and_heal`."""
        healed: dict[Connection, int] = {}
        self._writer.wait()
        behind = self._behind()

        def heal(connection: Connection) -> None:
            healed.clear()  # the transaction may be repeated
            healed[connection] = healing.heal(connection, plan, audit, behind)

        state = self._apply(plan, heal, applied_by=applied_by, lock_id=lock_id, commit=commit)
        return state, sum(healed.values())

    def _apply(
        self, plan: Plan, also: Callable[[Connection], object], *, applied_by: str, lock_id: str, commit: str
    ) -> AppliedState:
        state = self._state.write(applied.apply, plan, applied_by=applied_by, lock_id=lock_id, commit=commit, also=also)
        self.wake_runners()
        return state

    # -- the lock

    def hold_lock(
        self, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
    ) -> AbstractContextManager[Lock]:
        """See :meth:`hookctl.store.interface.Locks.hold_lock`."""
        return hold_lock(
            lambda mine: self._state.write(applied.take_lock, mine),
            lambda lock_id: self._state.write(applied.give_back_lock, lock_id),
            operation=operation,
            who=who,
            timeout=timeout,
            waiting=waiting,
        )

    def read_lock(self) -> Lock | None:
        """See :meth:`hookctl.store.interface.Locks.read_lock`."""
        return self._state.read(applied.read_lock)

    def break_lock(self, lock_id: str) -> Lock:
        """See :meth:`hookctl.store.interface.Locks.break_lock`."""
        return self._state.write(applied.break_lock, lock_id)

    # -- the log, and damage

    def record(self, audit: AuditEntry) -> None:
        """See :meth:`hookctl.store.events_interface.Log.record`."""
        self._write(audit_log.record, audit, 0)

    def log(self, limit: int, since: float | None = None) -> list[LogEntry]:
        """See :meth:`hookctl.store.events_interface.Log.log`."""
        entries = [*self._read(audit_log.entries, limit, since), *self._read(past.log, limit, since)]
        return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]

    def serial_at(self, at: float) -> int:
        """See :meth:`hookctl.store.events_interface.Log.serial_at`."""
        return self._read(past.greatest_serial_at, at)

    def routes_at(self, at: float) -> Routes:
        """See :meth:`hookctl.store.events_interface.Log.routes_at`."""
        return self._read(past.routes_at, at)

    def damaged(self) -> list[Damaged]:
        """See :meth:`hookctl.store.interface.Upkeep.damaged`."""
        from hookctl.store.postgres.damage import damaged

        return self._read(damaged)

    # -- runners

    def announce_runner(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """See :meth:`hookctl.store.interface.Runners.announce_runner`."""
        return runners.announce(self._address, wake)

    def wake_runners(self) -> bool:
        """See :meth:`hookctl.store.interface.Runners.wake_runners`."""
        try:
            self._state.read(runners.notify, self._address)
            return self._state.read(runners.count) > 0
        except HookctlError:
            return False

    def has_runner(self) -> bool:
        """See :meth:`hookctl.store.interface.Runners.has_runner`."""
        try:
            return self._state.read(runners.count) > 0
        except HookctlError:
            return False

    def followed(self) -> Followed:
        """See :meth:`hookctl.store.interface.Runners.followed`."""
        return self._read(reading.followed, self._made)

    # -- monitoring

    def backlogs(self) -> Mapping[str, Backlog]:
        """See :meth:`hookctl.store.monitoring.Monitoring.backlogs`."""
        return self._read(monitoring.backlogs)

    def dead_reasons(self, webhook: str, limit: int) -> list[str]:
        """See :meth:`hookctl.store.monitoring.Monitoring.dead_reasons`."""
        return self._read(monitoring.dead_reasons, webhook, limit)

    def live_workers(self) -> int:
        """See :meth:`hookctl.store.monitoring.Monitoring.live_workers`."""
        row = self._read(lambda connection: connection.execute(COUNT_ALIVE, (WORKER,)).fetchone())
        return int(row[0]) if row else 0

    # -- tokens

    def add_token(self, token: Token, audit: AuditEntry | None = None) -> None:
        """See :meth:`hookctl.store.tokens.Tokens.add_token`."""
        self._write(tokens.add, token, audit)

    def tokens(self) -> list[Token]:
        """See :meth:`hookctl.store.tokens.Tokens.tokens`."""
        return self._read(tokens.read)

    def revoke_token(self, name: str, at: float, who: str, audit: AuditEntry | None = None) -> Token:
        """See :meth:`hookctl.store.tokens.Tokens.revoke_token`."""
        return self._write(tokens.revoke, name, at, who, audit)

    def note_tokens_used(self, used: Mapping[str, float]) -> None:
        """See :meth:`hookctl.store.tokens.Tokens.note_tokens_used`."""
        self._write(tokens.note_used, used)
