"""``hookctl validate``: checks the webhook files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.failure import report_error
from hookctl.cli.formats import Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EXAMPLES = """
\b
Examples:
  hookctl validate                          check webhooks.d
  hookctl --dir staging validate            check another directory
  hookctl validate --format json            for an editor or a program
  hookctl validate --format github          annotate the code, in GitHub Actions
  hookctl validate --format text --format sarif=findings.sarif
"""


@click.command("validate", epilog=EXAMPLES)
@format_option("findings")
@click.pass_context
def command(ctx: click.Context, outputs: Outputs) -> None:
    """Check every webhook file and all settings in hookctl.toml, and report every problem at once.

    Webhook files are *.yaml and *.yml in the directory and below it, except names that begin with a dot. It needs no
    network, secrets or state. What a policy says about a change is reported by `hookctl plan`. Exits 1 if there is an
    error. `hookctl explain RULE` explains the rule that a finding names.
    """
    from hookctl.cli.reports import write_findings
    from hookctl.cli.safety import settings_errors
    from hookctl.cli.webhook_files import check_files
    from hookctl.model.quantities import counted

    session: Session = ctx.obj
    checked = check_files(session)
    nothing = f"{counted(checked.count, 'webhook')} in {counted(len(checked.files), 'file')}, no problems found."
    write_findings(ctx, session, outputs, checked.findings, nothing, ignored=checked.ignored)
    errors = settings_errors(session)
    for error in errors:
        report_error(error)
    ctx.exit(exit_codes.OK if checked.valid and not errors else exit_codes.FAILED)
