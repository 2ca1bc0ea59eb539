"""The filters of ``deliveries list``, ``replay`` and ``cancel``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from functools import wraps
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hookctl.cli.completion import event_types, webhook_names
from hookctl.cli.moments import moment
from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.model import DeliveryStatus
    from hookctl.store.history import Where
    from hookctl.store.interface import Store
    from hookctl.store.records import Filter

Command = TypeVar("Command", bound=Callable[..., Any])

UNDELIVERED = "undelivered"
STATUSES = ("waiting", "retrying", "held", "delivered", "dead", "cancelled", UNDELIVERED)
RESPONSE = re.compile(r"[1-5](?:[0-9]{2}|xx)")
DIGEST = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters that were given; None for each that was not."""

    status: str | None
    webhook: str | None
    cause: str | None
    since: float | None
    until: float | None
    event_type: str | None
    event_id: str | None
    plan: str | None
    where: str | None

    @property
    def is_given(self) -> bool:
        """Whether there is any filter."""
        return any(getattr(self, one.name) is not None for one in fields(self))

    def filter(
        self,
        store: Store,
        default: Collection[DeliveryStatus] | None = None,
        among: Collection[DeliveryStatus] | None = None,
    ) -> Filter:
        """The filter. Raises HookctlError for a webhook that does not exist.

        ``default`` are the statuses if none was given, None: every one. ``among`` are those that the command can do
        anything about, None: every one.
        """
        from hookctl.store.records import Filter

        statuses = _statuses(self.status) if self.status else default
        return Filter(
            statuses=statuses if statuses is None or among is None else set(statuses).intersection(among),
            webhook=None if self.webhook is None else known_webhook(store, self.webhook),
            cause=self.cause,
            since=self.since,
            until=self.until,
            event_type=self.event_type,
            event_id=self.event_id,
            plan_digest=self.plan or "",
            where=condition(self.where),
        )

    def __str__(self) -> str:
        """The filters as options, for the audit log."""
        from hookctl.report.text.moments import iso

        given = {one.name.replace("_", "-"): getattr(self, one.name) for one in fields(self)}
        texts = {name: iso(value) if isinstance(value, float) else str(value) for name, value in given.items()}
        return " ".join(f"--{name} {quoted(texts[name])}" for name, value in given.items() if value is not None)


def quoted(text: str) -> str:
    """A word of a command line as people write it: in double quotes if it needs quotes and a shell keeps all of it."""
    plain = quote(text)
    return plain if plain == text or any(one in text for one in '"$`\\!') else f'"{text}"'


def filter_options(command: Command) -> Command:
    """A click decorator that adds the filters, and passes a :class:`Selection` as ``selection``."""

    @wraps(command)
    def call(*args: Any, **given: Any) -> Any:
        chosen = Selection(**{one.name: given.pop(one.name) for one in fields(Selection)})
        return command(*args, selection=chosen, **given)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call  # type: ignore[return-value]  # as for every decorator of click


def condition(text: str | None) -> Where | None:
    """What ``--where`` decides; None without it."""
    if text is None:
        return None
    from hookctl.delivery.past.where import where_of

    return where_of(text)


def known_webhook(store: Store, name: str) -> str:
    """The name as it is spelled, whatever its case.

    Raises HookctlError for one that is not applied and has no deliveries.
    """
    from hookctl.model.nearest import unknown_webhook

    known = {found.casefold(): found for found in [*store.read_state().plans, *store.counts()]}
    if name.casefold() in known:
        return known[name.casefold()]
    raise unknown_webhook(name, known.values())


def _statuses(status: str) -> Collection[DeliveryStatus]:
    from hookctl.model import DeliveryStatus
    from hookctl.store import records

    return records.UNDELIVERED if status == UNDELIVERED else (DeliveryStatus(status),)


def _cause(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from hookctl.model import FailureKind

    if value is None or RESPONSE.fullmatch(value.lower()):
        return value and value.lower()
    known = ("mismatch", *(kind.value for kind in FailureKind))
    if value not in known:
        raise click.BadParameter(
            f"{value!r} is not a cause. Write a status such as 404, a class such as 5xx, or one of {', '.join(known)}."
        )
    return value


def _digest(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not DIGEST.fullmatch(value):
        message = f"{value!r} is not a digest. Write at least its first 4 characters, as `deliveries show` prints it."
        raise click.BadParameter(message)
    return value


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
        "--plan",
        metavar="DIGEST",
        callback=_digest,
        help="Only deliveries whose last attempt used the delivery plan with this digest, or its beginning.",
    ),
    where_option,
)
