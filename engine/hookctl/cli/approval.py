"""Asks for approval on the terminal."""

from __future__ import annotations

import sys

import click

from hookctl.cli.echo import echo
from hookctl.errors import StateError


def approved(question: str, *, hint: str, wanted: str = "yes") -> bool:
    """Whether the user answers ``wanted``. ``question`` has no line breaks.

    Raises StateError, with the hint, if standard input is not a terminal, and click.Abort at its end.
    """
    if not sys.stdin.isatty():
        raise StateError("cannot ask for approval: standard input is not a terminal", hint=hint)
    # Not click.prompt: input() drops a Ctrl-C that comes while it writes the question.
    echo(f"\n{question} Only '{wanted}' is accepted: ", nl=False, err=True)
    answer = sys.stdin.buffer.readline()
    if not answer:
        raise click.Abort
    return answer.rstrip(b"\r\n") == wanted.encode()
