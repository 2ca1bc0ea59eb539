"""Signatures of webhooks: recipes, presets, signing and verifying. Pure: no input or output, no clock."""

from hookctl.signatures.keys import SHORTEST_KEY, decode_key
from hookctl.signatures.presets import PRESETS, STANDARD_WEBHOOKS, STANDARD_WEBHOOKS_ED25519
from hookctl.signatures.recipe import Algorithm, Encoding, KeyDecoding, Message, Recipe
from hookctl.signatures.signing import Signed, Signer
from hookctl.signatures.templates import CONTENT_NAMES, FORMAT_NAMES, parse_content, parse_format
from hookctl.signatures.verifying import (
    TOLERANCE,
    Claim,
    Mismatch,
    Received,
    check_clock,
    has_body_hash,
    is_signed,
    read_claim,
    verify,
)

__all__ = [
    "CONTENT_NAMES",
    "FORMAT_NAMES",
    "PRESETS",
    "SHORTEST_KEY",
    "STANDARD_WEBHOOKS",
    "STANDARD_WEBHOOKS_ED25519",
    "TOLERANCE",
    "Algorithm",
    "Claim",
    "Encoding",
    "KeyDecoding",
    "Message",
    "Mismatch",
    "Received",
    "Recipe",
    "Signed",
    "Signer",
    "check_clock",
    "decode_key",
    "has_body_hash",
    "is_signed",
    "parse_content",
    "parse_format",
    "read_claim",
    "verify",
]
