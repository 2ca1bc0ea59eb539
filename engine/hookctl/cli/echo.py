"""Prints text: the one way for every command, so that nothing in it is a command to a CI system."""

from __future__ import annotations

import sys

import click

from hookctl.report.text.printable import inert


def echo(text: str, *, err: bool = False, nl: bool = True, color: bool | None = None) -> None:
    """Print to standard output, or with ``err`` to standard error, changed as ``hookctl.report.text.printable.inert`` says."""
    # Named, since click would else put a stream of its own in place of one in ASCII, whose errors nobody turns into a message.
    click.echo(inert(text), file=sys.stderr if err else sys.stdout, nl=nl, color=color)
