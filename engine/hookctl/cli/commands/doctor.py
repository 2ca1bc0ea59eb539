"""``hookctl doctor``: checks this installation, its store and its secrets."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.terminal import text_width
from hookctl.errors import HookctlError, SettingsError
from hookctl.model.secret import RESOLVED

if TYPE_CHECKING:
    from pathlib import Path

    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, DeliveryPlan, Json
    from hookctl.model.secret import SecretReference
    from hookctl.report.text.doctor import Check
    from hookctl.store.interface import Store
    from hookctl.store.records import Damaged

FEW_REQUESTS = 256
"""Requests at the same time, the number that webhooks share."""
DAMAGED_SHOWN = 10
"""Damaged rows of one table that are shown."""
UNREADABLE = (
    "Its deliveries wait. Run `hookctl apply`: it applies the webhook's file, or removes a webhook without one."
)
RESTORE = "Nothing else is affected. To get it back, restore a backup while no hookctl is running."
WHAT_TO_DO = {
    "events": "Its deliveries will be dead when they are due. Have its publisher send it again with a new id.",
    "deliveries": "It is not tried, or is dead. Run `hookctl deliveries replay ID`, or have the event sent again.",
    "attempts": "`hookctl deliveries show` omits it; nothing else depends on it.",
    "plans": "Replay without --as-planned, which uses the delivery plan that is applied now.",
    "suspensions": "It ends with the next `hookctl run`, or with `hookctl deliveries resume NAME`.",
    "last_results": "The next attempt replaces it.",
    "circuits": "The next failure or success of its target replaces it.",
    "reconciled": "The next `hookctl run` replaces it.",
    "known_ids": "An event with the same id would be accepted as new.",
    "new_ids": "An event with the same id would be accepted as new.",
    "lock": "If no apply is running, release it: hookctl unlock ID",
}
"""The hint for a damaged row, by table."""

EPILOG = """
\b
Examples:
  hookctl doctor                    run it as the user that runs `hookctl run`
  hookctl doctor --format json      for monitoring; exits 1 if there is a problem
"""


@click.command("doctor", epilog=EPILOG)
@format_option()
@click.pass_context
def command(ctx: click.Context, outputs: Outputs) -> None:
    """Check SQLite, system limits, plugins, settings, the store, its disk, secrets, and the state of targets.

    Changes nothing and sends nothing. Each secret that an applied webhook needs is read, to check that it is available.
    Exits 1 if there is a problem; warnings do not change the exit code.
    """
    from hookctl.report.text.doctor import render, render_json

    session: Session = ctx.obj
    session.load_plugins(warn=False)  # the checks report what could not be loaded
    checks: dict[tuple[str, str], Check] = {}  # by message and hint: one error may end two groups of checks
    for look in (_engine, _limits, _plugins, _settings, _variables, _store):
        for check in _looked_at(look, session):
            checks.setdefault((check.message, check.hint), check)
    found = list(checks.values())
    outputs.write(
        color=session.color,
        text=lambda color: render(found, width=text_width(), color=color),
        json=lambda: render_json(found),
    )
    ctx.exit(exit_codes.FAILED if any(check.verdict == "problem" for check in found) else exit_codes.OK)


def _looked_at(look: Callable[[Session], Iterator[Check]], session: Session) -> list[Check]:
    """What one group of checks finds; an error that ends it is a problem of its own."""
    from hookctl.report.text.doctor import Check

    found: list[Check] = []
    try:
        found.extend(look(session))
    except HookctlError as error:
        name = "settings" if isinstance(error, SettingsError) else look.__name__.strip("_")
        found.append(Check(name, "problem", error.message, error.hint))
    except Exception as error:  # noqa: BLE001  # the other checks are still useful
        hint = "Please report this bug. `hookctl --debug`, with a command that fails, shows a traceback."
        found.append(Check(look.__name__.strip("_"), "problem", f"cannot be checked: {type(error).__name__}", hint))
    return found


def _engine(session: Session) -> Iterator[Check]:
    """The database engine of the store."""
    from hookctl.report.text.doctor import Check
    from hookctl.store.opening import check_engine

    found = check_engine(session.store_url)
    yield Check(found.name, "warning" if found.hint else "ok", found.message, found.hint)


def _limits(session: Session) -> Iterator[Check]:  # noqa: ARG001 - as every look
    """How many files this process may open: each request in flight needs one."""
    from hookctl.cli.running import OTHER_FILES
    from hookctl.report.text.doctor import Check

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        yield Check("limits", "ok", "unlimited open files")
    elif hard < OTHER_FILES + FEW_REQUESTS:
        hint = "Raise the limit where hookctl runs: ulimit -n, or LimitNOFILE in the systemd unit."
        yield Check(
            "limits",
            "warning",
            f"only {hard:,} open files are allowed, so few requests are sent at the same time",
            hint,
        )
    else:
        yield Check("limits", "ok", f"{hard:,} open files")


def _plugins(session: Session) -> Iterator[Check]:
    from hookctl.model.quantities import counted
    from hookctl.report.text.doctor import Check

    plugins = session.plugins
    origins = set(plugins.origins.values())
    built_in = sum(provider.built_in and provider.name in origins for provider in plugins.providers)
    yield Check("plugins", "ok", f"{counted(len(origins), 'plugin')} loaded ({built_in} built in)")
    for failure in plugins.failures:
        yield Check("plugins", "problem", failure.message, failure.hint)


def _settings(session: Session) -> Iterator[Check]:
    from hookctl.cli.safety import settings_errors
    from hookctl.report.text.doctor import Check

    errors = settings_errors(session)
    for error in errors:
        yield Check("settings", "problem", error.message, error.hint)
    if not errors:
        yield Check("settings", "ok", "valid")


def _variables(session: Session) -> Iterator[Check]:
    """Variables that look like an option's and set none. Those that an applied webhook refers to are secrets."""
    from hookctl.cli.variables import unknown_variables
    from hookctl.report.text.doctor import Check

    unknown = [*unknown_variables(click.get_current_context(), os.environ)]
    secrets = _variables_of_secrets(session) if unknown else set()
    for name, near in unknown:
        if name not in secrets:
            hint = f"Did you mean {near[0]}?" if near else "`hookctl explain settings` lists the variables."
            yield Check("variables", "warning", f"hookctl does not read the environment variable {name}", hint)


def _variables_of_secrets(session: Session) -> set[str]:
    """The variables that an applied webhook refers to; none without a readable store, which another check reports."""
    try:
        store = session.existing_store()
        plans = store.read_state().plans.values() if store else ()
    except HookctlError:
        return set()
    return {one.key for plan in plans for one in _needed(plan) if one.scheme == "env"}


def _store(session: Session) -> Iterator[Check]:
    """The store and its content."""
    from hookctl.model.quantities import counted
    from hookctl.report.text.doctor import Check

    store = session.existing_store()
    if store is None:
        yield Check("store", "ok", f"{session.store_files[0]} does not exist yet")
        return
    open_to = [*_readable_by_others(session.store_files[:1])]
    if open_to:
        yield Check(
            "store",
            "warning",
            f"other users of this machine can read {', '.join(map(str, open_to))}",
            "They contain events. Remove the permissions of others with chmod go=.",
        )
    else:
        yield Check("store", "ok", ", ".join(map(str, session.store_files[:1])) or "opened")
    applied = store.read_state()
    yield Check("applied", "ok", f"{counted(len(applied.plans), 'webhook')}, serial {applied.serial}")
    for name, why in sorted(applied.unreadable.items()):
        yield Check("applied", "problem", f"{name} cannot be read: {why}", UNREADABLE)
    yield from _damage(store.damaged())
    yield from _secrets(session, applied)
    yield from _queue(session, store, applied)


def _readable_by_others(files: Sequence[Path]) -> Iterator[Path]:
    """The files of the store, and the directories that hookctl made for them, that other users can read."""
    for file in files:
        for one in (file.parent, file):
            is_ours = one == file or one.name == ".hookctl"
            if is_ours and one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                yield one


def _damage(damaged: Sequence[Damaged]) -> Iterator[Check]:
    """A problem for each row that cannot be read; where a table has many, for the first few."""
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
        for reference in _needed(plan):
            users.setdefault(reference, []).append(name)
    missing = False
    for reference, names in sorted(users.items(), key=lambda item: str(item[0])):
        try:
            read_secret(session, reference)
        except HookctlError as error:
            missing = True
            yield Check("secrets", "problem", f"{reference} of {', '.join(sorted(names))}: {error.message}", error.hint)
    if not missing:
        counts = {0: "no secret is needed", 1: "the one needed secret is available"}
        yield Check("secrets", "ok", counts.get(len(users), f"all {len(users)} needed secrets are available"))


def _needed(plan: DeliveryPlan) -> set[SecretReference]:
    """The secrets that a delivery of the webhook resolves."""
    return {*_references([plan.to_json()[field] for field in RESOLVED])}


def _references(value: Json) -> Iterator[SecretReference]:
    """Every secret reference in the texts of a value, at any depth."""
    from hookctl.model.secret import references

    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _references(inner)


def _queue(session: Session, store: Store, applied: AppliedState) -> Iterator[Check]:
    from hookctl.cli.safety import limits_of_store
    from hookctl.delivery.runner.retention import why_full
    from hookctl.network.shortage import HINT
    from hookctl.report.text.doctor import Check

    fullness, circuits, stopped = store.fullness(), store.circuits(), store.stopped(applied)
    full, make_room = why_full(fullness, limits_of_store(session))
    free, used = f"{fullness.free_bytes / 1e6:,.0f} MB free", f"{fullness.used_bytes / 1e6:,.0f} MB used"
    size = f"{fullness.waiting:,} waiting, {used}, {free}"
    yield Check("room", "problem" if full else "ok", f"no events are accepted: {full}" if full else size, make_room)
    for one in stopped:
        if one.is_suspended:
            yield Check(
                "suspended",
                "warning",
                f"{one.webhook}: {one.reason}",
                f"When its target works again: hookctl deliveries resume '{one.webhook}'",
            )
    for name, circuit in sorted(circuits.items()):
        if circuit.state == "local":
            yield Check(
                "local",
                "problem",
                f"{name}: nothing is sent because this machine has run out of a resource: {circuit.reason}",
                HINT,
            )
            continue
        yield Check(
            "circuit",
            "warning",
            f"{name}: the circuit is {circuit.state} because the target failed: {circuit.reason}",
            "hookctl tries it again automatically.",
        )
