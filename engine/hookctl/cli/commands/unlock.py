"""``hookctl unlock``: breaks a lock that nobody gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl unlock 3f9a01c7      the lock that a refused `hookctl apply` named
"""


@click.command("unlock", epilog=EPILOG)
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def command(session: Session, lock_id: str) -> None:
    """Break the lock ID on the applied state, which a killed apply has left behind.

    Only that lock is broken, so not one that somebody has taken since you read its id. If its apply still runs after all, it ends
    without applying anything.
    """
    from hookctl.report.text.printable import printable

    store = session.existing_store()
    if store is None:
        raise StateError("the state is not locked", hint="There is nothing to break.")
    echo(printable(f"Broken: the lock of {store.break_lock(lock_id)}."))
