"""What a token endpoint says when it gives no token: one line from the forms that servers use, without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hookctl.plugin import mask_secrets

SHORTEST = 6
"""The minimum length of a client secret. A shorter one cannot be masked, so the server's message is not quoted."""
MAX_QUOTED = 200
"""The maximum number of characters of the server's message that an error quotes."""
CODES = ("error", "errorCode", "ErrorCode", "error_code", "code", "title")
"""Members that name the error. The first one that is there is quoted."""
DESCRIPTIONS = (
    "error_description",  # RFC 6749
    "errorSummary",  # Okta
    "errorMessage",
    "error_message",
    "Error",  # Apigee, beside ErrorCode
    "faultstring",  # Apigee, in fault
    "message",
    "Message",
    "detail",  # RFC 9457
    "reason",
)
"""Members that describe it. The first one that is there is quoted."""
CONTAINERS = ("error", "fault", "errors", "errorCauses")
"""Members that may hold such an object, or a list of them: ``{"error": {"code": 403, "message": "..."}}``."""


def reason_of(document: Mapping[str, Any], client_secret: str, secrets: Iterable[str]) -> str:
    """``: `` and the reason that the server gives in its JSON answer; empty if it gives none.

    It may repeat the request, or name tokens: both are masked before the text is shortened.
    """
    words = list(dict.fromkeys(_words(document)))
    if not words or 0 < len(client_secret) < SHORTEST:
        return ""
    reason = ", ".join("".join(letter if letter.isprintable() else " " for letter in text) for text in words)
    tokens = [
        value for name, value in document.items() if "token" in name and name != "token_type" and isinstance(value, str)
    ]
    return f": {mask_secrets(reason, [client_secret, *secrets, *tokens])[:MAX_QUOTED]}"


def _words(document: Mapping[str, Any], *, is_nested: bool = False) -> Iterator[str]:
    for names in (CODES, DESCRIPTIONS):
        found = (document.get(name) for name in names)
        yield from [text for value in found if (text := _text(value))][:1]
    if is_nested:
        return
    for name in CONTAINERS:
        value = document.get(name)
        for item in value[:3] if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _words(item, is_nested=True)
            elif isinstance(item, str) and isinstance(value, list):
                yield item


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
