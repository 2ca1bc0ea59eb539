"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from hookctl.cli.completion import event_types, webhook_names
from hookctl.cli.session import Session

Command = TypeVar("Command", bound=Callable[..., object])

only_option = click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    shell_complete=webhook_names,
    help="Plan only this webhook, and leave all others unchanged; can be given several times.",
)
"""``plan`` and ``apply`` narrowed to some webhooks: the parameter ``only: tuple[str, ...]``."""


event_type_option = click.option(
    "--event-type",
    metavar="TYPE",
    shell_complete=event_types,
    help="Use the mock event of this type, of a webhook that receives several.",
)
"""The parameter ``event_type: str | None``."""


def limit_option(most: int) -> Callable[[Command], Command]:
    """``--limit``, from 1 to ``most``, of a command that lists the newest first: the parameter ``limit: int``."""
    return click.option(
        "--limit",
        type=click.IntRange(1, most),
        default=50,
        show_default=True,
        help="Show at most this many, the newest ones.",
    )


def network_options(command: Command) -> Command:
    """Add ``--connect-to`` and ``--cacert``, as curl has them, and ``--proxy`` to a command that dials.

    It gets the parameters ``connect_to: tuple[str, ...]`` and ``cacert: str | None``, which ``Session.network`` takes.
    The session itself remembers the proxy.
    """
    connect_to = click.option(
        "--connect-to",
        "connect_to",
        metavar="HOST:443:ADDR:PORT",
        multiple=True,
        envvar="HOOKCTL_CONNECT_TO",
        help="Connect to ADDR:PORT instead of HOST; can be given several times.",
    )
    cacert = click.option(
        "--cacert",
        "cacert",
        metavar="FILE",
        envvar="HOOKCTL_CACERT",
        help="Trust only the certificate authorities in this PEM file.",
    )
    return connect_to(cacert(proxy_option(command)))


def _remember_proxy(ctx: click.Context, _: click.Parameter, given: str | None) -> None:
    if given and isinstance(ctx.obj, Session):  # a shell that completes a command line has no session
        ctx.obj.given_proxy = given


proxy_option = click.option(
    "--proxy",
    metavar="URL",
    envvar="HOOKCTL_PROXY",
    expose_value=False,
    callback=_remember_proxy,
    help="The HTTP proxy that requests go through: http://HOST:PORT or https://HOST:PORT.",
)
"""The proxy, for ``Session.proxy`` and ``Session.network``; a command has no parameter for it."""
