"""``hookctl unlock``: releases a lock that a killed command left behind."""

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
  hookctl unlock 3f9a01c7      the lock that `hookctl apply` reported
"""


@click.command("unlock", epilog=EPILOG)
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def command(session: Session, lock_id: str) -> None:
    """Release the lock ID on the applied state, which a killed `hookctl apply` left behind.

    Only this lock is released, and not one that someone else has taken since. If its apply is still running, that apply
    ends without applying anything.
    """
    from hookctl.report.text.printable import printable

    store = session.existing_store()
    if store is None:
        raise StateError("the state is not locked", hint="There is no lock to release.")
    echo(printable(f"Released the lock held by {store.break_lock(lock_id)}."))
