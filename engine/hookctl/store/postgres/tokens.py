"""The tokens in the PostgreSQL store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hookctl.store.postgres import audit as audit_log
from hookctl.store.postgres.connection import Connection
from hookctl.store.tokens import refuse_taken, unknown_token

if TYPE_CHECKING:
    from hookctl.model.token import Token
    from hookctl.store.history import AuditEntry

COLUMNS = (
    "id, name, digest, scopes, event_types, signature, secrets, wrap, created_at, created_by, "
    "expires_at, last_used_at, revoked_at, revoked_by"
)
TOKENS = f"SELECT {COLUMNS} FROM tokens ORDER BY seq"  # noqa: S608 - a constant
ADD = f"""
    INSERT INTO tokens ({COLUMNS})
    VALUES (%s, %s, %s, %s::text[], %s::text[], %s, %s::text[], %s, %s, %s, %s, %s, %s, %s)
"""  # noqa: S608 - a constant
REVOKE = "UPDATE tokens SET revoked_at = %s, revoked_by = %s WHERE id = %s"
USED = "UPDATE tokens SET last_used_at = greatest(coalesce(last_used_at, 0), %s) WHERE id = %s"


def add(connection: Connection, token: Token, audit: AuditEntry | None) -> None:
    """See :meth:`hookctl.store.tokens.Tokens.add_token`; inside the caller's transaction."""
    rows = connection.execute("SELECT name FROM tokens WHERE revoked_at IS NULL").fetchall()
    refuse_taken(token.name, [name for (name,) in rows])
    types = None if token.event_types is None else sorted(token.event_types)
    kept = (token.id, token.name, token.digest, sorted(token.scopes), types, token.signature, [*token.secrets])
    made = (token.wrap, token.created_at, token.created_by, token.expires_at, token.last_used_at)
    connection.execute(ADD, (*kept, *made, token.revoked_at, token.revoked_by))
    audit_log.record(connection, audit, 0)


def read(connection: Connection) -> list[Token]:
    """See :meth:`hookctl.store.tokens.Tokens.tokens`."""
    return [token for row in connection.execute(TOKENS).fetchall() if (token := _token(row)) is not None]


def revoke(connection: Connection, name: str, at: float, who: str, audit: AuditEntry | None) -> Token:
    """See :meth:`hookctl.store.tokens.Tokens.revoke_token`; inside the caller's transaction."""
    in_use = {token.name: token for token in read(connection) if token.revoked_at is None}
    if name not in in_use:
        raise unknown_token(name, in_use)
    token = in_use[name]
    connection.execute(REVOKE, (at, who, token.id))
    audit_log.record(connection, audit, 0)
    return replace(token, revoked_at=at, revoked_by=who)


def note_used(connection: Connection, used: Mapping[str, float]) -> None:
    """See :meth:`hookctl.store.tokens.Tokens.note_tokens_used`; inside the caller's transaction."""
    for token_id, at in sorted(used.items()):
        connection.execute(USED, (at, token_id))


def _token(row: Sequence[Any]) -> Token | None:
    """None for a row that is damaged: what cannot be read is not accepted."""
    from hookctl.model.token import Scope, Token

    token_id, name, digest, scopes, types, signature, secrets, wrap, at, by, expires, used, revoked, revoker = row
    try:
        return Token(
            id=token_id,
            name=name,
            digest=digest,
            scopes=frozenset(map(Scope, scopes)),
            event_types=None if types is None else frozenset(types),
            signature=signature,
            secrets=tuple(secrets),
            wrap=wrap,
            created_at=at,
            created_by=by,
            expires_at=expires,
            last_used_at=used,
            revoked_at=revoked,
            revoked_by=revoker,
        )
    except ValueError:
        return None
