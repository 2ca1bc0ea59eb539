"""``jwt_bearer``: a token for a signed assertion (RFC 7523), kept and renewed as that of ``oauth2``.

PyJWT signs the assertion. Each is used once, so it lives only for a minute unless the author wants otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from hookctl.errors import SecretError
from hookctl.model import Json, Resolved, Secret, reveal
from hookctl_plugins.auth.oauth2 import ClientCredentials
from hookctl_plugins.auth.private_keys import load_private_key
from hookctl_plugins.auth.token_request import Client

if TYPE_CHECKING:
    from hookctl.plugin import AuthContext, Settings

WHO = "auth jwt_bearer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SHORTEST_SECRET = 32
"""The minimum bytes of a secret for HS256 (RFC 7518, section 3.2)."""
SHORTEST_RSA = 2048
"""The minimum bits of a key for RS256 (RFC 7518, section 3.3)."""


class JwtBearer(ClientCredentials):
    """Sets ``Authorization: Bearer <token>``. A call may block while the token is requested."""

    def __init__(
        self,
        settings: Settings,
        context: AuthContext,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """``wall_clock`` gives epoch seconds. Raises SecretError for a key that cannot be used."""
        super().__init__(_client_settings(settings), context, clock)
        self._wall_clock = wall_clock
        self._algorithm = str(settings.get("algorithm", "RS256"))
        self._key = _key(settings, self._algorithm)
        self._header = {"kid": reveal(settings["key_id"])} if "key_id" in settings else {}
        self._claims = _claims(settings)
        self._lifetime = cast("int", settings.get("lifetime_seconds", 60))
        self._is_grant = settings.get("grant", "jwt_bearer") == "jwt_bearer"
        self._client = replace(self._client, secrets=(*self._client.secrets, *_secrets(settings.get("claims"))))

    def _next_client(self) -> Client:
        """The client with a new assertion."""
        assertion = self._assertion()
        form = (
            (("grant_type", GRANT), ("assertion", assertion))
            if self._is_grant
            else (("client_assertion_type", CLIENT_ASSERTION), ("client_assertion", assertion))
        )
        return replace(self._client, assertion=form, secrets=(*self._client.secrets, assertion))

    def _assertion(self) -> str:
        now = int(self._wall_clock())
        claims = {**self._claims, "iat": now, "exp": now + self._lifetime, "jti": uuid4().hex}
        return jwt.encode(claims, self._key, self._algorithm, self._header)


def _client_settings(settings: Settings) -> Settings:
    """The settings that ``oauth2`` understands in the same way. Its ``audience`` is a parameter, and not a claim."""
    is_client = settings.get("grant") == "client_credentials"
    names = ("token_url", "scopes", "token_endpoint_auth_method", "key", "key_password", "issuer", "subject")
    return {
        "client_id": settings.get("client_id", settings["issuer"] if is_client else ""),
        "client_secret": settings.get("client_secret", ""),
        **{name: settings[name] for name in names if name in settings},
    }


def _claims(settings: Settings) -> dict[str, Json]:
    claims = cast("dict[str, Json]", _plain(settings.get("claims", {})))
    issuer = reveal(settings["issuer"])
    claims |= {"iss": issuer, "aud": reveal(settings.get("audience", settings["token_url"]))}
    if "subject" in settings:
        claims["sub"] = reveal(settings["subject"])
    elif settings.get("grant") == "client_credentials":
        claims["sub"] = issuer
    return claims


def _key(settings: Settings, algorithm: str) -> RSAPrivateKey | EllipticCurvePrivateKey | bytes:
    text = reveal(settings["key"])
    if algorithm == "HS256":
        secret = text.encode("utf-8", "surrogatepass")
        if len(secret) < SHORTEST_SECRET:
            raise SecretError(
                f"the key of {WHO} is shorter than the {SHORTEST_SECRET} bytes that HS256 requires",
                hint="Use a longer secret, or another algorithm.",
            )
        if b"-----BEGIN " in secret:
            raise SecretError(
                f"the key of {WHO} is a PEM key, but the algorithm is HS256",
                hint="Set algorithm to RS256 or ES256, by the kind of the key.",
            )
        return secret
    key = load_private_key(text, reveal(settings.get("key_password", "")), WHO)
    if algorithm == "RS256" and isinstance(key, RSAPrivateKey):
        if key.key_size >= SHORTEST_RSA:
            return key
        raise SecretError(f"the key of {WHO} has {key.key_size} bits; RS256 requires {SHORTEST_RSA}")
    if algorithm == "ES256" and isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    required = "an RSA key" if algorithm == "RS256" else "a key on the curve P-256"
    raise SecretError(
        f"the key of {WHO} does not fit the algorithm {algorithm}, which requires {required}",
        hint="Set algorithm by the kind of the key: openssl pkey -in KEY -noout -text",
    )


def _plain(value: Resolved) -> Json:
    """The value with secrets revealed."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _secrets(value: Resolved) -> Iterator[str]:
    """The secrets in a value, at any depth."""
    if isinstance(value, Secret):
        yield value.reveal()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _secrets(one)
