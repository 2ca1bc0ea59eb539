"""What the files want, for commands that work on them without applying: delivery plans by name, and the event to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hookctl.cli.checked import checked_directory, unknown_webhook
from hookctl.errors import EventError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan, Json


def desired_plans(ctx: click.Context, session: Session, output_format: str) -> dict[str, DeliveryPlan]:
    """The delivery plans of the directory's files, in order of name. Shows findings; errors among them end the command."""
    from hookctl import pipeline

    checked = checked_directory(ctx, session, output_format, warnings_to_stderr=True)
    return dict(sorted(pipeline.desired_plans(checked, session.plugins).items()))


def named_plan(plans: Mapping[str, DeliveryPlan], name: str) -> DeliveryPlan:
    """The delivery plan of that name. Raises HookctlError, with the nearest names, when there is none."""
    if name in plans:
        return plans[name]
    raise unknown_webhook(name, plans)


def read_event(session: Session, file: BinaryIO) -> Mapping[str, Json]:
    """The one event that a file holds. Raises EventError when it is no event of a known type, valid by its schema."""
    from hookctl.run.intake import EventGate

    try:
        return EventGate(session.plugins.event_types).parse(file.read()).document
    except EventError as error:
        raise EventError(f"{file.name}: {error.message}", hint="The file must hold one event, as `hookctl schema event NAME` describes it.") from error
