"""The filters of ``deliveries list``, ``replay`` and ``cancel``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

import click

from hookctl.cli.completion import event_types, webhook_names
from hookctl.cli.durations import seconds
from hookctl.cli.moments import moment
from hookctl.delivery.past.selection import STATUSES, Selection, checked_cause, checked_digest, condition
from hookctl.errors import HookctlError

Command = TypeVar("Command", bound=Callable[..., Any])


def filter_options(command: Command) -> Command:
    """A click decorator that adds the filters, and passes a :class:`Selection` as ``selection``."""

    @wraps(command)
    def call(*args: Any, **given: Any) -> Any:
        if given["due_within"] is not None:
            given["due_within"] += time.time()
        chosen = Selection(**{one.name: given.pop(one.name) for one in fields(Selection)})
        return command(*args, selection=chosen, **given)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call  # type: ignore[return-value]  # as for every decorator of click


def _cause(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return _checked(checked_cause, value)


def _digest(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return _checked(checked_digest, value)


def _checked(check: Callable[[str], str], value: str | None) -> str | None:
    try:
        return None if value is None else check(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _where(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        condition(value)
    except HookctlError as error:
        raise click.BadParameter(f"{error.message}. {error.hint}") from error
    return value


where_option = click.option(
    "--where",
    metavar="EXPR",
    callback=_where,
    help="Only for events for which this JMESPath expression is true, as in `when`.",
)
_OPTIONS = (
    click.option(
        "--status",
        type=click.Choice(STATUSES),
        help="Only deliveries with this status; undelivered means every status except delivered.",
    ),
    click.option("--webhook", metavar="NAME", shell_complete=webhook_names, help="Only deliveries to this webhook."),
    click.option(
        "--cause",
        metavar="CAUSE",
        callback=_cause,
        help="Only deliveries whose last attempt ended with this: a status or a class, such as 404 or 5xx, a kind of "
        "failure, such as timeout, or mismatch.",
    ),
    click.option(
        "--since",
        metavar="TIME",
        callback=moment,
        help="Only deliveries created then or later: 2h, or 2026-11-28T09:30Z.",
    ),
    click.option("--until", metavar="TIME", callback=moment, help="Only deliveries created before this time."),
    click.option(
        "--event-type", metavar="TYPE", shell_complete=event_types, help="Only deliveries of events of this type."
    ),
    click.option("--event-id", metavar="ID", help="Only deliveries of the event with this id."),
    click.option(
        "--attempts", metavar="N", type=click.IntRange(min=0), help="Only deliveries with at least N attempts."
    ),
    click.option(
        "--due-within",
        metavar="DURATION",
        callback=seconds,
        help="Only deliveries that are tried next within this time, such as 10m.",
    ),
    click.option(
        "--plan",
        metavar="DIGEST",
        callback=_digest,
        help="Only deliveries whose last attempt used the delivery plan with this digest, or its beginning.",
    ),
    where_option,
)
