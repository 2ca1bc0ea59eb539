"""What every store does with the tokens of ``hookctl serve``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hookctl.errors import StateError
from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.store.history import AuditEntry
from hookctl.store.interface import Store

NOW = 1_800_000_000.0


def make(name: str, at: float = NOW) -> Token:
    text = new_token()
    return Token(
        id=token_id(text),
        name=name,
        digest=token_digest(text),
        scopes=frozenset({Scope.INTAKE, Scope.READ}),
        event_types=frozenset({"order", "refund"}),
        signature="stripe",
        secrets=("${env:NEW}", "${env:OLD}"),
        wrap="order",
        created_at=at,
        created_by="ada@laptop",
        expires_at=at + 60,
    )


def test_tokens_are_read_back_as_they_were_added_oldest_first(open_store: Callable[[], Store]) -> None:
    full, plain = make("shop"), replace(make("ada"), event_types=None, secrets=(), signature="", expires_at=None)
    store = open_store()
    assert store.tokens() == []
    store.add_token(full)
    store.add_token(plain)
    assert open_store().tokens() == [full, plain]


def test_a_name_is_free_again_once_its_token_was_revoked(store: Store) -> None:
    first, second = make("shop"), make("shop")
    store.add_token(first)
    with pytest.raises(StateError, match="there is a token 'shop' already"):
        store.add_token(second)
    revoked = store.revoke_token("shop", NOW + 5, "bob@laptop")
    assert revoked == replace(first, revoked_at=NOW + 5, revoked_by="bob@laptop")
    store.add_token(second)
    assert store.tokens() == [revoked, second]
    assert store.log(10) == []
    assert store.revoke_token("shop", NOW + 6, "bob@laptop").id == second.id


def test_what_was_done_is_in_the_log_and_what_failed_is_not(store: Store) -> None:
    def entry(action: str) -> AuditEntry:
        return AuditEntry(id=f"{action}-{len(store.log(10))}", at=NOW, who="ada", action=action, what="shop")

    store.add_token(make("shop"), entry("create token"))
    store.revoke_token("shop", NOW, "ada", entry("revoke token"))
    with pytest.raises(StateError):
        store.revoke_token("shop", NOW, "ada", entry("revoke token"))
    store.record(entry("test"))
    found = [(one.action, one.what, one.who, one.deliveries) for one in store.log(10)]
    assert found == [(action, "shop", "ada", 0) for action in ("test", "revoke token", "create token")]


def test_what_is_not_there_cannot_be_revoked(store: Store) -> None:
    store.add_token(make("shop"))
    store.revoke_token("shop", NOW, "bob@laptop")
    with pytest.raises(StateError, match="no token 'shop'"):
        store.revoke_token("shop", NOW, "bob@laptop")
    store.add_token(make("shop"))
    with pytest.raises(StateError) as error:
        store.revoke_token("shopp", NOW, "bob@laptop")
    assert "Did you mean 'shop'?" in error.value.hint


def test_the_last_use_never_goes_back(store: Store) -> None:
    token = make("shop")
    store.add_token(token)
    store.note_tokens_used({token.id: NOW + 9, "unknown": NOW})
    store.note_tokens_used({token.id: NOW + 3})
    assert store.tokens() == [replace(token, last_used_at=NOW + 9)]


def test_a_token_ends_when_it_expires_or_is_revoked() -> None:
    token = make("shop")
    assert token.is_usable(NOW + 59.9)
    assert not token.is_usable(NOW + 60)
    assert not replace(token, revoked_at=NOW).is_usable(NOW)
    assert replace(token, expires_at=None).is_usable(NOW * 2)


@pytest.mark.parametrize("text", ["", "hookctl", "hookctl_a", "other_a_b", "é_x_y", "hookctl_a_\udc80"])
def test_what_is_not_a_token_has_an_id_that_no_token_has(text: str) -> None:
    assert token_id(text) in {"", "a"}
    assert len(token_digest(text)) == 64
