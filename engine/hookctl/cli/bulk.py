"""Bulk actions on deliveries: what they would change is shown and confirmed, and what they change is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hookctl.cli.approval import approved
from hookctl.cli.echo import echo
from hookctl.cli.locking import who
from hookctl.cli.terminal import text_width

if TYPE_CHECKING:
    from hookctl.model import Delivery
    from hookctl.store.history import AuditEntry

Command = TypeVar("Command", bound=Callable[..., Any])

yes_option = click.option("--yes", is_flag=True, help="Do it without asking for confirmation.")
reason_option = click.option("--reason", metavar="TEXT", help="Why, for `hookctl log`.")


def confirmed(count: str, sample: str, question: str, *, yes: bool) -> bool:
    """Show how many deliveries are meant, and some of them, and ask, unless ``--yes`` was given.

    Raises StateError if there is no terminal to ask on.
    """
    echo(f"{count}\n{sample}", err=True, nl=False)
    return yes or approved(question, hint="Check what is listed above, then add --yes to the same command.")


def confirmed_deliveries(found: Sequence[Delivery], action: str, *, has_more: bool, yes: bool, color: bool) -> bool:
    """The same for deliveries, newest first. ``action`` is a verb with a capital letter, such as ``Replay``."""
    from hookctl.delivery.past.bulk import SAMPLE
    from hookctl.model.quantities import counted
    from hookctl.report.text.deliveries import render_table

    count = f"{counted(len(found), 'delivery', 'deliveries')} selected"
    if has_more:
        count = f"The newest {len(found):,} of more deliveries selected; run the same command again for the rest"
    first = f", the newest {SAMPLE} of them" if len(found) > SAMPLE else ""
    table = render_table(found[:SAMPLE], width=text_width(err=True), color=color)
    what = "it" if len(found) == 1 else f"these {len(found):,} deliveries"
    return confirmed(f"{count}{first}:", table, f"{action} {what}?", yes=yes)


def audit_entry(action: str, what: str, reason: str | None) -> AuditEntry:
    """The entry of the audit log for one command that is about to change deliveries."""
    from hookctl.delivery.past import bulk

    return bulk.audit_entry(who(), action, what, reason)
