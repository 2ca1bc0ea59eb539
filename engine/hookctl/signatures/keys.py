"""Decodes the text of a secret into a key."""

from __future__ import annotations

import re
from base64 import b64decode

from hookctl.errors import SecretError
from hookctl.signatures.recipe import KeyDecoding

SHORTEST_KEY = 24
"""The fewest bytes that the Standard Webhooks specification allows for a key."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_EXPECTED: dict[KeyDecoding, str] = {
    "base64": "base64, such as the output of `openssl rand -base64 32`",
    "hex": "hexadecimal digits, such as the output of `openssl rand -hex 32`",
    "whsec": "whsec_ followed by base64",
    "whsk": "whsk_ followed by the base64 of 64 bytes: a private key of ed25519 and its public key",
    "whpk": "whpk_ followed by the base64 of 32 bytes: a public key of ed25519",
}
_LENGTHS = {"whsk": 64, "whpk": 32}


def decode_key(secret: str, how: KeyDecoding) -> bytes:
    """The bytes of a key.

    ``utf-8`` takes the text as it is. ``whsec`` decodes the base64 after ``whsec_``; as in the reference libraries,
    the prefix may be missing. Padding of base64 may be missing. Raises SecretError, which never contains the secret.
    """
    if how == "utf-8":
        try:
            key = secret.encode()
        except UnicodeEncodeError:
            raise SecretError("the key is not valid Unicode text", hint="Use another secret.") from None
    else:
        key = _decoded(secret, how)
        if how in _LENGTHS and len(key) != _LENGTHS[how]:
            raise _invalid(how)
    if not key:
        raise SecretError("the key is empty", hint="Set the secret that the receiver has.")
    return key


def _decoded(secret: str, how: KeyDecoding) -> bytes:
    if how == "hex":
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", secret):
            raise _invalid(how)
        return bytes.fromhex(secret)
    text = secret if how == "base64" else secret.removeprefix(f"{how}_")
    if not _BASE64.fullmatch(text) or len(text.rstrip("=")) % 4 == 1:
        raise _invalid(how)
    return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _invalid(how: KeyDecoding) -> SecretError:
    return SecretError(f"the key is not {_EXPECTED[how]}", hint="Copy the secret again, or change how it is decoded.")
