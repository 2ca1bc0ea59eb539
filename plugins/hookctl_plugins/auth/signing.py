"""``standard_webhooks`` and ``hmac``: sign each attempt, over exactly the bytes that are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from requests.auth import AuthBase

from hookctl.errors import SecretError
from hookctl.model import reveal
from hookctl.network.url import as_sent
from hookctl.signatures import (
    SHORTEST_KEY,
    STANDARD_WEBHOOKS,
    STANDARD_WEBHOOKS_ED25519,
    KeyDecoding,
    Message,
    Signer,
    decode_key,
)
from hookctl_plugins.auth.recipes import SECRETS, recipe_of

if TYPE_CHECKING:
    from requests import PreparedRequest

    from hookctl.plugin import Settings


class SignatureAuth(AuthBase):
    """Signs requests. Several signers that share a header put their signatures side by side."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._signers = signers

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the headers, and the URL as it is sent."""
        body = request.body or b""
        headers = request.headers
        message = Message(
            id=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]),
            method=request.method or "",
            url=as_sent(request.url or ""),
            body=body.encode() if isinstance(body, str) else body,
            content_type=headers.get("content-type", ""),
        )
        values: dict[str, str] = {}
        for signer in self._signers:
            signed = signer.sign(message)
            request.url = signed.url
            for name, value in signed.headers:
                both = name in values and values[name] != value
                values[name] = f"{values[name]} {value}" if both else value
        headers.update(values)
        return request


def hmac(settings: Settings) -> AuthBase:
    """The auth ``hmac``. Raises SecretError for an unusable key, and TemplateError for an unusable recipe."""
    recipe = recipe_of(settings)
    return SignatureAuth([Signer(recipe, _keys(settings, recipe.key))])


def standard_webhooks(settings: Settings) -> AuthBase:
    """The auth ``standard_webhooks``. Raises SecretError for an unusable key."""
    signers = [Signer(STANDARD_WEBHOOKS, _keys(settings, STANDARD_WEBHOOKS.key))]
    if "ed25519_key" in settings:
        recipe = STANDARD_WEBHOOKS_ED25519
        signers.append(Signer(recipe, [_key(settings, "ed25519_key", recipe.key)]))
    return SignatureAuth(signers)


def short_keys(settings: Settings) -> Sequence[str]:
    """A warning for each key that the Standard Webhooks specification does not allow. Raises SecretError."""
    return [
        f"the {name} has {len(key)} bytes; Standard Webhooks requires at least {SHORTEST_KEY}"
        for name in SECRETS
        if name in settings and len(key := _key(settings, name, "whsec")) < SHORTEST_KEY
    ]


def _keys(settings: Settings, how: KeyDecoding) -> Sequence[bytes]:
    return [_key(settings, name, how) for name in SECRETS if name in settings]


def _key(settings: Settings, name: str, how: KeyDecoding) -> bytes:
    try:
        return decode_key(reveal(settings[name]), how)
    except SecretError as error:
        raise SecretError(f"the {name} of the auth is not usable: {error.message}", hint=error.hint) from None
