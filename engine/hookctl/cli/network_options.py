"""The options of every command that connects to targets: ``--connect-to`` and ``--cacert``, as in curl."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def network_options(command: Command) -> Command:
    """Add the parameters ``connect_to: tuple[str, ...]`` and ``cacert: str | None``, for ``Session.network``."""
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
    return connect_to(cacert(command))
