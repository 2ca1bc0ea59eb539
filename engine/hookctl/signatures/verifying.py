"""Verifies the signature of a message that was received."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from hookctl.signatures.recipe import Message, Recipe
from hookctl.signatures.signing import content_bytes, decode, signing_function
from hookctl.signatures.templates import Name, Parts, parse_content, parse_format

TOLERANCE = 300.0
"""Seconds by which the timestamp may differ from the receiver's clock, as in the libraries of most systems."""
_FIELDS = {"signature": r"([A-Za-z0-9+/=]+)", "timestamp": r"(-?[0-9]{1,15})", "id": r"(\S+)"}


class Mismatch(StrEnum):
    """The reason why a message does not verify."""

    NO_SIGNATURE = "there is no signature header"
    NO_TIMESTAMP = "there is no timestamp"
    NO_ID = "there is no id"
    MALFORMED = "the signature header is not in the expected format"
    TOO_OLD = "the timestamp is too old"
    TOO_NEW = "the timestamp is in the future"
    BODY_HASH = "the hash of the body in the URL is missing or different"
    DIFFERENT = "no signature matches"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the receiver got it."""

    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    method: str = "POST"
    url: str = ""
    """The whole URL, as the sender knows it; needed only for recipes that sign it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the headers of a received request claim: the message, and the signatures of it."""

    message: Message
    signatures: tuple[bytes, ...] = field(repr=False)


def verify(
    recipe: Recipe, keys: Sequence[bytes], received: Received, *, now: float, tolerance: float | None = TOLERANCE
) -> Mismatch | None:
    """None if one of the signatures is right for one of ``keys``, else the first reason why none is.

    ``now`` is in seconds since 1970, ``tolerance`` in seconds; None: any timestamp will do. Comparing takes the same
    time wherever a signature differs. Raises TemplateError if the recipe is wrong.
    """
    claim = read_claim(recipe, received)
    if isinstance(claim, Mismatch):
        return claim
    if not has_body_hash(recipe, claim.message):
        return Mismatch.BODY_HASH
    if not is_signed(recipe, keys, claim):
        return Mismatch.DIFFERENT
    return check_clock(recipe, claim.message, now=now, tolerance=tolerance)


def check_clock(recipe: Recipe, message: Message, *, now: float, tolerance: float | None) -> Mismatch | None:
    """Whether the timestamp is too old or too new. None if it is neither, or the recipe does not sign it."""
    if tolerance is None or Name("timestamp") not in parse_content(recipe.content):
        return None
    if message.timestamp < now - tolerance:
        return Mismatch.TOO_OLD
    return Mismatch.TOO_NEW if message.timestamp > now + tolerance else None


def read_claim(recipe: Recipe, received: Received) -> Claim | Mismatch:
    """The message and its signatures; or the reason why the headers cannot be read."""
    headers = {name.lower(): value.strip() for name, value in received.headers.items()}
    value = headers.get(recipe.header.lower())
    if not value:
        return Mismatch.NO_SIGNATURE
    fields = _read(recipe, value)
    signatures = [decoded for text in fields["signature"] if (decoded := decode(text, recipe.encoding)) is not None]
    if not signatures:
        return Mismatch.MALFORMED
    ids, stamps = fields["id"], fields["timestamp"]
    if recipe.id_header and (own := headers.get(recipe.id_header.lower())):
        ids = [own]
    if recipe.timestamp_header and (own := headers.get(recipe.timestamp_header.lower())):
        stamps = [own]
    content = parse_content(recipe.content)
    has_timestamp = bool(stamps and re.fullmatch(_FIELDS["timestamp"], stamps[0], re.ASCII))
    if Name("timestamp") in content and not has_timestamp:
        return Mismatch.NO_TIMESTAMP
    if Name("id") in content and not ids:
        return Mismatch.NO_ID
    message = Message(
        id=ids[0] if ids else "",
        timestamp=int(stamps[0]) if has_timestamp else 0,
        method=received.method,
        url=received.url,
        body=received.body,
        content_type=headers.get("content-type", ""),
    )
    return Claim(message, tuple(signatures))


def has_body_hash(recipe: Recipe, message: Message) -> bool:
    """False if the recipe needs the hash of this body in the URL, and it is not there or differs."""
    if not recipe.body_hash_parameter or not message.body or message.is_form:
        return True
    found = parse_qs(message.url.partition("?")[2]).get(recipe.body_hash_parameter, [""])[0]
    return hmac.compare_digest(hashlib.sha256(message.body).hexdigest().encode(), found.lower().encode())


def is_signed(recipe: Recipe, keys: Sequence[bytes], claim: Claim) -> bool:
    """Whether one of the signatures is that of the message, for one of the keys. Ignores the clock."""
    parts = parse_content(recipe.content)
    verdicts = [
        _matches(recipe, key, content, claim.signatures) for content in _contents(parts, claim.message) for key in keys
    ]
    return any(verdicts)


def _matches(recipe: Recipe, key: bytes, content: bytes, signatures: Sequence[bytes]) -> bool:
    if recipe.algorithm != "ed25519":
        right = signing_function(recipe.algorithm, key)(content)
        return any(hmac.compare_digest(right, signature) for signature in signatures)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for signature in signatures:
        try:
            Ed25519PublicKey.from_public_bytes(key[-32:]).verify(signature, content)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def _contents(parts: Parts, message: Message) -> Iterator[bytes]:
    """What may have been signed. Senders differ in whether a signed URL has its port, so both ways count."""
    yield content_bytes(parts, message)
    if Name("url") not in parts:
        return
    try:
        url = urlsplit(message.url)
        given = url.port
    except ValueError:  # not a URL: it can only be signed as it is
        return
    port = "" if given else f":{443 if url.scheme == 'https' else 80}"
    host = f"[{url.hostname}]" if url.hostname and ":" in url.hostname else url.hostname or ""
    yield content_bytes(parts, replace(message, url=url._replace(netloc=f"{host}{port}").geturl()))


def _read(recipe: Recipe, value: str) -> dict[str, list[str]]:
    """The fields in the value of a header, each in order. Items that the format does not have are ignored.

    So a receiver accepts a header that also has signatures of another version.
    """
    form = parse_format(recipe.format)
    fields: dict[str, list[str]] = {name: [] for name in _FIELDS}
    if not form.further:
        _match([form.first], value, fields)
        return fields
    separator = str(form.further[0])[0]
    kinds = [*_items(form.first, separator), *_items(form.further, separator)]
    kinds.sort(key=lambda parts: -sum(len(part) for part in parts if isinstance(part, str)))
    for item in value.split(separator):
        _match([parts for parts in kinds if parts], item.strip(), fields)
    return fields


def _match(kinds: Sequence[Parts], text: str, fields: dict[str, list[str]]) -> None:
    """Add the fields in ``text``, by the first of ``kinds`` that it matches."""
    for parts in kinds:
        pattern = "".join(re.escape(part) if isinstance(part, str) else _FIELDS[part.text] for part in parts)
        if found := re.fullmatch(pattern, text, re.ASCII):
            names = [part.text for part in parts if isinstance(part, Name)]
            for name, field_text in zip(names, found.groups(), strict=True):
                fields[name].append(field_text)
            return


def _items(parts: Parts, separator: str) -> list[Parts]:
    """A format split at its separators."""
    items: list[list[str | Name]] = [[]]
    for part in parts:
        if isinstance(part, Name):
            items[-1].append(part)
            continue
        first, *rest = part.split(separator)
        items[-1] += [first] if first else []
        items += [[piece] if piece else [] for piece in rest]
    return [tuple(item) for item in items]
