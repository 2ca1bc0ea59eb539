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
"""The length of the hash's output: RFC 2104 discourages shorter keys."""
_PURPOSE = b"hookctl saved plan, signature 1\n"
"""A prefix of the signed data, so that nothing else that is signed with the same key passes as a plan."""


def sign(document: Mapping[str, Json], key: bytes) -> dict[str, Json]:
    """The document with a signature made with ``key``, which replaces any older one."""
    return {**document, SIGNATURE: {"algorithm": ALGORITHM, "value": _mac(document, key)}}


def is_signed(document: Mapping[str, Json]) -> bool:
    """True when the document contains a signature. Only :func:`check_signature` verifies it."""
    return SIGNATURE in document


def check_signature(document: Mapping[str, Json], key: bytes) -> None:
    """Raise SignatureError unless the document has the signature that ``key`` gives it."""
    if not is_signed(document):
        raise SignatureError(
            "the saved plan is not signed",
            hint="Save it with `hookctl plan --out FILE --sign KEY`; KEY is the secret reference given to --verify.",
        )
    signature = document[SIGNATURE]
    stated = signature.get("value") if isinstance(signature, dict) and signature.get("algorithm") == ALGORITHM else None
    try:
        matches = isinstance(stated, str) and hmac.compare_digest(stated.encode(), _mac(document, key).encode())
    except (ValueError, RecursionError):  # NaN, lone surrogates or thousands of levels, which hookctl never signs
        matches = False
    if not matches:
        raise SignatureError(
            "the signature of the saved plan is wrong: it was changed after it was signed, or signed with another key",
            hint="Check that `plan --sign` and `apply --verify` name the same key; if so, save and review a new plan.",
        )


def _mac(document: Mapping[str, Json], key: bytes) -> str:
    """The HMAC, in hex, of the document without its signature. The order of keys and white space do not matter."""
    signed = {name: value for name, value in document.items() if name != SIGNATURE}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.digest(key, _PURPOSE + text.encode(), "sha256").hex()
