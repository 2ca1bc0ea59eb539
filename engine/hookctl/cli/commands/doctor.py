"""``hookctl doctor``: checks this installation, its store, its secrets and its deliveries."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.checks_of_network import checks_of_network
from hookctl.cli.checks_of_store import checks_of_store
from hookctl.cli.conditions import MEASURES, Condition, checks_of_conditions, conditions
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import proxy_option
from hookctl.cli.terminal import text_width
from hookctl.errors import HookctlError, SettingsError
from hookctl.model.secret import plan_references

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.report.text.doctor import Check

FEW_REQUESTS = 256
"""Requests at the same time, the number that webhooks share."""

EPILOG = """
\b
Examples:
  hookctl doctor                    run it as the user that runs `hookctl run`
  hookctl doctor --format json      for monitoring; exits 1 if there is a problem
  hookctl doctor --fail-on 'dead>0,lag>5m'
                                    for a cron job; also exits 1 above these limits
"""


@click.command("doctor", epilog=EPILOG)
@click.option(
    "--fail-on",
    metavar="CONDITIONS",
    callback=conditions,
    help=f"Also exit 1 if one of these is true, such as 'dead>0,lag>5m'. Names: {', '.join(MEASURES)}.",
)
@format_option()
@proxy_option
@click.pass_context
def command(ctx: click.Context, *, fail_on: tuple[Condition, ...], outputs: Outputs) -> None:
    """Check this machine, plugins, settings, the proxy, the store, secrets, deliveries, targets and runners.

    Changes nothing and sends nothing. Each secret that an applied webhook needs is read, to check that it is available.
    Exits 1 if there is a problem; warnings do not change the exit code.

    With --fail-on, hookctl does not read every row of the store to find damage, so it is quick even with a million
    deliveries.
    """
    from hookctl.report.text.doctor import render, render_json

    session: Session = ctx.obj
    session.tolerant = True
    session.load_plugins(warn=False)  # the checks report what could not be loaded

    def store(session: Session) -> Iterator[Check]:
        return checks_of_store(session, every_row=not fail_on)

    def deliveries(session: Session) -> Iterator[Check]:
        return _deliveries(session, fail_on)

    checks: dict[tuple[str, str], Check] = {}  # by message and hint: one error may end two groups of checks
    for look in (_engine, _limits, _plugins, _settings, _variables, checks_of_network, store, deliveries):
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

    name = look.__name__.removeprefix("_").removeprefix("checks_of_")
    found: list[Check] = []
    try:
        found.extend(look(session))
    except HookctlError as error:
        found.append(
            Check("settings" if isinstance(error, SettingsError) else name, "problem", error.message, error.hint)
        )
    except Exception as error:  # noqa: BLE001  # the other checks are still useful
        hint = "Please report this bug. `hookctl --debug`, with a command that fails, shows a traceback."
        found.append(Check(name, "problem", f"cannot be checked: {type(error).__name__}", hint))
    return found


def _engine(session: Session) -> Iterator[Check]:
    """The database engine of the store."""
    from hookctl.report.text.doctor import Check
    from hookctl.store.opening import check_engine

    found = check_engine(session.store_url, session.store_types)
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
        if failure.kind == "settings":
            continue  # the check of the settings reports it
        verdict = "warning" if failure.kind == "disabled" else "problem"
        yield Check("plugins", verdict, failure.message, failure.hint)


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
    """The variables that an applied webhook or the proxy refers to.

    None of a store or of settings that cannot be read, which other checks report.
    """
    found: set[str] = set()
    with suppress(HookctlError):
        found |= {one.key for one in session.proxy_references if one.scheme == "env"}
        store = session.existing_store()
        plans = store.read_state().plans.values() if store else ()
        found |= {one.key for plan in plans for one in plan_references(plan) if one.scheme == "env"}
    return found


def _deliveries(session: Session, fail_on: Sequence[Condition]) -> Iterator[Check]:
    """The state of deliveries, and the conditions of ``--fail-on``."""
    from hookctl.cli.checks_of_deliveries import checks_of_deliveries
    from hookctl.delivery.situation import read_situation

    store = session.existing_store()
    situation = read_situation(store, store.read_state(), time.time()) if store else None
    if store and situation:
        yield from checks_of_deliveries(store, situation)
    yield from checks_of_conditions(fail_on, situation, session.store_name)
