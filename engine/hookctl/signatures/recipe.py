"""A recipe: how one system signs its webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Algorithm = Literal["sha1", "sha256", "sha512", "ed25519"]
"""The hash function of an HMAC; or ed25519, which signs with a private key."""
KeyDecoding = Literal["utf-8", "base64", "hex", "whsec", "whsk", "whpk"]
"""How the text of a secret becomes a key: see :mod:`hookctl.signatures.keys`."""
Encoding = Literal["hex", "base64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to sign a request: what is signed with which algorithm, and where the signature goes."""

    header: str
    """The header that carries the signature."""
    algorithm: Algorithm = "sha256"
    key: KeyDecoding = "utf-8"
    """How the key is decoded from the secret."""
    content: str = "{body}"
    """What is signed: a template over :data:`hookctl.signatures.templates.CONTENT_NAMES`."""
    format: str = "{signature}"
    """The value of the header: a template over the signature, the timestamp and the id. What stands in brackets is
    repeated for each further signature.
    """
    encoding: Encoding = "hex"
    """How the signature is written."""
    timestamp_header: str = ""
    """A header that carries the timestamp; empty if there is none."""
    id_header: str = ""
    """A header that carries the id of the delivery; empty if there is none."""
    body_hash_parameter: str = ""
    """A query parameter that gets the SHA-256 of a body that is not a form, before the URL is signed; empty if there is
    none.
    """


@dataclass(frozen=True, slots=True)
class Message:
    """What a signature may cover."""

    id: str
    timestamp: int
    """In seconds since 1970."""
    method: str
    url: str
    body: bytes
    content_type: str = ""

    @property
    def is_form(self) -> bool:
        """Whether the body is a form."""
        return self.content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
