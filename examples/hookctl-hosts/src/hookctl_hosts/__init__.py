"""A plugin for hookctl: the command ``hosts``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from hookctl.plugin import hookimpl

if TYPE_CHECKING:
    from hookctl.cli.session import Session


@click.command("hosts")
@click.option("--applied", is_flag=True, help="Show the hosts of what is applied, instead of the files'.")
@click.pass_obj
def hosts(session: Session, applied: bool) -> None:
    """Show every host that active webhooks send to.

    Each line is a host and the webhooks that send to it, for example to write the rules of a firewall.
    """
    urls = _applied(session) if applied else _written(session)
    by_host: dict[str, list[str]] = {}
    for name, url in sorted(urls.items()):
        by_host.setdefault(urlsplit(url).hostname or url, []).append(name)
    for host, names in sorted(by_host.items()):
        click.echo(f"{host}: {', '.join(names)}")


def _written(session: Session) -> dict[str, str]:
    """The URLs in the files, by the names of active webhooks. Raises InvalidFilesError if the files have errors."""
    import hookctl

    checked = hookctl.check_directory(session.directory, session.plugins)
    if not checked.valid:
        raise hookctl.InvalidFilesError(checked.findings)
    return {plan.name: plan.url for plan in checked.plans.values() if plan.status == "active"}


def _applied(session: Session) -> dict[str, str]:
    """The URLs that are applied, by the names of active webhooks."""
    store = session.existing_store()
    plans = store.read_state().plans.values() if store else ()
    return {plan.name: plan.url for plan in plans if plan.status == "active"}


@hookimpl
def hookctl_commands() -> Iterable[click.Command]:
    """The command, which `hookctl --help` lists."""
    return [hosts]
