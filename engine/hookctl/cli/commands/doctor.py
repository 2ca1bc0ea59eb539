"""``hookctl doctor``: what is wrong here, and what might be."""

from __future__ import annotations

import resource
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.formats import Outputs, format_option
from hookctl.errors import HookctlError
from hookctl.model.secret import RESOLVED

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, Json
    from hookctl.model.secret import SecretReference
    from hookctl.report.text.doctor import Check
    from hookctl.store.interface import Store
    from hookctl.store.records import Damaged

FIXED_SQLITE = (3, 51, 3)
BACKPORTS = ((3, 44, 6), (3, 50, 7))
"""Older versions in which the WAL-reset bug is fixed too, each with its later patches."""

FEW_REQUESTS = 256
"""At the same time: as many as webhooks share."""
DAMAGED_SHOWN = 10
"""Damaged rows of one table that are named."""
UNREADABLE = (
    "Its deliveries wait. `hookctl apply` puts what its file says in place, or removes it where there is no file."
)
RESTORE = "Nothing else is held up. To have it back, restore a backup while nothing runs."
WHAT_TO_DO = {
    "events": "Its deliveries become dead when their turn comes. Have its publisher send it again under a new id.",
    "deliveries": "It is not tried, or it is dead. Try `hookctl deliveries replay ID`; else have the event sent again under a new id.",
    "attempts": "It is left out of `hookctl deliveries show`; nothing else depends on it.",
    "plans": "Replay without --as-planned: by what is applied now.",
    "suspensions": "It ends with the next run, or with `hookctl deliveries resume NAME`.",
    "last_results": "The next attempt replaces it.",
    "circuits": "The next failure or success of its target replaces it.",
    "reconciled": "The next run replaces it.",
    "known_ids": "The event that it stood for would be taken for a new one.",
    "new_ids": "The event that it stood for would be taken for a new one.",
    "lock": "If no apply runs, break it: hookctl unlock ID",
}
"""By table."""

EPILOG = """
\b
Examples:
  hookctl doctor                    on the machine, and as the user, that runs hookctl
  hookctl doctor --format json      for a monitor; exits 1 when there is a problem
"""


@click.command("doctor", epilog=EPILOG)
@format_option()
@click.pass_context
def command(ctx: click.Context, outputs: Outputs) -> None:
    """Look at SQLite, limits, plugins, settings, the store, its disk, secrets and targets.

    Changes nothing and sends nothing, but reads each secret that an applied webhook needs, to see whether it is there. Exits 1 when there is a
    problem; warnings do not change the exit code.
    """
    from hookctl.report.text.doctor import render, render_json

    session: Session = ctx.obj
    checks = [found for look in (_sqlite, _limits, _plugins, _settings, _store) for found in _looked_at(look, session)]
    outputs.write(color=session.color, text=lambda color: render(checks, color=color), json=lambda: render_json(checks))
    ctx.exit(exit_codes.FAILED if any(check.verdict == "problem" for check in checks) else exit_codes.OK)


def is_affected(version: tuple[int, ...]) -> bool:
    """Whether that SQLite may corrupt a file that several processes write to and checkpoint at the same moment."""
    return version < FIXED_SQLITE and not any(version[:2] == fixed[:2] and version >= fixed for fixed in BACKPORTS)


def _looked_at(look: Callable[[Session], Iterator[Check]], session: Session) -> list[Check]:
    """What a look finds; an error that it ends with is a problem of its own."""
    from hookctl.report.text.doctor import Check

    found: list[Check] = []
    try:
        found.extend(look(session))
    except HookctlError as error:
        found.append(Check(look.__name__.strip("_"), "problem", error.message, error.hint))
    except Exception as error:  # noqa: BLE001  # the other looks are still worth having
        hint = "Please report it; `hookctl --debug` with the command that fails shows where."
        found.append(Check(look.__name__.strip("_"), "problem", f"cannot be looked at: {type(error).__name__}", hint))
    return found


def _sqlite(_: Session) -> Iterator[Check]:
    from hookctl.report.text.doctor import Check

    if is_affected(sqlite3.sqlite_version_info):
        message = f"{sqlite3.sqlite_version} has the WAL-reset bug: several processes on one store may, very rarely, damage it"
        yield Check(
            "sqlite",
            "warning",
            message,
            "Use a Python with SQLite 3.51.3 or newer, or one process for each store; and keep backups.",
        )
    else:
        yield Check("sqlite", "ok", sqlite3.sqlite_version)


def _limits(session: Session) -> Iterator[Check]:  # noqa: ARG001 - as every look
    """How many files this process may open: each request under way is one of them."""
    from hookctl.cli.running import OTHER_FILES
    from hookctl.report.text.doctor import Check

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        yield Check("limits", "ok", "any number of open files")
    elif hard < OTHER_FILES + FEW_REQUESTS:
        hint = "Raise it where hookctl runs: ulimit -n, or LimitNOFILE of the service."
        yield Check("limits", "warning", f"only {hard:,} open files, so requests are sent few at a time", hint)
    else:
        yield Check("limits", "ok", f"{hard:,} open files")


def _plugins(session: Session) -> Iterator[Check]:
    from hookctl.report.text.doctor import Check

    plugins = session.plugins
    yield Check("plugins", "ok", f"{len(set(plugins.origins.values()))} loaded")
    for failure in plugins.failures:
        yield Check("plugins", "problem", failure.message, failure.hint)


def _settings(session: Session) -> Iterator[Check]:
    from hookctl.cli.safety import check_policy_tables
    from hookctl.delivery.runner.retention import store_limits
    from hookctl.report.text.doctor import Check

    store_limits(session.settings.get("retention", {}), session.settings.get("intake", {}))
    session.network()
    check_policy_tables(session)
    yield Check("settings", "ok", "read")


def _store(session: Session) -> Iterator[Check]:
    """The store and what is in it; where there is none, that."""
    from hookctl.report.text.doctor import Check

    path = session.store_files[0]
    if not path.exists():
        yield Check("store", "ok", f"{path} does not exist yet")
        return
    open_to = [
        file
        for file in (path.parent, path)
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and (file == path or file.name == ".hookctl")
    ]
    if open_to:
        yield Check(
            "store",
            "warning",
            f"{', '.join(map(str, open_to))} can be read by others on this machine",
            "chmod go= them: they hold events.",
        )
    else:
        yield Check("store", "ok", str(path))
    store = session.store
    applied = store.read_state()
    yield Check("applied", "ok", f"{len(applied.plans)} webhooks, serial {applied.serial}")
    for name, why in sorted(applied.unreadable.items()):
        yield Check("applied", "problem", f"{name} cannot be read: {why}", UNREADABLE)
    yield from _damage(store.damaged())
    yield from _secrets(session, applied)
    yield from _queue(session, store, applied)


def _damage(damaged: Sequence[Damaged]) -> Iterator[Check]:
    """A problem for each row that cannot be read; of many in one table, the first few."""
    from hookctl.report.text.doctor import Check

    for table in dict.fromkeys(one.table for one in damaged):
        rows = [one for one in damaged if one.table == table]
        for one in rows[:DAMAGED_SHOWN]:
            yield Check("damage", "problem", f"{table} {one.row}: {one.why}", WHAT_TO_DO.get(table, RESTORE))
        if len(rows) > DAMAGED_SHOWN:
            yield Check("damage", "problem", f"{table}: {len(rows) - DAMAGED_SHOWN:,} more rows like these")


def _secrets(session: Session, applied: AppliedState) -> Iterator[Check]:
    from hookctl.cli.secrets import read_secret
    from hookctl.report.text.doctor import Check

    users: dict[SecretReference, list[str]] = {}
    for name, plan in applied.plans.items():
        for reference in set(_references([plan.to_json()[field] for field in RESOLVED])):
            users.setdefault(reference, []).append(name)
    missing = False
    for reference, names in sorted(users.items(), key=lambda item: str(item[0])):
        try:
            read_secret(session, reference)
        except HookctlError as error:
            missing = True
            yield Check("secrets", "problem", f"{reference} of {', '.join(sorted(names))}: {error.message}", error.hint)
    if not missing:
        yield Check("secrets", "ok", f"{len(users)} found")


def _references(value: Json) -> Iterator[SecretReference]:
    """Every secret reference in the texts of a value, at any depth."""
    from hookctl.model.secret import references

    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)


def _queue(session: Session, store: Store, applied: AppliedState) -> Iterator[Check]:
    from hookctl.delivery.runner.retention import StoreLimits, store_limits, why_full
    from hookctl.network.shortage import HINT
    from hookctl.report.text.doctor import Check

    limits: StoreLimits = store_limits(session.settings.get("retention", {}), session.settings.get("intake", {}))
    fullness, circuits, stopped = store.fullness(), store.circuits(), store.stopped(applied)
    full = why_full(fullness, limits)
    size = f"{fullness.waiting:,} waiting, {fullness.used_bytes / 1e6:,.0f} MB used, {fullness.free_bytes / 1e6:,.0f} MB free"
    yield Check(
        "room",
        "problem" if full else "ok",
        full or size,
        "No events are taken in. See [intake] in docs/settings.md." if full else "",
    )
    for one in stopped:
        if one.is_suspended:
            yield Check(
                "suspended",
                "warning",
                f"{one.webhook}: {one.reason}",
                f"When its target is back: hookctl deliveries resume '{one.webhook}'",
            )
    for name, circuit in sorted(circuits.items()):
        if circuit.state == "local":
            yield Check(
                "local",
                "problem",
                f"{name}: nothing is sent, since hookctl lacks something here: {circuit.reason}",
                HINT,
            )
            continue
        yield Check(
            "circuit",
            "warning",
            f"{name}: {circuit.state} since its target failed: {circuit.reason}",
            "hookctl retries it automatically.",
        )
