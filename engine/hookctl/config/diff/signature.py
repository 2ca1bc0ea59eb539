"""The signature of a saved plan: HMAC-SHA256 over everything in its document."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from hookctl.errors import SignatureError
from hookctl.model import Json

SIGNATURE = "signature"
"""The key of a plan's document under which its signature stands."""
ALGORITHM = "hmac-sha256"
MIN_KEY_BYTES = 32
"""As long as the output of the hash: RFC 2104 discourages shorter keys."""
_PURPOSE = b"hookctl saved plan, signature 1\n"
"""Comes before what is signed, so that nothing else that is signed with the same key is taken for a plan."""


def sign(document: Mapping[str, Json], key: bytes) -> dict[str, Json]:
    """The document with a signature by ``key``, in place of any that it had."""
    return {**document, SIGNATURE: {"algorithm": ALGORITHM, "value": _mac(document, key)}}


def is_signed(document: Mapping[str, Json]) -> bool:
    """True when the document claims to be signed; only :func:`check_signature` knows whether it is."""
    return SIGNATURE in document


def check_signature(document: Mapping[str, Json], key: bytes) -> None:
    """Raise SignatureError unless the document has the signature that ``key`` gives it."""
    if not is_signed(document):
        raise SignatureError(
            "the saved plan is not signed",
            hint="Save it with `hookctl plan --out FILE --sign KEY`, where KEY is the secret reference that --verify is given.",
        )
    signature = document[SIGNATURE]
    stated = signature.get("value") if isinstance(signature, dict) and signature.get("algorithm") == ALGORITHM else None
    try:
        matches = isinstance(stated, str) and hmac.compare_digest(stated.encode(), _mac(document, key).encode())
    except (ValueError, RecursionError):  # NaN, lone surrogates, thousands of levels: nothing that was ever signed
        matches = False
    if not matches:
        raise SignatureError(
            "the signature of the saved plan is wrong: it was changed after it was signed, or signed with another key",
            hint="Check that `plan --sign` and `apply --verify` name the same key. If they do, save a new plan and review it.",
        )


def _mac(document: Mapping[str, Json], key: bytes) -> str:
    """In hex; of all of the document but a signature, whatever the order of its keys and the space between them."""
    signed = {name: value for name, value in document.items() if name != SIGNATURE}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.digest(key, _PURPOSE + text.encode(), "sha256").hex()
