"""What a store keeps for ``hookctl serve``: the tokens that it accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

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
