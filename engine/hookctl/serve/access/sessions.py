"""Browser sessions, and the one-time link that starts one. They are only in memory: a restart ends them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.serve.access.identity import Identity

IDLE_SECONDS = 2 * 3600
MAX_SECONDS = 12 * 3600
MOST = 1000
"""Sessions at the same time. The one that was idle for longest makes room for a new one."""
LINK_SECONDS = 600


@dataclass(slots=True)
class Session:
    """A browser that has signed in."""

    identity: Identity
    csrf: str
    """What each form must contain."""
    started_at: float
    """On the monotonic clock."""
    used_at: float


class Sessions:
    """The sessions. They belong to the event loop."""

    def __init__(self) -> None:
        self._sessions: dict[bytes, Session] = {}
        """By the hash of the cookie, the one that was idle for longest first."""

    def start(self, identity: Identity) -> tuple[str, Session]:
        """A new session, and the value of its cookie."""
        now = time.monotonic()
        for key in [key for key, session in self._sessions.items() if _is_over(session, now)]:
            del self._sessions[key]
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]
        cookie = token_urlsafe(32)
        session = Session(identity, token_urlsafe(32), now, now)
        self._sessions[_key(cookie)] = session
        return cookie, session

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie, which counts as used now; None if it is over."""
        now, key = time.monotonic(), _key(cookie)
        session = self._sessions.pop(key, None)
        if session is None or _is_over(session, now):
            return None
        session.used_at = now
        self._sessions[key] = session  # the last one
        return session

    def end(self, cookie: str) -> None:
        """End the session of a cookie, if there is one."""
        self._sessions.pop(_key(cookie), None)


class Link:
    """The one-time link. A new one replaces the one before. May be used on any thread."""

    def __init__(self) -> None:
        self._current: tuple[bytes, float] | None = None

    def renew(self) -> str:
        """The secret of a new link, which can be used once and for ten minutes."""
        code = token_urlsafe(32)
        self._current = _key(code), time.monotonic() + LINK_SECONDS
        return code

    def use(self, code: str) -> bool:
        """Whether the secret is that of the current link, which then ends."""
        current = self._current
        if current is None or time.monotonic() > current[1] or not compare_digest(current[0], _key(code)):
            return False
        self._current = None
        return True


def _is_over(session: Session, now: float) -> bool:
    return now - session.used_at > IDLE_SECONDS or now - session.started_at > MAX_SECONDS


def _key(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
