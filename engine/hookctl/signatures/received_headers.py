"""Reads the headers of a signed request generously: under other names, in other forms and in other encodings."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from hookctl.model.nearest import nearest
from hookctl.signatures.recipe import Message, Recipe
from hookctl.signatures.variants import Difference, Part
from hookctl.signatures.verifying import Claim, Received, read_claim

ENCODED = {"hex": "hexadecimal", "base64": "base64", "base64url": "URL-safe base64"}
"""How people call an encoding."""
LENGTHS = frozenset({20, 32, 64})
"""Lengths of signatures in bytes: of HMAC-SHA1, HMAC-SHA256, and of HMAC-SHA512 and ed25519."""
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{26,}={0,2}")
_STAMP = re.compile(r"(?:^|[,;\s])t=([0-9]{9,14})(?=$|[,;\s])")
_SIGNATURE_NAME = re.compile(r"signature|hmac|digest", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadSignature:
    """A signature, and how it is written."""

    value: bytes = field(repr=False)
    encoding: str


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a request say about its signature, and how they differ from what the recipe says."""

    recipe: Recipe
    """The recipe with the names of the headers that the request has."""
    message: Message
    """The id or the timestamp is empty if there is none."""
    signatures: tuple[ReadSignature, ...]
    """What may be a signature, in every encoding that it may have."""
    count: int
    """The number of signatures as the recipe reads them; if it reads none, of what may be one."""
    differences: tuple[Difference, ...]
    form: tuple[Difference, ...]
    """The difference in the form of the header's value, if it is not the recipe's. A consequence of another one if the
    encoding or the algorithm differs, too.
    """
    by_name: Mapping[str, str]
    """All headers, by their names in lower case."""


def read_headers(recipe: Recipe, received: Received) -> Headers:
    """The signatures, the id and the timestamp of a request. Never fails."""
    headers = {name.lower(): value.strip() for name, value in received.headers.items()}
    differences: list[Difference] = []
    names = {"header": recipe.header, "timestamp_header": recipe.timestamp_header, "id_header": recipe.id_header}
    for setting, name in names.items():
        if name and not headers.get(name.lower()):
            found = _other_name(name, headers, is_signature=setting == "header")
            if found or not differences or headers.get(names["header"].lower()):  # a request that is not signed at all
                differences.append(_missing(name, found, headers))  # gets one difference, for its first header
            names[setting] = found or name
    renamed = replace(recipe, **names)  # type: ignore[arg-type]  # mypy does not know which fields these are
    value = headers.get(renamed.header.lower(), "")
    claim = read_claim(renamed, replace(received, headers=headers))
    signatures = tuple(_signatures(value))
    message = _message(renamed, received, headers, value)
    if isinstance(claim, Claim):
        # What the recipe does not use may be signed all the same.
        own = claim.message
        message = replace(own, id=own.id or message.id, timestamp=own.timestamp or message.timestamp)
        count = len(claim.signatures)
        signatures += tuple(ReadSignature(one, recipe.encoding) for one in claim.signatures)
    else:
        count = len(_TOKEN.findall(value))
    form = () if not value or isinstance(claim, Claim) else tuple(_malformed(renamed, headers, value, message))
    return Headers(renamed, message, _unique(signatures, recipe), count, tuple(differences), form, headers)


def _unique(signatures: tuple[ReadSignature, ...], recipe: Recipe) -> tuple[ReadSignature, ...]:
    """Each signature once; as the recipe's encoding reads it if it can."""
    found: dict[bytes, ReadSignature] = {}
    for one in sorted(signatures, key=lambda one: one.encoding != recipe.encoding):
        found.setdefault(one.value, one)
    return tuple(found.values())


def _other_name(name: str, headers: Mapping[str, str], *, is_signature: bool) -> str:
    """The header that probably stands for ``name``: the same words in another spelling, or with another prefix."""
    plain = _plain(name)
    for other in headers:
        if _plain(other) in {plain, plain.replace("webhook", "svix"), plain.replace("svix", "webhook")}:
            return other
    if near := nearest(name.lower(), headers):
        return near[0]
    fitting = [other for other, value in headers.items() if _SIGNATURE_NAME.search(other) and _TOKEN.search(value)]
    return fitting[0] if is_signature and fitting else ""


def _plain(name: str) -> str:
    """A name without what frameworks and gateways change: case, ``_`` for ``-``, ``HTTP_`` and ``X-`` before it."""
    plain = name.lower().replace("_", "-").removeprefix("http-")
    return plain.removeprefix("x-")


def _missing(name: str, found: str, headers: Mapping[str, str]) -> Difference:
    if found:
        return Difference(Part.HEADER, f"There is no header {name}. The request has {found}.", f"Read {found}.")
    what = "no headers at all" if not headers else f"no header {name}"
    return Difference(
        Part.HEADER,
        f"The request has {what}.",
        "Check that the sender signs its requests, and that no proxy or gateway removes the header.",
    )


def _malformed(recipe: Recipe, headers: Mapping[str, str], value: str, message: Message) -> Iterator[Difference]:
    content = recipe.content
    if recipe.format.startswith("v1,") and re.search(r"(?:^|\s)v1a,", value) and not re.search(r"(?:^|\s)v1,", value):
        yield Difference(
            Part.HEADER,
            f"{recipe.header} has only signatures of version v1a (ed25519).",
            "Verify with the public key, whpk_..., as the secret.",
        )
    elif "{timestamp}" in content and not message.timestamp:
        where = recipe.timestamp_header or recipe.header
        given = headers.get(recipe.timestamp_header.lower(), "") if recipe.timestamp_header else ""
        what = "is not a whole number" if given else "is missing"
        yield Difference(
            Part.TIMESTAMP,
            f"The timestamp in {where} {what}.",
            "Pass all headers of the request on to the code that verifies it, unchanged.",
        )
    elif "{id}" in content and not message.id:
        pass  # the missing header is a difference already
    else:
        yield Difference(
            Part.HEADER,
            f"The value of {recipe.header} does not have the form {recipe.format}.",
            "Check that the whole value arrives: it may have been cut, quoted, or split at a comma or a space.",
        )


def _message(recipe: Recipe, received: Received, headers: Mapping[str, str], value: str) -> Message:
    """The message as far as it is known."""
    stamps = [headers.get(recipe.timestamp_header.lower(), "")] if recipe.timestamp_header else []
    stamps += _STAMP.findall(value)
    stamps += [text for name, text in headers.items() if name.endswith("timestamp")]
    timestamp = next((int(text) for text in stamps if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII)), 0)
    ids = [headers.get(recipe.id_header.lower(), "")] if recipe.id_header else []
    ids += [text for name, text in headers.items() if name.endswith(("webhook-id", "svix-id", "delivery"))]
    return Message(
        id=next(filter(None, ids), ""),
        timestamp=timestamp,
        method=received.method,
        url=received.url,
        body=received.body,
        content_type=headers.get("content-type", ""),
    )


def _signatures(value: str) -> Iterator[ReadSignature]:
    for token in _TOKEN.findall(value):
        padded = token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4)
        yield from _read(bytes.fromhex, token, "hex")
        yield from _read(partial(b64decode, validate=True), padded, "base64")
        if "-" in token or "_" in token:
            yield from _read(urlsafe_b64decode, padded, "base64url")


def _read(decode: Callable[[str], bytes], text: str, encoding: str) -> Iterator[ReadSignature]:
    """A signature in this encoding; nothing if the text is none."""
    try:
        value = decode(text)
    except ValueError:  # binascii.Error is one too
        return
    if len(value) in LENGTHS:
        yield ReadSignature(value, encoding)
