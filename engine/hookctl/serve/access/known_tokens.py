"""The tokens of the store, kept in memory for a second, so that a request does not wait for the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING

from hookctl.errors import StateError
from hookctl.model.token import Token, token_digest, token_id

if TYPE_CHECKING:
    from hookctl.serve.stores import Stores
    from hookctl.store.interface import Store

FRESH_SECONDS = 1.0
"""For how long tokens are not read again: a token that was revoked is refused after this."""
EARLY_SECONDS = 0.5
"""After this, they are read again while requests go on with those that are known."""
NOTE_SECONDS = 60.0
"""How far apart the times are that the store gets of a token's use."""
NO_DIGEST = "0" * 64


class KnownTokens:
    """What tokens there are. It belongs to the event loop."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._tokens: Mapping[str, Token] = {}
        self._read_at = float("-inf")
        self._used: dict[str, float] = {}
        """When tokens were last used, by id."""
        self._noted: dict[str, float] = {}
        """The same as the store has it."""
        self._reading = asyncio.Lock()
        self._early: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Read the tokens again if they are not fresh. Raises StoreError and StateLockedError.

        Where requests come all the time, none of them waits: the tokens are read before they are stale.
        """
        age = time.monotonic() - self._read_at
        if age >= FRESH_SECONDS:
            await self._read_again(FRESH_SECONDS)
        elif age >= EARLY_SECONDS and (self._early is None or self._early.done()):
            self._early = asyncio.create_task(self._read_early())

    async def _read_early(self) -> None:
        with suppress(StateError):  # a request that waits for the tokens reports it
            await self._read_again(EARLY_SECONDS)

    async def _read_again(self, age: float) -> None:
        """Read the tokens, unless another request did so less than ``age`` seconds ago, while this one waited."""
        async with self._reading:
            asked_at = time.monotonic()
            if asked_at - self._read_at < age:
                return
            used = {name: at for name, at in self._used.items() if at - self._noted.get(name, 0.0) >= NOTE_SECONDS}
            self._tokens = await self._stores.call(_read, used)
            self._noted |= used
            self._read_at = asked_at

    def accept(self, text: str) -> Token | None:
        """The usable token with this text; None if it is not accepted."""
        token = self._tokens.get(token_id(text))
        digest = token.digest if token else NO_DIGEST  # an unknown id takes as long as a wrong secret
        if not compare_digest(digest, token_digest(text)) or token is None:
            return None
        return self.by_id(token.id)

    def by_id(self, wanted: str) -> Token | None:
        """The usable token with an id; None if there is none any more. Whoever knows an id need not have the token."""
        token = self._tokens.get(wanted)
        return token if token is not None and token.is_usable(time.time()) else None

    def note_used(self, token: Token) -> None:
        """Note that a token was used now, for the store to keep."""
        self._used[token.id] = time.time()


def _read(store: Store, used: Mapping[str, float]) -> Mapping[str, Token]:
    if used:
        store.note_tokens_used(used)
    return {token.id: token for token in store.tokens()}
