"""Tokens: what a program shows ``hookctl serve`` to send events, to read, or to operate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "hookctl"
"""What each token begins with, so that people and secret scanners recognise one."""
ID_BYTES = 6
SECRET_BYTES = 32
SIGNATURES = ("github", "standard_webhooks", "stripe")
"""The schemes of the signatures that a token may require."""
NEVER_EVENTS = frozenset({"github", "stripe"})
"""Those of providers whose requests never contain hookctl's events, so that their payload must be wrapped."""


class Scope(StrEnum):
    """What one may do."""

    INTAKE = "intake"
    """Send events."""
    READ = "read"
    """See webhooks, events and deliveries."""
    OPERATE = "operate"
    """Test, replay, cancel, hold and resume. Includes ``read``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the store keeps of a token. The token itself is shown once and kept nowhere."""

    id: str
    """The middle part of the token; not secret."""
    name: str
    digest: str
    """The SHA-256 of the token, in hexadecimal digits."""
    scopes: frozenset[Scope]
    event_types: frozenset[str] | None = None
    """The event types that it may send; None: every type."""
    signature: str = ""
    """The scheme of the signature that each of its requests must have; empty: none."""
    secrets: tuple[str, ...] = ()
    """References to the secrets of the signatures, such as ``${env:GITHUB_SECRET}``. Any of them will do."""
    wrap: str = ""
    """The event type whose ``data`` the body of a request becomes; empty: the body contains events."""
    created_at: float
    """Epoch seconds, as are the other times."""
    created_by: str
    """``user@host``."""
    expires_at: float | None = None
    """None: never."""
    last_used_at: float | None = None
    """None: never. At most some minutes old."""
    revoked_at: float | None = None
    """None: it was not revoked."""
    revoked_by: str = ""

    def is_usable(self, now: float) -> bool:
        """Whether it has neither expired nor been revoked."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_token() -> str:
    """A token: prefix, id and secret, joined by underscores."""
    from secrets import token_hex, token_urlsafe  # slow to import, and few commands need it

    return f"{PREFIX}_{token_hex(ID_BYTES)}_{token_urlsafe(SECRET_BYTES)}"


def token_id(token: str) -> str:
    """The id within a token; empty if the text does not have the form of one."""
    parts = token.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else ""


def token_digest(token: str) -> str:
    """What the store keeps of a token. A quick hash is enough, because the secret is 32 random bytes."""
    from hashlib import sha256

    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
