"""``hookctl schema``: the fields of a webhook file or of an event type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl schema webhook                       every field of a webhook file
  hookctl schema event                         the event types
  hookctl schema event anomaly                 every field of an anomaly event
  hookctl schema webhook --format json > webhook.schema.json
                                               for an editor: knows your plugins too
"""

FORMAT = click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="A table, or the JSON Schema.")


@click.group("schema", epilog=EPILOG)
def command() -> None:
    """Show the fields of a webhook file or of an event type: each with type and description."""


@command.command("webhook")
@FORMAT
@click.pass_obj
def webhook(session: Session, output_format: str) -> None:
    """Show every field of a webhook file, with the settings of what is plugged in."""
    from hookctl.cli.terminal import text_width
    from hookctl.report.schema import render_webhook
    from hookctl.report.webhook_schema import with_plugins
    from hookctl.schema_files import read_schema

    schema = read_schema("webhook.schema.json")
    if output_format == "json":
        click.echo(json.dumps(with_plugins(schema, session.plugins), ensure_ascii=False, indent=2))
    else:
        click.echo(render_webhook(schema, session.plugins, width=text_width(), color=session.color), nl=False)


@command.command("event")
@click.argument("name", required=False)
@FORMAT
@click.pass_context
def event(ctx: click.Context, name: str | None, output_format: str) -> None:
    """Show every field of the event type NAME; without a name, the event types."""
    from hookctl.cli.terminal import text_width
    from hookctl.report.schema import render_event_type, render_event_types

    session: Session = ctx.obj
    types = session.plugins.event_types
    if name is None:
        names = {known: kind.summary for known, kind in sorted(types.items())}
        click.echo(json.dumps(names, ensure_ascii=False, indent=2) if output_format == "json" else render_event_types(names), nl=output_format == "json")
    elif name not in types:
        from difflib import get_close_matches

        near = get_close_matches(name, types, n=1)
        click.echo(f"Error: there is no event type {name!r}", err=True)
        click.echo(f"  Did you mean {near[0]!r}?" if near else f"  There are: {', '.join(sorted(types))}.", err=True)
        ctx.exit(exit_codes.FAILED)
    elif output_format == "json":
        click.echo(json.dumps(dict(types[name].schema), ensure_ascii=False, indent=2))
    else:
        click.echo(render_event_type(types[name], width=text_width(), color=session.color), nl=False)
