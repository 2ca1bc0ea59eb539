"""Headers that hookctl sets itself."""

from __future__ import annotations

from hookctl.config.check.notes import Notes
from hookctl.model import Json, Pointer
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

HEADER_RESERVED = Rule(
    id="header-reserved",
    summary="hookctl sets this header itself.",
    explanation=(
        "Host, Content-Length, Transfer-Encoding and similar headers follow from the request, and webhook-id,"
        " webhook-timestamp and webhook-signature from the delivery."
    ),
    message="hookctl sets the header {name} itself",
    hint="Remove it.",
    bad="headers:\n  Host: siem.example.com",
    good="headers:\n  X-Forwarded-For-Host: siem.example.com",
)

_FRAMING = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
)
_DELIVERY = ("webhook-id", "webhook-timestamp", "webhook-signature")
RESERVED = frozenset({*_FRAMING, *_DELIVERY})
"""Names, in lower case, that hookctl and its transports set for each request."""


def check(notes: Notes, _plugins: Plugins) -> None:
    """Note reserved names among a webhook's headers."""
    check_reserved(notes, ("headers",), notes.webhook.fields.get("headers"))


def check_reserved(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Note reserved names in ``headers``, a mapping that stands at ``pointer``."""
    for name in headers if isinstance(headers, dict) else ():
        if name.lower() in RESERVED:
            notes.add(HEADER_RESERVED, (*pointer, name), at_key=True, name=name)
