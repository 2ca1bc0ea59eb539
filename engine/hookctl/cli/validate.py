"""``hookctl validate``: findings only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EXAMPLES = """
\b
Examples:
  hookctl validate                          check webhooks.d
  hookctl --dir staging validate            check another directory
  hookctl validate --format json            for an editor or a CI step
"""


@click.command("validate", epilog=EXAMPLES)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Text for people, or JSON for machines.")
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Check every webhook file, and say everything that is wrong.

    Files are *.yaml and *.yml in the directory and below it; names that begin with a dot are left out.
    Needs neither network, secrets nor state. Exit code 0 when there is no error, 1 when there is one.
    `hookctl explain RULE` tells more about the rule that a finding names.
    """
    from hookctl.pipeline import check_directory
    from hookctl.report.findings import counted, findings_json_text, findings_text

    session: Session = ctx.obj
    checked = check_directory(session.directory, session.plugins)
    if form == "json":
        click.echo(findings_json_text(checked.findings), nl=False)
    elif checked.findings:
        click.echo(findings_text(checked.findings, color=session.color), nl=False, color=session.color)
    else:
        files = len({webhook.file.path for webhook in checked.webhooks})
        click.echo(f"{counted(len(checked.webhooks), 'webhook')} in {counted(files, 'file')}, and nothing to object to.")
    ctx.exit(exit_codes.OK if checked.valid else exit_codes.FAILED)
