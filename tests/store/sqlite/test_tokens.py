"""Damage to the tokens in the SQLite store: what cannot be read is not accepted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hookctl.model.token import Scope, Token
from hookctl.store.sqlite.store import SqliteStore

DAMAGE: dict[str, list[object]] = {
    "scopes": ["[]x", '["admin"]', '"read"', 7],
    "event_types": ['{"order": 1}', "[1]", "x"],
    "secrets": ["x", "[null]"],
    "expires_at": ["never", b"\x00"],
    "revoked_at": ["x"],
    "digest": [b"\xff\xfe"],
}


@pytest.mark.parametrize(("column", "value"), [(column, value) for column in DAMAGE for value in DAMAGE[column]])
def test_a_damaged_token_is_left_out(tmp_path: Path, column: str, value: object) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    for name in ("bad", "good"):
        scopes = frozenset({Scope.READ})
        store.add_token(Token(id=name, name=name, digest="d", scopes=scopes, created_at=1.0, created_by="a@b"))
    connection = sqlite3.connect(tmp_path / "hookctl.db")
    with connection:
        connection.execute(f"UPDATE tokens SET {column} = ? WHERE name = 'bad'", (value,))  # noqa: S608
    connection.close()
    assert [token.name for token in store.tokens()] == ["good"]
    store.close()
