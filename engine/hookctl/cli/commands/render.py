"""``hookctl render``: prints the request that would be sent for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli.completion import webhook_names
from hookctl.cli.event_file import EventFile
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import event_type_option
from hookctl.cli.streams import write_bytes

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl render SiemAnomalies                       for the mock event of its type
  hookctl render SiemAnomalies --event event.json    for your own event
  hookctl render SiemAnomalies --body | jq .         only the body
  hookctl render Audit --event-type audit_log        for one of the event types that it receives
"""


@click.command("render", epilog=EPILOG)
@click.argument("name", shell_complete=webhook_names)
@click.option(
    "--event",
    metavar="FILE",
    type=EventFile(),
    help="Use the event in FILE (- for standard input) instead of the mock event.",
)
@event_type_option
@click.option("--body", "body_only", is_flag=True, help="Print only the body, byte for byte, with *** for each secret.")
@format_option()
@click.pass_context
def command(
    ctx: click.Context,
    name: str,
    *,
    event: BinaryIO | None,
    event_type: str | None,
    body_only: bool,
    outputs: Outputs,
) -> None:
    """Print the request that the file of the webhook NAME would send for an event.

    Nothing is sent, and neither network nor secrets are needed: a secret is shown as ***. Only the file of the webhook
    must be free of errors.
    """
    from msgspec.structs import replace

    from hookctl.cli.tracing import traced_by
    from hookctl.cli.webhook_files import check_files_or_exit, mock_of, named_plan, read_event, wrong_type
    from hookctl.delivery.attempt.head import TRACEPARENT, has_own_trace
    from hookctl.delivery.rehearsal.render import render_request
    from hookctl.delivery.rehearsal.trial import lets_through
    from hookctl.model import MASK
    from hookctl.plugin.added import added_by
    from hookctl.report.text.rendering import render_json, render_text

    if event and event_type:
        raise click.UsageError("--event names an event, which has a type; --event-type is for mock events.")
    session: Session = ctx.obj
    plan = named_plan(check_files_or_exit(ctx, session, outputs, only=[name]).plans, name)
    document = read_event(session, event) if event else mock_of(session, plan, event_type or plan.events[0])
    if document["event_type"] not in plan.events:
        raise wrong_type(plan, str(document["event_type"]))
    request = render_request(plan, document, session.plugins, delivery_id="render")
    added = added_by(plan.auth, session.plugins.auth)
    request = replace(request, url=added.put_into_url(request.url), headers=added.put_into(request.headers))
    if body_only:
        write_bytes(request.body or b"")
        return
    tracer = "" if has_own_trace(plan) else traced_by(session)
    if tracer:
        request = replace(request, headers=(*request.headers, (TRACEPARENT, MASK)))
    would_be_sent = lets_through(plan, document)
    outputs.write(
        color=session.color,
        text=lambda color: render_text(
            plan, request, added.unsaid, would_be_sent=would_be_sent, tracer=tracer, color=color
        ),
        json=lambda: render_json(plan, request, would_be_sent=would_be_sent),
    )
