"""A plugin for hookctl: the command ``hosts``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from hookctl.plugin import hookimpl

if TYPE_CHECKING:
    from hookctl.cli.session import Session


@click.command("hosts")
@click.pass_obj
def command(session: Session) -> None:
    """Show who owns which webhook."""
    import hookctl

    for webhook in hookctl.check_directory(session.directory, session.plugins).webhooks.values():
        labels = webhook.fields.get("labels")
        owner = labels.get("owner") if isinstance(labels, dict) else None
        click.echo(f"{webhook.name}: {owner or 'nobody'}")


@hookimpl
def hookctl_commands() -> Iterable[click.Command]:
    """The command, which `hookctl --help` lists."""
    return [command]
