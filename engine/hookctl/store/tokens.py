"""What a store keeps for ``hookctl serve``: the tokens that it accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from hookctl.errors import StateError
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from hookctl.model.token import Token
    from hookctl.store.history import AuditEntry


class Tokens(Protocol):
    """Tokens, by name. A name is free again once its token was revoked."""

    def add_token(self, token: Token, audit: AuditEntry | None = None) -> None:
        """Add a token, and record ``audit`` in the same commit.

        Raises StateError if one with this name exists and was not revoked.
        """
        ...

    def tokens(self) -> list[Token]:
        """Every token, also those that expired or were revoked, oldest first. Damaged ones are left out."""
        ...

    def revoke_token(self, name: str, at: float, who: str, audit: AuditEntry | None = None) -> Token:
        """Revoke a token, record ``audit`` in the same commit, and return the token as it is now.

        Raises StateError if there is none that is not revoked.
        """
        ...

    def note_tokens_used(self, used: Mapping[str, float]) -> None:
        """Record when tokens were last used, by id, in epoch seconds. Times before the recorded ones are ignored."""
        ...


def refuse_taken(name: str, in_use: Iterable[str]) -> None:
    """Raise StateError if a token that was not revoked has this name."""
    if name in in_use:
        raise StateError(
            f"there is a token {name!r} already",
            hint="Choose another name, or revoke that one: hookctl tokens revoke NAME.",
        )


def unknown_token(name: str, in_use: Iterable[str]) -> StateError:
    """The error for a name that no token has which could be revoked."""
    near = nearest(name, in_use)
    hint = f"Did you mean {near[0]!r}?" if near else "`hookctl tokens list` shows the tokens."
    return StateError(f"there is no token {name!r} that could be revoked", hint=hint)
