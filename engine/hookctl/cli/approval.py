"""Asks for approval on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.model import Repair

ASK_HINT = "Review the plan, then add --auto-approve to the same command."


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


def auto_approved() -> bool:
    """The answer of ``--auto-approve``."""
    return True


def asking(session: Session, heal: Sequence[Repair], *, auto_approve: bool) -> Callable[[], bool]:
    """What decides whether a plan is applied. A protected environment asks for its name instead of yes.

    ``--auto-approve`` counts there only if the command names the environment. ``heal`` is what is replayed, too.

    Raises StateError for an automatic approval in a protected environment that nobody named.
    """
    environment = session.environment
    if auto_approve:
        if environment.protected and session.given_environment != environment.name:
            raise StateError(
                f"the environment {environment.name} is protected, so --auto-approve alone does not apply to it",
                hint=f"Review the plan, then name the environment: --environment {environment.name}.",
            )
        return auto_approved
    return partial(_approved, environment.name if environment.protected else "", heal)


def _approved(protected: str, heal: Sequence[Repair]) -> bool:
    """Ask whether to apply. ``protected`` is the name that must be typed; empty for yes."""
    from hookctl.model.quantities import counted

    replay = f", and replay {counted(len(heal), 'delivery', 'deliveries')}" if heal else ""
    if protected:
        question = f"To apply this{replay}, type the name of the protected environment."
        hint = f"Review the plan, then add --auto-approve and --environment {protected} to the same command."
        return approved(question, hint=hint, wanted=protected)
    return approved(f"Do you want to apply this{replay}?", hint=ASK_HINT)
