"""The options of every command that dials: ``--connect-to`` and ``--cacert``, as curl has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def network_options(command: Command) -> Command:
    """Adds the parameters ``connect_to: tuple[str, ...]`` and ``cacert: str | None``, to be given to ``Session.network``."""
    connect_to = click.option(
        "--connect-to",
        "connect_to",
        metavar="HOST:443:ADDR:PORT",
        multiple=True,
        envvar="HOOKCTL_CONNECT_TO",
        help="Dial ADDR:PORT for HOST instead; may be given several times.",
    )
    cacert = click.option(
        "--cacert",
        "cacert",
        metavar="FILE",
        envvar="HOOKCTL_CACERT",
        help="Trust the certificate authorities in this PEM file, and no others.",
    )
    return connect_to(cacert(command))
