"""What the files want, for commands that work on them without applying: delivery plans by name, and the event to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hookctl.cli.checked import checked_directory, unknown_webhook
from hookctl.errors import EventError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import click

    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan, Finding, Json, Webhook


@dataclass(frozen=True, slots=True)
class Desired:
    """What the directory's files want, by name."""

    plans: Mapping[str, DeliveryPlan]
    """In order of name."""
    webhooks: Mapping[str, Webhook]
    """As they are written, to point into their files."""


def desired(
    ctx: click.Context, session: Session, outputs: Outputs, on_errors: Callable[[Sequence[Finding]], None] | None = None
) -> Desired:
    """What the directory's files want. Shows findings; errors among them are told to ``on_errors`` too, and end the command."""
    checked = checked_directory(ctx, session, outputs, warnings_to_stderr=True, on_errors=on_errors)
    return Desired(dict(sorted(checked.plans.items())), {webhook.name: webhook for webhook in checked.webhooks})


def named_plan(plans: Mapping[str, DeliveryPlan], name: str) -> DeliveryPlan:
    """The delivery plan of that name. Raises HookctlError, with the nearest names, when there is none."""
    if name in plans:
        return plans[name]
    raise unknown_webhook(name, plans)


def read_event(session: Session, file: BinaryIO) -> Mapping[str, Json]:
    """The one event that a file holds. Raises EventError when it is no event of a known type, valid by its schema."""
    from hookctl.delivery.events.intake import MAX_EVENT_BYTES, EventGate

    try:
        return EventGate(session.plugins.event_types).parse(file.read(MAX_EVENT_BYTES + 1)).document
    except EventError as error:
        raise EventError(
            f"{file.name}: {error.message}",
            hint="The file must hold one event, as `hookctl schema event NAME` describes it.",
        ) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
