"""``hookctl validate``: findings only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.formats import ALL, Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EXAMPLES = """
\b
Examples:
  hookctl validate                          check webhooks.d
  hookctl --dir staging validate            check another directory
  hookctl validate --format json            for an editor or a program
  hookctl validate --format github          beside the code, in GitHub Actions
  hookctl validate --format text --format sarif=findings.sarif
"""


@click.command("validate", epilog=EXAMPLES)
@format_option(*ALL)
@click.pass_context
def command(ctx: click.Context, outputs: Outputs) -> None:
    """Check every webhook file, and the policies of hookctl.toml, and say everything that is wrong.

    Files are *.yaml and *.yml in the directory and below it; names that begin with a dot are left out.
    Needs neither network, secrets nor state. Exit code 0 when there is no error, 1 when there is one.
    `hookctl explain RULE` tells more about the rule that a finding names.
    """
    from hookctl.cli.safety import check_policy_tables
    from hookctl.cli.webhook_files import check_files, write_findings
    from hookctl.model.quantities import counted

    session: Session = ctx.obj
    checked = check_files(session)
    nothing = f"{counted(checked.count, 'webhook')} in {counted(len(checked.files), 'file')}, no problems found."
    write_findings(ctx, session, outputs, checked.findings, nothing)
    check_policy_tables(session)
    ctx.exit(exit_codes.OK if checked.valid else exit_codes.FAILED)
