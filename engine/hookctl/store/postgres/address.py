"""What a URL of a PostgreSQL store says: the server and the database, and the parameters that are hookctl's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hookctl.errors import SettingsError

SCHEME = "postgresql://"
SCHEMA = "hookctl"
NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}", re.ASCII)
OWN: dict[str, re.Pattern[str]] = {
    "schema": NAME,
    "weak_commits": re.compile("allow"),
    "pooler": re.compile("session"),
}
"""The parameters of a URL that are hookctl's, each with the values that it may have. All others are libpq's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is."""

    url: str = field(repr=False)
    """For libpq; may contain a password."""
    schema: str
    """The schema that has the store's tables."""
    allows_weak_commits: bool
    """Whether to use a server that may lose commits which it has acknowledged."""
    allows_pooler: bool
    """Whether to connect through a pooler, which then gives each client a connection of its own."""

    @property
    def name(self) -> str:
        """The store for messages, without user and password."""
        parts = urlsplit(self.url)
        hosts = parts.netloc.rpartition("@")[2] or "the local server"
        return f"{parts.path.lstrip('/') or 'the default database'} on {hosts}, schema {self.schema}"


def parse(url: str) -> Address:
    """The address in a URL such as ``postgresql://user@host/database?schema=hookctl``. Raises SettingsError."""
    if not url.startswith(SCHEME):
        raise SettingsError(
            "the store's URL does not name a PostgreSQL server",
            hint="Write postgresql://USER@HOST/DATABASE.",
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SettingsError(f"the store's URL cannot be read: {error}", hint="Percent-encode [ and ].") from error
    given = parse_qsl(parts.query, keep_blank_values=True)
    own = {name: value for name, value in given if name in OWN}
    for name, value in own.items():
        if not OWN[name].fullmatch(value):
            raise SettingsError(
                f"the store's URL has {name}={value[:60]}, which is not valid",
                hint="`hookctl explain postgres` lists the parameters.",
            )
    rest = urlencode([(name, value) for name, value in given if name not in OWN])
    return Address(
        urlunsplit(parts._replace(query=rest)),
        own.get("schema", SCHEMA),
        allows_weak_commits="weak_commits" in own,
        allows_pooler="pooler" in own,
    )
