"""``hookctl plan``: shows what an apply would change."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from click.core import ParameterSource

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.event_file import EventFile
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import only_option, proxy_option
from hookctl.cli.signing_key import key_reference, signing_key

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.review import Review

EPILOG = """
\b
Examples:
  hookctl plan                          show what would change
  hookctl plan --out plan.json          also save the plan, for `hookctl apply plan.json`
  hookctl plan --out plan.json --sign '${env:HOOKCTL_PLAN_KEY}'
                                        also sign it, for `hookctl apply plan.json --verify`
  hookctl plan --format json            for a program
  hookctl plan --format text --format markdown=comment.md
  hookctl plan --sample events.jsonl    show the requests for your own events
  hookctl plan --events week.jsonl      count which of these events would be routed differently
  hookctl plan --against origin/main    show what a pull request changes; needs neither state nor secrets
  hookctl plan --only SiemAnomalies     plan only this webhook
  hookctl plan --detailed-exitcode      exit 2 when there are changes
"""


def _against(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Tell the session the revision, before anything loads plugins."""
    if ctx.obj is not None:
        ctx.obj.base = value
    return value


@click.command("plan", epilog=EPILOG)
@format_option("findings", "review")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan, so that exactly this plan can be applied.",
)
@click.option(
    "--sign",
    metavar="KEY",
    callback=key_reference,
    help="Sign the saved plan with this key: a secret reference, such as '${env:HOOKCTL_PLAN_KEY}'.",
)
@only_option
@click.option(
    "--against",
    metavar="REF",
    is_eager=True,  # before --format, which may load plugins
    callback=_against,
    help="Compare with the files of a git revision instead of what is applied.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 if there are changes or a webhook cannot be compared, else 0."
)
@click.option(
    "--sample",
    metavar="FILE",
    type=EventFile(),
    help="Show the requests for the events in FILE instead of the mock event.",
)
@click.option(
    "--events",
    metavar="FILE",
    type=EventFile(),
    help="Count how many of the last 1,000 events would be routed differently, from FILE instead of the store.",
)
@proxy_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    outputs: Outputs,
    out: Path | None,
    sign: str | None,
    only: tuple[str, ...],
    against: str | None,
    detailed_exitcode: bool,
    sample: BinaryIO | None,
    events: BinaryIO | None,
) -> None:
    """Check the webhook files and show what an apply would change.

    Each change is shown with its effects and with the request that it changes, for a sample event; `hookctl explain
    plan` describes how to read them. Nothing is changed or sent, and only the key of --sign is read as a secret. With
    --only, only the files of these webhooks must be free of errors. Exits 1 if a finding or a policy is an error.
    """
    from hookctl.cli.plan_events import read_recent, read_samples
    from hookctl.cli.reports import write_review
    from hookctl.cli.review import review_options
    from hookctl.cli.webhook_files import applied_state, check_files_or_exit, is_anything_applied
    from hookctl.config.review import review_files

    if out and against is not None:
        raise click.UsageError(
            "A plan against a git revision cannot be applied, so --out and --against cannot be combined."
        )
    if sign and not out and ctx.get_parameter_source("sign") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--sign signs the plan that --out saves: hookctl plan --out FILE --sign KEY.")
    session: Session = ctx.obj
    key = signing_key(session, sign) if sign and out else None
    to_stderr, may_be_empty = outputs.printed != "text", lambda: against is not None or is_anything_applied(session)
    checked = check_files_or_exit(
        ctx,
        session,
        outputs,
        only=only,
        warnings_to_stderr=to_stderr,
        may_be_empty=may_be_empty,
        applied=partial(applied_state, session, against),
    )
    options = review_options(
        session,
        only=only,
        against=against,
        samples=read_samples(session, sample) if sample else (),
        recent=read_recent(session, events) if events else None,
    )
    store = session.existing_store() if against is None else None
    review = review_files(checked, session.directory, session.plugins, store, options)
    write_review(ctx, session, outputs, review)
    if review.is_refused:
        ctx.exit(exit_codes.FAILED)
    if out:
        _save(out, review, key, sign)
    if detailed_exitcode and (review.plan.has_changes or not review.is_complete):
        ctx.exit(exit_codes.CHANGES)


def _save(out: Path, review: Review, key: bytes | None, sign: str | None) -> None:
    """Save the plan, and say on standard error how to apply it."""
    from hookctl.cli.plan_file import write_plan
    from hookctl.report.text.plan import plan_json
    from hookctl.report.text.printable import printable

    write_plan(out, "".join(plan_json(review, key=key)))
    verify = f" --verify '{sign}'" if key else ""
    environment = f"--environment {review.plan.environment} " if review.plan.environment else ""
    saved = f"Saved in {out}. Apply exactly this with: hookctl {environment}apply {out}{verify}"
    echo(printable(saved), err=True)
