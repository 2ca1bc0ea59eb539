"""``hookctl schema``: shows the fields of a webhook file or of an event type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from hookctl.cli.completion import event_types
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.terminal import text_width
from hookctl.errors import HookctlError
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl schema webhook                       every field of a webhook file
  hookctl schema event                         the event types
  hookctl schema event anomaly                 every field of an anomaly event
  hookctl schema webhook --format json > webhook.schema.json
                                               for an editor; includes your plugins
"""


@click.group("schema", cls=SuggestingGroup, epilog=EPILOG)
@click.pass_obj
def command(session: Session) -> None:
    """Show the fields of a webhook file or of an event type, with types and descriptions."""
    session.tolerant = True


@command.command("webhook")
@format_option()
@click.pass_obj
def webhook(session: Session, outputs: Outputs) -> None:
    """Show every field of a webhook file, and of every plugin."""
    from hookctl.report.text.schema import render_webhook
    from hookctl.report.text.webhook_schema import with_plugins
    from hookctl.schema_files import read_schema

    schema = read_schema("webhook.schema.json")
    outputs.write(
        color=session.color,
        text=lambda color: render_webhook(schema, session.plugins, width=text_width(), color=color),
        json=lambda: _indented(with_plugins(schema, session.plugins, session.event_types)),
    )


@command.command("event")
@click.argument("name", required=False, shell_complete=event_types)
@format_option()
@click.pass_obj
def event(session: Session, name: str | None, outputs: Outputs) -> None:
    """Show every field of the event type NAME. Without NAME, list the event types."""
    from hookctl.report.text.schema import render_event_type, render_event_types

    types = session.event_types
    if name is None:
        names = {known: kind.summary for known, kind in sorted(types.items())}
        outputs.write(
            color=session.color,
            text=lambda _: render_event_types(names, width=text_width()),
            json=lambda: _indented(names),
        )
    elif name not in types:
        near = nearest(name, types)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known event types: {', '.join(sorted(types))}."
        raise HookctlError(f"unknown event type {name!r}", hint=hint)
    else:
        outputs.write(
            color=session.color,
            text=lambda color: render_event_type(types[name], width=text_width(), color=color),
            json=lambda: _indented(dict(types[name].schema)),
        )


def _indented(document: Mapping[str, Any]) -> str:
    from hookctl.report.text.printable import json_text

    return json_text(document) + "\n"
