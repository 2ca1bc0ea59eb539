"""Signs messages."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from hookctl.errors import SecretError, TemplateError
from hookctl.signatures.recipe import Algorithm, Encoding, Message, Recipe
from hookctl.signatures.templates import Parts, parse_content, parse_format

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Signed:
    """What signing adds to a request."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)


class Signer:
    """Signs messages by one recipe, with one or more keys: the current one first."""

    def __init__(self, recipe: Recipe, keys: Sequence[bytes]) -> None:
        """Raises TemplateError if the recipe's content or format is wrong, and SecretError for an unusable key."""
        self._recipe = recipe
        self._content = parse_content(recipe.content)
        self._format = parse_format(recipe.format)
        self._sign = [signing_function(recipe.algorithm, key) for key in keys]
        if len(keys) > 1 and not self._format.further:
            hint = "Write what is repeated in brackets, such as [,v1={signature}]."
            raise TemplateError("format has place for one signature only", hint=hint, start=0, end=len(recipe.format))

    def sign(self, message: Message) -> Signed:
        """The URL to send the message to, and the headers to send with it."""
        recipe = self._recipe
        message = with_body_hash(recipe, message)
        content = content_bytes(self._content, message)
        first, *others = (encode(sign(content), recipe.encoding) for sign in self._sign)
        value = _fill(self._format.first, message, first)
        value += "".join(_fill(self._format.further, message, other) for other in others)
        headers = [(recipe.header, value)]
        if recipe.timestamp_header:
            headers.append((recipe.timestamp_header, str(message.timestamp)))
        if recipe.id_header:
            headers.append((recipe.id_header, message.id))
        return Signed(message.url, tuple(headers))


def signing_function(algorithm: Algorithm, key: bytes) -> Callable[[bytes], bytes]:
    """Returns a function that signs. Raises SecretError if ``key`` is not usable."""
    if algorithm == "ed25519":
        return _private_key(key).sign
    return lambda content: hmac.digest(key, content, algorithm)


def with_body_hash(recipe: Recipe, message: Message) -> Message:
    """The message with the hash of its body in the URL, if the recipe puts it there."""
    name = recipe.body_hash_parameter
    if not name or not message.body or message.is_form:
        return message
    separator = "&" if "?" in message.url else "?"
    url = f"{message.url}{separator}{name}={hashlib.sha256(message.body).hexdigest()}"
    return Message(message.id, message.timestamp, message.method, url, message.body, message.content_type)


def content_bytes(parts: Parts, message: Message) -> bytes:
    """What is signed."""
    return b"".join(part.encode() if isinstance(part, str) else VALUES[part.text](message) for part in parts)


def encode(signature: bytes, encoding: Encoding) -> str:
    """A signature as text."""
    return signature.hex() if encoding == "hex" else b64encode(signature).decode("ascii")


def decode(text: str, encoding: Encoding) -> bytes | None:
    """A signature from text; None if the text is not in this encoding."""
    try:
        return bytes.fromhex(text) if encoding == "hex" else b64decode(text, validate=True)
    except ValueError:
        return None


def _fill(parts: Parts, message: Message, signature: str) -> str:
    values = {"signature": signature, "timestamp": str(message.timestamp), "id": message.id}
    return "".join(part if isinstance(part, str) else values[part.text] for part in parts)


def _parameters(message: Message) -> bytes:
    if not message.is_form:
        return b""
    pairs = parse_qsl(message.body.decode(errors="replace"), keep_blank_values=True)
    return "".join(name + value for name, value in sorted(set(pairs))).encode()


VALUES: dict[str, Callable[[Message], bytes]] = {
    "id": lambda message: message.id.encode(errors="surrogateescape"),
    "timestamp": lambda message: b"%d" % message.timestamp,
    "method": lambda message: message.method.upper().encode(errors="surrogateescape"),
    "url": lambda message: message.url.encode(errors="surrogateescape"),
    "body": lambda message: message.body,
    "body_sha256": lambda message: hashlib.sha256(message.body).hexdigest().encode(),
    "parameters": _parameters,
}
"""The value of each name in :data:`hookctl.signatures.templates.CONTENT_NAMES`."""


def _private_key(key: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(key[:32])
    if private.public_key().public_bytes_raw() != key[32:]:
        raise SecretError(
            "the public key in the secret does not belong to the private key in it",
            hint="Copy the secret again: whsk_ and the base64 of both keys, 64 bytes together.",
        )
    return private
