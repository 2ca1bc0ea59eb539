"""Header names and values: what RFC 9110 lets pass, what hookctl itself sets, and what must be a secret."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes
from hookctl.config.check.secrets import check_secret
from hookctl.model import Json, Pointer, brief

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[^\t\x20-\x7e]")
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
_SECRET = re.compile(
    r"(?:.*[-_])?(?:authorization|cookie|token|secret|passw(?:or)?d|credentials?|(?:api|access|auth|secret)[-_]?key)"
)
_EXPRESSION = re.compile(r"\{\{[^'\"}]*\}\}")
"""One without text of its own."""
_NO_SECRET = frozenset({"x-atlassian-token"})
"""Sounds like a secret and is none: Jira wants ``no-check`` in it."""


def check_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Note what cannot be sent as a header of ``headers``, a mapping that stands at ``pointer``. Values of other types are the schema's to refuse."""
    if not isinstance(headers, dict):
        return
    first: dict[str, str] = {}
    for name, value in headers.items():
        place = (*pointer, name)
        lower = name.lower()
        if not _NAME.fullmatch(name):
            notes.add(
                "header-invalid",
                f"{brief(name)!r} is no header name",
                "Use letters, digits and hyphens.",
                place,
                at_key=True,
            )
        elif lower in RESERVED:
            notes.add("header-reserved", f"the header {name} is set by hookctl", "Remove it.", place, at_key=True)
        elif lower in first:
            notes.add(
                "header-invalid",
                f"the header {brief(name)} stands here twice, first as {brief(first[lower])}",
                "Keep one: case does not tell headers apart.",
                place,
                at_key=True,
            )
        elif isinstance(value, str):
            _check_value(notes, place, lower, value)
        first.setdefault(lower, name)


def _check_value(notes: Notes, place: Pointer, name: str, value: str) -> None:
    if bad := _BAD_IN_VALUE.search(value):
        message = f"the header's value holds the character U+{ord(bad[0]):04X}, which cannot be sent"
        notes.add("header-invalid", message, "Use printable ASCII on one line.", place, part=bad.span())
    elif value != value.strip(" \t"):
        notes.add(
            "header-invalid",
            "the header's value begins or ends with a space, which would be dropped",
            "Remove the space.",
            place,
        )
    elif _SECRET.fullmatch(name) and name not in _NO_SECRET and not (place[0] == "headers" and _is_of_the_event(value)):
        check_secret(notes, place, value)


def _is_of_the_event(value: str) -> bool:
    """Whether no word of a header's value is written in the file: an event gives it, so no secret has been seen."""
    return _EXPRESSION.search(value) is not None and re.search(r"\w", _EXPRESSION.sub("", value)) is None
