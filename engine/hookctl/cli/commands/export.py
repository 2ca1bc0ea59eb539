"""``hookctl export``: describes the webhooks in formats of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.completion import webhook_names
from hookctl.cli.echo import echo
from hookctl.cli.groups import SuggestingGroup

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl export openapi > webhooks.json      for those who write receivers
  hookctl export openapi SiemAnomalies        only this webhook
"""


@click.group("export", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Describe the webhooks in formats of other tools."""


@command.command("openapi", short_help="Print an OpenAPI 3.1 document for receivers.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=webhook_names)
@click.pass_context
def openapi(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Print an OpenAPI 3.1 document that describes what receivers get from the named webhooks, or all active ones.

    Each is an entry of `webhooks`, with headers, auth, the schema of its body and what each response means. The schema
    follows from the template and the event type. The document contains no secrets.
    """
    import json

    from hookctl.cli.formats import TEXT, Output, Outputs
    from hookctl.cli.webhook_files import check_files_or_exit, named_plan
    from hookctl.config.events import with_defined
    from hookctl.config.exporting.openapi import openapi_document
    from hookctl.model import Status

    session: Session = ctx.obj
    checked = check_files_or_exit(ctx, session, Outputs((Output(TEXT),)), only=names)
    chosen = [named_plan(checked.plans, name) for name in names] or [
        plan for plan in checked.plans.values() if plan.status is Status.ACTIVE
    ]
    plugins = with_defined(session.plugins, checked.event_types.types)
    echo(json.dumps(openapi_document(chosen, plugins), indent=2, ensure_ascii=False))
