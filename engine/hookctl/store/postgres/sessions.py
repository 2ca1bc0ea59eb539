"""What every session with the server has set, and text as it can store it: without NUL and halves of characters."""

from __future__ import annotations

import psycopg
from psycopg.adapt import Dumper

SETTINGS = {
    "client_min_messages": "warning",
    "default_transaction_isolation": r"read\ committed",
    "extra_float_digits": "1",
    "timezone": "UTC",
}
"""What a role, a database or the environment may have set in another way."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class PlainTextDumper(Dumper):
    """Writes the replacement character for NUL, as ``arrays.py`` does, and a question mark for half of a character.

    psycopg would refuse the statement: whoever looks for such an id would get an error instead of no result.
    """

    def dump(self, obj: str) -> bytes:
        """The text in UTF-8, which every connection uses."""
        encoded = obj.encode(errors="replace")
        return encoded.replace(b"\0", REPLACEMENT) if b"\0" in encoded else encoded


def use_plain_text(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Write every text on a connection so."""
    connection.adapters.register_dumper(str, PlainTextDumper)
