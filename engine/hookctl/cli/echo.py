"""Prints text. Every command prints through here, so that no CI system obeys a command in the text."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from hookctl.cli.terminal import text_width
from hookctl.report.text.columns import fitted
from hookctl.report.text.printable import inert


def echo(text: str, *, err: bool = False, nl: bool = True, color: bool | None = None, fit: bool = True) -> None:
    """Print to standard output, or with ``err`` to standard error, escaped by ``printable.inert``.

    With ``fit``, lines that are wider than the terminal are wrapped.
    """
    if fit:
        text = fitted(text, text_width(err=err))
    # With the stream named: click would replace an ASCII stream by one of its own, whose errors would not be reported.
    click.echo(inert(text), file=sys.stderr if err else sys.stdout, nl=nl, color=color)


def echo_lines(lines: Iterable[str]) -> None:
    """Print plain lines to standard output in one write, as :func:`echo` does without ``fit``.

    click would look at the stream for each of them, which takes longer than writing it.
    """
    sys.stdout.write(inert("".join([f"{line}\n" for line in lines])))
    sys.stdout.flush()
