"""Everything that decides on access, for one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hookctl.errors import SecretError
from hookctl.serve.access.answers import SIGN_IN
from hookctl.serve.access.guessing import Failures
from hookctl.serve.access.hosts import Hosts
from hookctl.serve.access.identity import Identity, Scope, identity_of
from hookctl.serve.access.known_tokens import KnownTokens
from hookctl.serve.access.sessions import Link, Session, Sessions

if TYPE_CHECKING:
    from hookctl.errors import HookctlError
    from hookctl.model.secret import SecretReference
    from hookctl.model.token import Token
    from hookctl.serve.stores import Stores

REPORT_SECONDS = 60.0
"""How far apart reports are that access cannot be checked: requests must not fill the log."""


def _no_secret(reference: SecretReference) -> str:
    raise SecretError(f"{reference} cannot be read here", hint="Start the server with hookctl serve.")


class Access:
    """Made once by ``hookctl serve``; handlers find it in ``request.app.state.context.access``.

    Args:
        stores: has the tokens.
        hosts: names that the server answers to, besides those of loopback.
        operator: the name of whoever signs in with the one-time link, ``user@host``.
        read_secret: reads the secret of a signature; it may block.
        trouble: called with why access cannot be checked, at most once a minute; must not block.
    """

    def __init__(
        self,
        stores: Stores,
        *,
        hosts: Iterable[str] = (),
        operator: str = "operator",
        read_secret: Callable[[SecretReference], str] = _no_secret,
        trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.stores = stores
        self.tokens = KnownTokens(stores)
        self.sessions = Sessions()
        self._link = Link()
        self.hosts = Hosts(hosts)
        self.failures = Failures()
        self.read_secret = read_secret
        self._operator = operator
        self._trouble, self._reported_at = trouble, float("-inf")
        self._accepted: set[str] = set()
        """The ids of tokens that were accepted before: others' failures do not delay them."""

    def new_link(self) -> str:
        """The path of a new one-time link, which replaces the one before. May be called on any thread."""
        return f"{SIGN_IN}?code={self._link.renew()}"

    def report(self, error: HookctlError) -> None:
        """Report why access cannot be checked to whoever runs the server, and not to the client, who may be anyone."""
        now = time.monotonic()
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self._trouble(error.message)

    async def token(self, text: str, address: str) -> tuple[Token | None, int]:
        """The token with this text, None if it is not accepted; and for how many seconds it was not looked at.

        Raises StoreError and StateLockedError where the tokens cannot be read.
        """
        await self.tokens.refresh()
        wait = self.failures.wait(address)
        token = self.tokens.accept(text)
        if token is not None and (not wait or token.id in self._accepted):
            self._accepted.add(token.id)
            self.tokens.note_used(token)
            return token, 0
        if not wait:
            self.failures.note(address)
        return None, wait

    async def session(self, cookie: str) -> Session | None:
        """The session of a cookie; None if it is over, or its token is no longer accepted.

        Raises StoreError and StateLockedError where the tokens cannot be read.
        """
        session = self.sessions.find(cookie)
        if session is None or not session.identity.token_id:
            return session
        await self.tokens.refresh()
        token = self.tokens.by_id(session.identity.token_id)
        if token is None:
            self.sessions.end(cookie)
            return None
        self.tokens.note_used(token)
        return session

    async def is_usable(self, token_id: str) -> bool:
        """Whether a token that was accepted is so still, for requests that take long. Raises as :meth:`session`."""
        await self.tokens.refresh()
        return self.tokens.by_id(token_id) is not None

    def sign_in_with_link(self, code: str, address: str) -> tuple[str | None, int]:
        """The cookie of a new session, None if the link is not accepted; and for how many seconds it is not tried."""
        if wait := self.failures.wait(address):
            return None, wait
        if not self._link.use(code):
            self.failures.note(address)
            return None, 0
        return self.sessions.start(Identity(self._operator, frozenset({Scope.READ, Scope.OPERATE})))[0], 0

    async def sign_in_with_token(self, text: str, address: str) -> tuple[str | None, int]:
        """The same with a token, which must have the scope ``read`` or ``operate``."""
        token, wait = await self.token(text.strip(), address)
        if token is None or token.signature or not identity_of(token).may(Scope.READ):
            return None, wait
        identity = identity_of(token)
        pages = Identity(identity.name, identity.scopes - {Scope.INTAKE}, None, identity.token_id)
        return self.sessions.start(pages)[0], 0
