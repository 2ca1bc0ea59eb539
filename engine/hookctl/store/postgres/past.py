"""What each apply changed, with the delivery plans that it replaced, and the history of applies and actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hookctl.errors import StoreError
from hookctl.model import Action, DeliveryPlan, Plan, Status
from hookctl.store.history import LogEntry, Route, Routes
from hookctl.store.overviews import Applied, ChangeRecord, HistoryEntry, HistoryPage, PlanVersion
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import MAX_TIME
from hookctl.store.texts import plan_from_text

ADD_CHANGE = """
    INSERT INTO changes (name, serial, action, before, after, renamed_from) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (name, serial) DO UPDATE SET
        action = excluded.action, before = excluded.before, after = excluded.after,
        renamed_from = excluded.renamed_from
"""
ADD_PLAN = "INSERT INTO past_plans (digest, document) VALUES (%s, %s) ON CONFLICT DO NOTHING"
ADD_ROUTE = """
    INSERT INTO routes (name, serial, event, status, condition) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (name, serial) DO UPDATE SET
        event = excluded.event, status = excluded.status, condition = excluded.condition
"""
ROUTES_AT = """
    SELECT DISTINCT ON (name) name, event, status, condition FROM routes WHERE serial <= %s ORDER BY name, serial DESC
"""
SERIAL_AT = "SELECT max(serial) FROM applies WHERE applied_at <= %s"
NEWEST_AT = "SELECT serial FROM applies WHERE applied_at <= %s ORDER BY applied_at DESC, serial DESC LIMIT 1"
CHANGES = """
    SELECT name, action, before, after, renamed_from FROM changes WHERE serial = %s AND name > %s ORDER BY name LIMIT %s
"""
NUMBERS = "SELECT serial, action, count(*) FROM changes WHERE serial = ANY(%s) GROUP BY serial, action"
LATEST = """
    SELECT c.name, c.action, c.before, a.serial, a.applied_at, a.applied_by, a.commit_id
    FROM unnest(%s::text[]) AS n (name)
    JOIN LATERAL (SELECT * FROM changes WHERE name = n.name ORDER BY serial DESC LIMIT 1) c ON true
    JOIN applies a ON a.serial = c.serial
"""
APPLIES = """
    SELECT serial, applied_at, applied_by, plan_digest, commit_id FROM applies
    WHERE (applied_at, 1, serial) < (%s, %s, %s) ORDER BY applied_at DESC, serial DESC LIMIT %s
"""
ONE_APPLY = "SELECT serial, applied_at, applied_by, plan_digest, commit_id FROM applies WHERE serial = %s"
ACTIONS = """
    SELECT seq, at, who, action, what, reason, deliveries FROM audit
    WHERE (at, 0, seq) < (%s, %s, %s) ORDER BY at DESC, seq DESC LIMIT %s
"""
LOG = """
    SELECT serial, applied_at, applied_by, plan_digest FROM applies WHERE applied_at >= %s ORDER BY serial DESC LIMIT %s
"""
PLAN = """
    SELECT document FROM plans WHERE digest = %(digest)s
    UNION ALL SELECT document FROM past_plans WHERE digest = %(digest)s LIMIT 1
"""
Position = tuple[float, int, int]
NEWEST: Position = (2 * MAX_TIME, 2, 0)


def record(connection: Connection, plan: Plan) -> None:
    """Record the changes of a plan that is being applied, inside the caller's transaction."""
    serial = plan.serial + 1
    for change in plan.changes:
        digests = [side.digest if side else "" for side in (change.before, change.after)]
        row = (change.name, serial, change.action.value, *digests, change.renamed_from or "")
        connection.execute(ADD_CHANGE, row)
        if change.before:
            connection.execute(ADD_PLAN, (change.before.digest, change.before.canonical().decode()))
    gone = [change.before for change in plan.changes if change.before and (not change.after or change.renamed_from)]
    for webhook in gone:
        connection.execute(ADD_ROUTE, (webhook.name, serial, None, None, None))
    for webhook in [change.after for change in plan.changes if change.after]:
        connection.execute(ADD_ROUTE, (webhook.name, serial, webhook.event, webhook.status.value, webhook.when))


def routes_at(connection: Connection, at: float) -> Routes:
    """See :meth:`hookctl.store.events_interface.Log.routes_at`."""
    serial = greatest_serial_at(connection, at)
    rows = connection.execute(ROUTES_AT, (serial,)).fetchall()
    return Routes(
        serial,
        {name: Route(event, status == Status.ACTIVE, when) for name, event, status, when in rows if event and status},
    )


def greatest_serial_at(connection: Connection, at: float) -> int:
    """See :meth:`hookctl.store.events_interface.Log.serial_at`."""
    (serial,) = connection.execute(SERIAL_AT, (at,)).fetchone() or (None,)
    return serial or 0


def log(connection: Connection, limit: int, since: float | None) -> list[LogEntry]:
    """The newest applies, newest first; see :meth:`hookctl.store.events_interface.Log.log`."""
    rows = connection.execute(LOG, (-MAX_TIME if since is None else since, limit)).fetchall()
    return [
        LogEntry(
            at=at,
            who=who,
            action="apply",
            what=f"serial {serial}, plan {digest[:12]}",
            reason="",
            deliveries=None,
            serial=serial,
        )
        for serial, at, who, digest in rows
    ]


def serial_at(connection: Connection, at: float) -> int:
    """The serial that was applied at a time; 0 if nothing was."""
    row = connection.execute(NEWEST_AT, (at,)).fetchone()
    return int(row[0]) if row else 0


def history(connection: Connection, limit: int, before: Position | None) -> HistoryPage:
    """See :meth:`hookctl.store.pages_interface.Overviews.history`."""
    values = (*(before or NEWEST), limit + 1)
    entries = [_action(row) for row in connection.execute(ACTIONS, values).fetchall()]
    entries += _applies(connection, connection.execute(APPLIES, values).fetchall())
    entries.sort(key=lambda entry: entry.position, reverse=True)
    return HistoryPage(entries[:limit], entries[limit - 1].position if len(entries) > limit else None)


def apply_entry(connection: Connection, serial: int) -> HistoryEntry | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.apply_entry`."""
    return next(iter(_applies(connection, connection.execute(ONE_APPLY, (serial,)).fetchall())), None)


def changes(connection: Connection, serial: int, limit: int, after: str) -> list[ChangeRecord]:
    """See :meth:`hookctl.store.pages_interface.Overviews.changes`."""
    return [ChangeRecord(*row) for row in connection.execute(CHANGES, (serial, after, limit)).fetchall()]


def applied(connection: Connection, webhooks: Collection[str]) -> Mapping[str, Applied]:
    """See :meth:`hookctl.store.pages_interface.Overviews.applied`."""
    return {
        name: Applied(serial, at, by, commit, before)
        for name, action, before, serial, at, by, commit in connection.execute(LATEST, ([*webhooks],))
        if action != Action.DELETE
    }


def previous_plan(connection: Connection, webhook: str) -> PlanVersion | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.previous_plan`."""
    latest = applied(connection, [webhook]).get(webhook)
    before = plan(connection, latest.before) if latest and latest.before else None
    return PlanVersion(before, latest) if latest and before else None


def plan(connection: Connection, digest: str) -> DeliveryPlan | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.plan`. None also if this hookctl cannot read it."""
    row = connection.execute(PLAN, {"digest": digest}).fetchone()
    try:
        return plan_from_text(row[0]) if row else None
    except StoreError:
        return None


def _applies(connection: Connection, rows: Sequence[Any]) -> list[HistoryEntry]:
    numbers: dict[int, dict[str, int]] = {}
    for serial, action, count in connection.execute(NUMBERS, ([row[0] for row in rows],)):
        numbers.setdefault(serial, {})[action] = count
    return [
        HistoryEntry(
            at=at,
            who=who,
            action="apply",
            what=f"serial {serial}, plan {digest[:12]}",
            reason="",
            deliveries=None,
            serial=serial,
            commit=commit,
            changes=numbers.get(serial, {}),
            position=(at, 1, serial),
        )
        for serial, at, who, digest, commit in rows
    ]


def _action(row: Sequence[Any]) -> HistoryEntry:
    seq, at, who, action, what, reason, deliveries = row
    return HistoryEntry(
        at=at,
        who=who,
        action=action,
        what=what,
        reason=reason,
        deliveries=deliveries,
        serial=None,
        commit="",
        changes={},
        position=(at, 0, seq),
    )
