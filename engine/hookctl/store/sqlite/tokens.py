"""The tokens in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hookctl.store.tokens import refuse_taken, unknown_token

if TYPE_CHECKING:
    from hookctl.model.token import Token

COMPONENT = "tokens"
SCRIPTS = (
    """
    CREATE TABLE IF NOT EXISTS tokens (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,        -- SHA-256 of the token; the token itself is nowhere
        scopes TEXT NOT NULL,        -- a JSON array
        event_types TEXT,            -- a JSON array; NULL: every type
        signature TEXT NOT NULL,
        secrets TEXT NOT NULL,       -- a JSON array of references, never of secrets
        wrap TEXT NOT NULL,
        created_at REAL NOT NULL,
        created_by TEXT NOT NULL,
        expires_at REAL,
        last_used_at REAL,
        revoked_at REAL,
        revoked_by TEXT NOT NULL DEFAULT ''
    );
    CREATE UNIQUE INDEX IF NOT EXISTS tokens_in_use ON tokens (name) WHERE revoked_at IS NULL;
    """,
)
COLUMNS = (
    "id, name, digest, scopes, event_types, signature, secrets, wrap, created_at, created_by, "
    "expires_at, last_used_at, revoked_at, revoked_by"
)
TOKENS = f"SELECT {COLUMNS} FROM tokens ORDER BY seq"  # noqa: S608 - a constant
ADD = f"INSERT INTO tokens ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - a constant
IN_USE = "SELECT name FROM tokens WHERE revoked_at IS NULL"
REVOKE = "UPDATE tokens SET revoked_at = ?, revoked_by = ? WHERE id = ?"
USED = "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"


def add(connection: sqlite3.Connection, token: Token) -> None:
    """See :meth:`hookctl.store.tokens.Tokens.add_token`; inside the caller's transaction."""
    types = None if token.event_types is None else json.dumps(sorted(token.event_types))
    refuse_taken(token.name, [name for (name,) in connection.execute(IN_USE)])
    scopes = json.dumps(sorted(token.scopes))
    kept = (token.id, token.name, token.digest, scopes, types, token.signature, json.dumps(token.secrets), token.wrap)
    made = (token.created_at, token.created_by, token.expires_at, token.last_used_at)
    connection.execute(ADD, (*kept, *made, token.revoked_at, token.revoked_by))


def read(connection: sqlite3.Connection) -> list[Token]:
    """See :meth:`hookctl.store.tokens.Tokens.tokens`."""
    return [token for row in connection.execute(TOKENS).fetchall() if (token := _token(row)) is not None]


def revoke(connection: sqlite3.Connection, name: str, at: float, who: str) -> Token:
    """See :meth:`hookctl.store.tokens.Tokens.revoke_token`."""
    in_use = {token.name: token for token in read(connection) if token.revoked_at is None}
    if name not in in_use:
        raise unknown_token(name, in_use)
    token = in_use[name]
    connection.execute(REVOKE, (at, who, token.id))
    return replace(token, revoked_at=at, revoked_by=who)


def note_used(connection: sqlite3.Connection, used: Mapping[str, float]) -> None:
    """See :meth:`hookctl.store.tokens.Tokens.note_tokens_used`."""
    connection.executemany(USED, [(at, token_id) for token_id, at in used.items()])


def _token(row: Sequence[object]) -> Token | None:
    """None for a row that is damaged: what cannot be read is not accepted."""
    from hookctl.model.token import Scope, Token

    token_id, name, digest, scopes, types, signature, secrets, wrap, at, by, expires, used, revoked, revoker = row
    texts = (token_id, name, digest, scopes, signature, secrets, wrap, by, revoker)
    times = (expires, used, revoked)
    if not all(isinstance(text, str) for text in texts) or not isinstance(at, int | float):
        return None
    if not all(time is None or isinstance(time, int | float) for time in times):
        return None
    try:
        return Token(
            id=str(token_id),
            name=str(name),
            digest=str(digest),
            scopes=frozenset(map(Scope, _texts(scopes))),
            event_types=None if types is None else frozenset(_texts(types)),
            signature=str(signature),
            secrets=tuple(_texts(secrets)),
            wrap=str(wrap),
            created_at=at,
            created_by=str(by),
            expires_at=_time(expires),
            last_used_at=_time(used),
            revoked_at=_time(revoked),
            revoked_by=str(revoker),
        )
    except ValueError:
        return None


def _texts(value: object) -> list[str]:
    """The texts in a JSON array. Raises ValueError if it is anything else."""
    found = json.loads(str(value))
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("not a list of texts")
    return found


def _time(value: object) -> float | None:
    return value if isinstance(value, int | float) else None
