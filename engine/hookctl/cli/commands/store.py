"""``hookctl store``: creates, upgrades and copies stores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.cli.groups import SuggestingGroup
from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.store.interface import Store

EPILOG = """
\b
Examples:
  hookctl --store postgresql://hookctl@db/hookctl store init       create the tables
  hookctl --store postgresql://hookctl@db/hookctl store upgrade    after an upgrade of hookctl
  hookctl store copy sqlite:///.hookctl/hookctl.db postgresql://hookctl@db/hookctl
"""

INIT_EPILOG = """
\b
Examples:
  hookctl --store postgresql://hookctl@db/hookctl store init
  hookctl --store 'postgresql://hookctl@db/hookctl?schema=staging' store init    another store in the same database
  hookctl --environment production store init                                    the store of an environment
"""
UPGRADE_EPILOG = """
\b
Examples:
  hookctl --store postgresql://hookctl@db/hookctl store upgrade
  hookctl --environment production store upgrade    the store of an environment
"""
COPY_EPILOG = """
\b
Examples:
  hookctl store copy sqlite:///.hookctl/hookctl.db postgresql://hookctl@db/hookctl
  hookctl store copy postgresql://hookctl@db/hookctl sqlite:////var/lib/hookctl/hookctl.db    and back
"""


@click.group("store", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Create, upgrade and copy stores.

    hookctl creates a store when it first needs it, and upgrades SQLite files by itself. Only `store upgrade` upgrades a
    store on PostgreSQL, because processes on other machines may use it.
    """


@command.command("init", epilog=INIT_EPILOG)
@click.pass_obj
def init(session: Session) -> None:
    """Create the tables of the store, if there are none."""
    from hookctl.store.opening import initialize

    echo(f"{initialize(session.store_url, session.store_types).capitalize()}.")


@command.command("upgrade", epilog=UPGRADE_EPILOG)
@click.pass_obj
def upgrade(session: Session) -> None:
    """Upgrade the tables of the store to this version of hookctl.

    Older versions refuse the store afterwards.
    """
    from hookctl.store.opening import upgrade as run

    echo(f"{run(session.store_url, session.store_types).capitalize()}.")


@command.command("copy", epilog=COPY_EPILOG)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.pass_obj
def copy(session: Session, source: str, target: str) -> None:
    """Copy the store FROM to the store TO, both given as URLs.

    Everything is copied: webhooks, events, deliveries, attempts, the log and tokens, each with its id. First stop
    every process that uses one of the two stores. If the copy is interrupted, run the same command again: it continues
    where it stopped.
    """
    from hookctl.model.quantities import counted
    from hookctl.store.copying import copy_store

    first = _open(session, source, create=False)
    try:
        second = _open(session, target, create=True)
        try:
            copied = copy_store(first, second, partial(_show, session))
        finally:
            second.close()
    finally:
        session.progress.clear()
        first.close()
    events, attempts = counted(copied.get("events", 0), "event"), counted(copied.get("attempts", 0), "attempt")
    deliveries = counted(copied.get("deliveries", 0), "delivery", "deliveries")
    echo(f"Copied {events}, {deliveries} and {attempts}.")


def _show(session: Session, part: str, number: int) -> None:
    session.progress.update(lambda: f"Copying {part.replace('_', ' ')}: {number:,}")


def _open(session: Session, url: str, *, create: bool) -> Store:
    from hookctl.store.opening import NO_TYPES, has_built_in_scheme, open_store

    types = NO_TYPES if has_built_in_scheme(url) else session.plugins.stores
    store = open_store(url, create=create, types=types)
    if store is None:
        raise StateError("the store to copy from does not exist", hint="Check the first URL, FROM.")
    return store
