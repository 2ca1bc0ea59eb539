"""The option of ``plan`` and ``apply`` that limits them to some webhooks."""

from __future__ import annotations

import click

from hookctl.cli.completion import webhook_names

only_option = click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    shell_complete=webhook_names,
    help="Plan only this webhook, and leave all others unchanged; can be given several times.",
)
