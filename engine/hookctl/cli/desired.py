"""What the files want, for commands that work on them without applying: delivery plans by name, and the event to use."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.errors import EventError, HookctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookctl.cli.session import Session
    from hookctl.model import DeliveryPlan, Json


def desired_plans(ctx: click.Context, session: Session, output_format: str) -> dict[str, DeliveryPlan]:
    """The delivery plans of the directory's files, in order of name. Shows findings; errors among them end the command."""
    from hookctl import pipeline
    from hookctl.report.findings import findings_json_text, findings_text

    checked = pipeline.check_directory(session.directory, session.plugins)
    if not checked.valid:
        text = findings_json_text(checked.findings) if output_format == "json" else findings_text(checked.findings, color=session.color)
        click.echo(text, nl=False, color=session.color)
        ctx.exit(exit_codes.FAILED)
    if checked.findings:
        click.echo(findings_text(checked.findings, color=session.color), err=True, color=session.color)
    return dict(sorted(pipeline.desired_plans(checked, session.plugins).items()))


def named_plan(plans: Mapping[str, DeliveryPlan], name: str) -> DeliveryPlan:
    """The delivery plan of that name. Raises HookctlError, with the nearest names, when there is none."""
    if name in plans:
        return plans[name]
    by_key = {known.casefold(): known for known in plans}
    near = [key for key in by_key if key.startswith(name.casefold())][:3] or difflib.get_close_matches(name.casefold(), by_key, n=3)
    hint = f"Did you mean {', '.join(by_key[key] for key in near)}?" if near else "See `hookctl list`."
    raise HookctlError(f"there is no webhook named {name!r}", hint=hint)


def read_event(session: Session, file: BinaryIO) -> Mapping[str, Json]:
    """The one event that a file holds. Raises EventError when it is no event of a known type, valid by its schema."""
    from hookctl.run.intake import EventGate

    try:
        return EventGate(session.plugins.event_types).parse(file.read()).document
    except EventError as error:
        raise EventError(f"{file.name}: {error.message}", hint="The file must hold one event, as `hookctl schema event NAME` describes it.") from error
