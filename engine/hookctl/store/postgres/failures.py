"""What errors of psycopg mean for a store, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from hookctl.errors import StateLockedError, StoreError
from hookctl.store.postgres.address import Address

LOST = ("08", "57P", "25006", "26000")
"""What the codes of errors begin with that say the connection is of no more use: it ended, the server is no longer the
primary, or statements that psycopg believes to be prepared are not, as after an error while several were sent."""
REACH = (
    "Check that the server runs and accepts this host, and the host, port, database, user and password in the URL or "
    "in the environment. psql shows the same error for the same URL, without `schema`, `weak_commits` and `pooler`."
)
RIGHTS = "Connect as the user that owns the tables: `hookctl explain postgres` lists the rights that hookctl needs."


def is_lost(error: psycopg.Error) -> bool:
    """Whether an error means that the connection cannot be used any more."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(LOST)


@contextmanager
def errors_as_store_errors(address: Address) -> Iterator[None]:
    """Raise what psycopg raises inside the block as StoreError or StateLockedError."""
    where = f"the store {address.name}"
    try:
        yield
    except psycopg.Error as error:
        why = " ".join((error.diag.message_primary or str(error)).split()) or type(error).__name__
        if error.sqlstate in {"55P03", "57014", "40P01", "40001"}:
            raise StateLockedError(
                f"{where} is busy: {why}",
                hint="Try again. `hookctl doctor` lists long transactions that are in the way.",
            ) from error
        if error.sqlstate == "53100":
            raise StoreError(f"{where} is full: {why}", hint="Free disk space on the server.") from error
        if error.sqlstate == "42501":
            raise StoreError(f"{where} cannot be used: {why}", hint=RIGHTS) from error
        if error.sqlstate is None or is_lost(error):
            raise StoreError(f"{where} cannot be reached: {why}", hint=REACH) from error
        raise StoreError(f"{where} cannot be used: {why}", hint="`hookctl doctor` checks it.") from error
