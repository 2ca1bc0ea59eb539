"""Who sent a request."""

from __future__ import annotations

from dataclasses import dataclass

from hookctl.model.token import Scope, Token

__all__ = ["Identity", "Scope", "identity_of"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request, and what they may do. Handlers find it in ``request.state.identity``."""

    name: str
    """The name of the token, or ``user@host`` of whoever started the server for a session from its one-time link."""
    scopes: frozenset[Scope]
    event_types: frozenset[str] | None = None
    """The event types that it may send; None: every type."""
    token_id: str = ""
    """Empty for a session from the one-time link."""

    def may(self, scope: Scope) -> bool:
        """Whether it has a scope. ``operate`` includes ``read``."""
        return scope in self.scopes or (scope is Scope.READ and Scope.OPERATE in self.scopes)


def identity_of(token: Token) -> Identity:
    """Who shows a token."""
    return Identity(token.name, token.scopes, token.event_types, token.id)
