"""Makes a large store: thousands of webhooks, and a history of a million attempts, half of them of the last day.

Rows are inserted in bulk, into the tables as hookctl has made them. Everything that depends on chance is seeded.
"""

from __future__ import annotations

import json
import random
import sqlite3
from bisect import bisect
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from hookctl.model import Action, Change, DeliveryPlan, Plan, PluginBlock, Status
from hookctl.store.sqlite import audit, past, routes
from hookctl.store.sqlite.overview_tables import ATTEMPT_COLUMNS
from hookctl.store.sqlite.queue_tables import EVENT_COLUMNS
from hookctl.store.sqlite.rows import insert_statement
from hookctl.store.sqlite.store import SqliteStore

DAY = 86_400.0
DAYS = 20
APPLIES, ACTIONS = 5_000, 5_000
EVENT_TYPES = ("anomaly", "alert", "audit", "report", "user")
BODIES = {
    "200": '{"status": "ok"}',
    "500": "<html>\\n<title>Internal Server Error</title>\\n<p>database is down</p>\\n</html>",
    "503": "<html>\\n<title>Service Unavailable</title>\\n<p>maintenance</p>\\n</html>",
    "404": '{\\"error\\": \\"no such tenant\\", \\"request_id\\": \\"%d-0123456789abcdef\\"}',
    "401": '{\\"error\\": \\"token expired\\"}',
}
DELIVERY_COLUMNS = (
    *("seq", "id", "event", "webhook", "status", "attempts", "reason", "created_at", "due_at", "ready_at", "lease"),
    *("set_at",),
)
CHUNK = 20_000


class End(NamedTuple):
    """How a delivery ended, and by what attempts."""

    status: str
    results: tuple[str, ...]
    reason: str = ""


ENDS = (
    (0.90, End("delivered", ("200",))),
    (0.05, End("delivered", ("503", "503", "200"))),
    (0.02, End("dead", ("500", "500", "500", "500", "500"), "HTTP 500; schedule used up after 5 attempts")),
    (0.01, End("dead", ("404",), "HTTP 404 Not Found")),
    (0.006, End("cancelled", ("timeout",), "the webhook was removed")),
    (0.005, End("retrying", ("503", "timeout"), "timeout: no response within 10 s")),
    (0.005, End("held", (), "the webhook is held: HTTP 401 Unauthorized")),
    (0.004, End("waiting", ())),
)
_SHARES = [*accumulate(share for share, _ in ENDS)]


def webhook_name(number: int) -> str:
    return f"team-{number % 40:02}-{number:05}"


def delivery_plan(number: int) -> DeliveryPlan:
    return DeliveryPlan(
        name=webhook_name(number),
        event=EVENT_TYPES[number % len(EVENT_TYPES)],
        status=Status.INACTIVE if number % 50 == 49 else Status.ACTIVE,
        method="POST",
        url=f"https://host-{number % 700}.example.com/hooks/{number}",
        headers={"X-Team": f"team-{number % 40:02}"},
        auth=(PluginBlock("bearer", {"token": {"secret": f"env:TOKEN_{number % 700}"}}),),
        transport=None,
        when="data.severity == 'high'" if number % 3 == 0 else None,
        body_template='{"id": "{{ id }}", "severity": "{{ data.severity }}"}',
        timeout_seconds=10.0,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(1.0, 10.0, 60.0, 600.0),
        rate_limit=None,
        description="Sends what is of high severity to the team's own system.",
        labels={"team": f"team-{number % 40:02}"},
        protected=False,
    )


def make(path: Path, webhooks: int, attempts: int, now: float) -> None:
    """Make a store at ``path``, which must not exist. ``now`` is the time of the newest attempt, in epoch seconds."""
    plans = [delivery_plan(number) for number in range(webhooks)]
    store = SqliteStore(path)
    changes = tuple(Change(plan.name, Action.CREATE, None, plan) for plan in plans)
    store.reconcile(store.apply(Plan(0, changes, {}, {}, {}), applied_by="ada@build", commit="0" * 40))
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'deliveries' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    _insert(connection, plans, attempts, now)
    _add_history(connection, plans, now)
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _insert(connection: sqlite3.Connection, plans: list[DeliveryPlan], attempts: int, now: float) -> None:
    rows: dict[str, list[Any]] = {"events": [], "known_ids": [], "deliveries": [], "attempts": []}
    columns = {
        "events": EVENT_COLUMNS,
        "known_ids": ("id", "event"),
        "deliveries": DELIVERY_COLUMNS,
        "attempts": ATTEMPT_COLUMNS,
    }
    last: dict[str, tuple[str, float]] = {}

    def write() -> None:
        for table, some in rows.items():
            connection.executemany(insert_statement(table, columns[table]), some)
            some.clear()

    made = 0
    for seq, (plan, at, end) in enumerate(_deliveries(plans, attempts, now), 1):
        if seq % 5:  # every fifth delivery is of the event before
            event = seq - seq // 5
            event_id = f"evt_{event:09}"
            document = json.dumps(
                {"id": event_id, "event_type": plan.event, "event_time": at, "data": {"severity": "high", "n": event}}
            )
            rows["events"].append((event, event_id, plan.event, at, at, document, None))
            rows["known_ids"].append((event_id, event))
        # Not due while pages are measured: a runner would try them, and the store would not stay as it is.
        ready_at = now + 30 * DAY + seq % 1000 if end.status in {"waiting", "retrying"} else None
        count = len(end.results)
        rows["deliveries"].append(
            (seq, f"dlv_{seq:09}", event, plan.name, end.status, count, end.reason, at, at, ready_at, count, at)
        )
        rows["attempts"] += _attempts(plan, seq, at, end)
        if end.results:
            last[plan.name] = (end.status, at)
        made += count
        if len(rows["deliveries"]) >= CHUNK:
            write()
    write()
    connection.executemany("INSERT INTO last_results VALUES (?, ?, ?)", [(name, *row) for name, row in last.items()])


def _add_history(connection: sqlite3.Connection, plans: list[DeliveryPlan], now: float) -> None:
    """Thousands of applies, each of which changed one webhook, and of actions of operators."""
    connection.execute("UPDATE applies SET applied_at = ?", (now - (DAYS + 1) * DAY,))
    for serial in range(2, APPLIES + 2):
        plan, at = plans[serial * 7 % len(plans)], now - DAYS * DAY * (1 - serial / (APPLIES + 2))
        before = replace(plan, description="What it was before.")
        connection.execute(past.ADD_PLAN, (before.digest, before.canonical().decode()))
        connection.execute(past.ADD_CHANGE, (plan.name, serial, Action.UPDATE.value, before.digest, plan.digest, ""))
        connection.execute(routes.ADD, (plan.name, serial, plan.event, plan.status.value, plan.when))
        connection.execute(
            "INSERT INTO applies (serial, applied_at, applied_by, plan_digest) VALUES (?, ?, 'ada@build', ?)",
            (serial, at, plan.digest),
        )
        connection.execute(past.ADD_COMMIT, (serial, f"{serial:040}"))
    for number in range(ACTIONS):
        at = now - DAYS * DAY * (1 - number / ACTIONS)
        values = (f"{number:032}", at, "bob", "replay", "--status dead", "the target is fixed", number % 100)
        connection.execute(audit.RECORD, values)


def _deliveries(plans: list[DeliveryPlan], attempts: int, now: float) -> Iterator[tuple[DeliveryPlan, float, End]]:
    """Webhook, time and end of each delivery, oldest first."""
    chance = random.Random(1)  # noqa: S311 - a history, not a secret
    expected = sum(share * len(end.results) for share, end in ENDS)
    count = int(attempts / expected)
    for number in range(count):
        share = (number + 1) / count  # the first half in all days but the last one
        at = now - DAY - (0.5 - share) * 2 * (DAYS - 1) * DAY if share < 0.5 else now - (1 - share) * 2 * DAY
        plan = plans[int(len(plans) * chance.random() ** 2)]  # some webhooks get many more than others
        yield plan, at, ENDS[min(bisect(_SHARES, chance.random()), len(ENDS) - 1)][1]


def _attempts(plan: DeliveryPlan, seq: int, at: float, end: End) -> Iterator[tuple[Any, ...]]:
    for number, result in enumerate(end.results, 1):
        seconds = 0.02 + (seq * 7919 % 1000) / 4000
        is_delivered = end.status == "delivered" and number == len(end.results)
        yield seq, _record(plan, (seq, at, number), result, seconds), at, seconds, result, is_delivered


def _record(plan: DeliveryPlan, which: tuple[int, float, int], result: str, seconds: float) -> str:
    """As ``store.sqlite.records`` writes it; some 1,100 characters."""
    seq, at, number = which
    is_failure = not result.isdecimal()
    body = "" if is_failure else BODIES[result].replace("%d", str(seq))
    response = (
        f'{{"status":{result},"reason":"","headers":[["content-type","text/html"],["date","Sat, 28 Nov 2026"],'
        f'["server","nginx"],["x-request-id","{seq:032}"]],"body":"{body}","truncated":false,"framed":true}}'
        if not is_failure
        else "null"
    ).replace('"{"status": "ok"}"', '"{\\"status\\": \\"ok\\"}"')
    failure = f'{{"kind":"{result}","message":"no response within 10 s","cause":""}}' if is_failure else "null"
    return (
        f'{{"plan_digest":"{plan.digest}","number":{number},"started_at":{at},"request":{{"method":"POST",'
        f'"url":"{plan.url}","headers":[["content-type","application/json"],["authorization","Bearer ***"],'
        f'["user-agent","hookctl/0.1.0"],["webhook-id","dlv_{seq:09}"],["x-team","team"]],'
        f'"body":"{{\\"id\\": \\"evt_{seq:09}\\", \\"severity\\": \\"high\\", \\"text\\": \\"{"x" * 240}\\"}}"}},'
        f'"response":{response},"failure":{failure},"timing":{{"resolved":0.001,"connected":0.002,"tls":0.01,'
        f'"first_byte":{seconds},"total":{seconds}}},"verdicts":[]}}'
    )
