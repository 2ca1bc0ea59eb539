"""Requests of providers, which sign them: GitHub, Stripe, and whoever follows the Standard Webhooks specification.

The signature is the proof, so the URL contains only the id of the token, which is not secret. The body can become an
event whose id is that of the provider's event. A request that comes again is then a duplicate, which the store knows.
An id is taken only once its event is stored, so after a refusal the provider can try again.

Stripe and Standard Webhooks sign the id and the time, so nobody can send a recorded request again as a new event.
GitHub signs only the body: whoever recorded a whole request can send it again under another id. TLS prevents that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from hookctl.errors import HookctlError
from hookctl.json.strict import AmbiguousJsonError, parse
from hookctl.model import Json
from hookctl.model.secret import REFERENCE, SecretReference
from hookctl.signatures import (
    PRESETS,
    STANDARD_WEBHOOKS,
    KeyDecoding,
    Mismatch,
    Received,
    Recipe,
    decode_key,
    read_claim,
    verify,
)

if TYPE_CHECKING:
    from hookctl.model.token import Token

PREFIX = "/v1/inbound/"
"""The path of requests without a bearer token; the id of a token follows."""
EVENTS = "/v1/events"
MAX_BYTES = 1024 * 1024
"""Of a signed body, which is read as a whole before its signature can be checked: as many as an event may have."""
KEPT = frozenset({b"host", b"accept", b"content-type", b"traceparent", b"tracestate"})
"""Headers that reach intake. All others could change what the body means, and no signature covers them."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a provider signs, and where it names its event."""

    recipe: Recipe
    key: KeyDecoding
    id_header: str = ""
    """The header with the id of the event; empty: the member ``id`` of the body."""
    time_member: str = ""
    """The member of the body with the time of the event, in epoch seconds; empty or missing: now."""


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "github": Scheme(PRESETS["github"], "utf-8", id_header="x-github-delivery"),
        "standard_webhooks": Scheme(STANDARD_WEBHOOKS, "whsec", id_header="webhook-id"),
        "stripe": Scheme(PRESETS["stripe"], "utf-8", time_member="created"),
    }
)


class NotAnEventError(Exception):
    """A signed body that cannot become an event; the text gives the reason."""


def is_signed(token: Token, headers: Mapping[str, str]) -> bool:
    """Whether a request has a signature at all, which is known before its body is read."""
    claim = read_claim(SCHEMES[token.signature].recipe, Received(headers, b""))
    return claim is not Mismatch.NO_SIGNATURE and claim is not Mismatch.MALFORMED


def mismatch(
    token: Token, headers: Mapping[str, str], body: bytes, read_secret: Callable[[SecretReference], str]
) -> Mismatch | None:
    """None if the signature that the token requires is right, else the reason. Reading a secret may block.

    Raises SecretError and PluginError if a secret cannot be read.
    """
    scheme = SCHEMES[token.signature]
    keys = _keys(token.secrets, scheme, read_secret)
    return verify(scheme.recipe, keys, Received(headers, body), now=time.time())


@dataclass(frozen=True, slots=True)
class Payload:
    """What a provider sent, with what becomes the id and the time of its event."""

    event_id: str
    at: float | None
    """In epoch seconds; None if the payload has no time."""
    text: bytes
    """The payload, which is valid JSON."""


def read_payload(token: Token, headers: Mapping[str, str], body: bytes) -> Payload:
    """The payload in a body whose signature is right. Raises NotAnEventError."""
    scheme = SCHEMES[token.signature]
    try:
        data = parse(body.decode())
    except (AmbiguousJsonError, ValueError) as error:
        raise NotAnEventError(f"the body is not JSON: {error}") from error
    members: Mapping[str, Json] = data if isinstance(data, dict) else {}
    event_id: Json = headers.get(scheme.id_header) if scheme.id_header else members.get("id")
    if not isinstance(event_id, str) or not event_id:
        where = f"header {scheme.id_header}" if scheme.id_header else "member id"
        raise NotAnEventError(f"there is no {where} to take the id of the event from")
    at = members.get(scheme.time_member) if scheme.time_member else None
    time = at if isinstance(at, int | float) and not isinstance(at, bool) else None
    return Payload(f"{token.name}:{event_id}", time, body)


def event_of(token: Token, payload: Payload, at: float) -> bytes:
    """The event with a payload as its ``data``; ``at``: its time."""
    data = msgspec.Raw(payload.text)  # as it was sent, with numbers of any length
    event = {"id": payload.event_id, "event_type": token.wrap, "event_time": at, "data": data}
    return msgspec.json.encode(event)


def headers_for_intake(headers: Sequence[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a signed request that reach intake, with the length of the body that does."""
    kept = [(name, value) for name, value in headers if name in KEPT]
    return [*kept, (b"content-length", str(len(body)).encode())]


def _keys(secrets: Sequence[str], scheme: Scheme, read_secret: Callable[[SecretReference], str]) -> list[bytes]:
    """The keys that can be read. Raises the error of the last one if none can: an old secret may be gone already."""
    keys: list[bytes] = []
    problem: HookctlError | None = None
    for text in secrets:
        found = REFERENCE.fullmatch(text)
        try:
            if found:
                keys.append(decode_key(read_secret(SecretReference(found[1], found[2])), scheme.key))
        except HookctlError as error:
            problem = error
    if problem is not None and not keys:
        raise problem
    return keys
