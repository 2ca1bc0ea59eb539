"""What a URL of a PostgreSQL store says: the server and the database, and the parameters that are hookctl's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from hookctl.errors import SettingsError
from hookctl.store.postgres.url_form import refuse_special

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
        given = dict(_parameters(parts.query))
        if "service" in given:
            return f"of the service {given['service']}, schema {self.schema}"
        database = unquote(parts.path.lstrip("/")) or given.get("dbname") or "the default database"
        host = unquote(parts.netloc.rpartition("@")[2]) or given.get("host") or "the default server"
        return f"{database} on {host}, schema {self.schema}"


def parse(url: str) -> Address:
    """The address in a URL such as ``postgresql://user@host/database?schema=hookctl``. Raises SettingsError."""
    if not url.startswith(SCHEME):
        raise SettingsError(
            "the store's URL does not name a PostgreSQL server",
            hint="Write postgresql://USER@HOST/DATABASE.",
        )
    refuse_special(url)
    try:
        query = urlsplit(url).query
    except ValueError as error:
        raise SettingsError(f"the store's URL cannot be read: {error}", hint="Percent-encode [ and ].") from error
    own = {name: value for name, value in _parameters(query) if name in OWN}
    for name, value in own.items():
        if not OWN[name].fullmatch(value):
            raise SettingsError(
                f"the store's URL has {name}={value[:60]}, which is not valid",
                hint="`hookctl explain postgres` lists the parameters.",
            )
    # libpq gets everything else as it is written: it decodes neither + nor what urlunsplit makes of an empty host.
    rest = "&".join(part for part in query.split("&") if part and part.partition("=")[0] not in OWN)
    return Address(
        url.partition("?")[0] + (f"?{rest}" if rest else ""),
        own.get("schema", SCHEMA),
        allows_weak_commits="weak_commits" in own,
        allows_pooler="pooler" in own,
    )


def _parameters(query: str) -> list[tuple[str, str]]:
    """The parameters of a URL, decoded."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, unquote(value)) for name, _, value in pairs]
