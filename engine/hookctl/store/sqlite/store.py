"""The SQLite store: the queue, the applied state and the lock in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.store.clock import since_boot
from hookctl.store.history import AuditEntry, LogEntry, Routes
from hookctl.store.records import Backlog, Damaged, Followed, Lock
from hookctl.store.sqlite import audit as audit_log
from hookctl.store.sqlite import healing, lock, monitoring, runners, tokens, workers
from hookctl.store.sqlite.applied import AppliedStore, last_serial
from hookctl.store.sqlite.copying import SqliteCopying
from hookctl.store.sqlite.following import followed
from hookctl.store.sqlite.overviews import SqliteOverviews
from hookctl.store.sqlite.queue import SqliteQueue

if TYPE_CHECKING:
    from hookctl.model import AppliedState, Plan
    from hookctl.model.token import Token


class SqliteStore(SqliteQueue, SqliteOverviews, SqliteCopying):
    """A :class:`hookctl.store.interface.Store` in the SQLite file at ``path``, which it creates when there is none.

    ``monotonic`` is the clock of leases, the same for every process. Raises StoreError when the file cannot be opened.

    The queue uses one connection as long as the store is open. The applied state and the lock use short ones of their
    own: a runner reads what is applied while a commit is in flight, and an interrupt that leaves the first connection
    in the middle of a transaction must not keep the lock from being given back.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = since_boot) -> None:
        super().__init__(path, monotonic)
        self._given_path = path  # as messages show it
        self._applied = AppliedStore(path)

    def read_state(self) -> AppliedState:
        """See :meth:`hookctl.store.interface.State.read_state`."""
        return self._applied.read()

    def serial(self) -> int:
        """See :meth:`hookctl.store.interface.State.serial`."""
        with self._reading() as connection:
            return last_serial(connection)

    def check_plan(self, plan: Plan) -> None:
        """See :meth:`hookctl.store.interface.State.check_plan`."""
        self._applied.check(plan)

    def apply(self, plan: Plan, *, applied_by: str = "", lock_id: str = "", commit: str = "") -> AppliedState:
        """See :meth:`hookctl.store.interface.State.apply`."""
        return self._applied.apply(plan, applied_by=applied_by, lock_id=lock_id, commit=commit)

    def apply_and_heal(
        self, plan: Plan, audit: AuditEntry, *, applied_by: str = "", lock_id: str = "", commit: str = ""
    ) -> tuple[AppliedState, int]:
        """See :meth:`hookctl.store.healing.Healing.apply_and_heal`."""
        healed: list[int] = []
        state = self._applied.apply(
            plan,
            applied_by=applied_by,
            lock_id=lock_id,
            commit=commit,
            also=lambda connection: healed.append(healing.heal(connection, plan, audit)),
        )
        return state, sum(healed)

    def hold_lock(
        self, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
    ) -> AbstractContextManager[Lock]:
        """See :meth:`hookctl.store.interface.Locks.hold_lock`."""
        return lock.hold(self._given_path, operation=operation, who=who, timeout=timeout, waiting=waiting)

    def read_lock(self) -> Lock | None:
        """See :meth:`hookctl.store.interface.Locks.read_lock`."""
        return lock.read_lock(self._given_path)

    def break_lock(self, lock_id: str) -> Lock:
        """See :meth:`hookctl.store.interface.Locks.break_lock`."""
        return lock.break_lock(self._given_path, lock_id)

    def record(self, audit: AuditEntry) -> None:
        """See :meth:`hookctl.store.events_interface.Log.record`."""
        with self._writing() as connection:
            audit_log.record(connection, audit, 0)

    def log(self, limit: int, since: float | None = None) -> list[LogEntry]:
        """See :meth:`hookctl.store.events_interface.Log.log`."""
        with self._reading() as connection:
            done = audit_log.entries(connection, limit, since)
        entries = [*done, *self._applied.log(limit, since)]
        return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]

    def serial_at(self, at: float) -> int:
        """See :meth:`hookctl.store.events_interface.Log.serial_at`."""
        return self._applied.serial_at(at)

    def routes_at(self, at: float) -> Routes:
        """See :meth:`hookctl.store.events_interface.Log.routes_at`."""
        return self._applied.routes_at(at)

    def damaged(self) -> list[Damaged]:
        """See :meth:`hookctl.store.interface.Upkeep.damaged`."""
        return [*self._applied.damaged(), *super().damaged()]

    def announce_runner(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """See :meth:`hookctl.store.interface.Runners.announce_runner`."""
        return runners.announce(self._path, wake)

    def wake_runners(self) -> bool:
        """See :meth:`hookctl.store.interface.Runners.wake_runners`."""
        return runners.wake(self._path)

    def has_runner(self) -> bool:
        """See :meth:`hookctl.store.interface.Runners.has_runner`."""
        return runners.is_any_alive(self._path)

    def followed(self) -> Followed:
        """See :meth:`hookctl.store.interface.Runners.followed`."""
        with self._reading() as connection:
            return followed(connection, self._made)

    def backlogs(self) -> Mapping[str, Backlog]:
        """See :meth:`hookctl.store.monitoring.Monitoring.backlogs`."""
        with self._reading() as connection:
            return monitoring.backlogs(connection)

    def dead_reasons(self, webhook: str, limit: int) -> list[str]:
        """See :meth:`hookctl.store.monitoring.Monitoring.dead_reasons`."""
        with self._reading() as connection:
            return monitoring.dead_reasons(connection, webhook, limit)

    def live_workers(self) -> int:
        """See :meth:`hookctl.store.monitoring.Monitoring.live_workers`."""
        with self._reading():
            return workers.count_alive(self._path)

    def add_token(self, token: Token, audit: AuditEntry | None = None) -> None:
        """See :meth:`hookctl.store.tokens.Tokens.add_token`."""
        with self._writing() as connection:
            tokens.add(connection, token)
            audit_log.record(connection, audit, 0)

    def tokens(self) -> list[Token]:
        """See :meth:`hookctl.store.tokens.Tokens.tokens`."""
        with self._reading() as connection:
            return tokens.read(connection)

    def revoke_token(self, name: str, at: float, who: str, audit: AuditEntry | None = None) -> Token:
        """See :meth:`hookctl.store.tokens.Tokens.revoke_token`."""
        with self._writing() as connection:
            audit_log.record(connection, audit, 0)
            return tokens.revoke(connection, name, at, who)

    def note_tokens_used(self, used: Mapping[str, float]) -> None:
        """See :meth:`hookctl.store.tokens.Tokens.note_tokens_used`."""
        with self._writing() as connection:
            tokens.note_used(connection, used)
