"""The option of ``plan`` and ``apply`` that narrows them to some webhooks."""

from __future__ import annotations

import click

only_option = click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Plan this webhook alone, and leave all others as they are; may be given several times.",
)
