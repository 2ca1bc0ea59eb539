"""Checks a mapping of headers: what can be sent, what hookctl sets itself, and what must be a secret."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes
from hookctl.config.check.rules.header_invalid import check_sendable
from hookctl.config.check.rules.header_reserved import check_reserved
from hookctl.config.check.secrets import check_secret
from hookctl.model import Json, Pointer

_SECRET = re.compile(
    r"(?:.*[-_])?(?:authorization|cookie|token|secret|passw(?:or)?d|credentials?|(?:api|access|auth|secret)[-_]?key)"
)
_EXPRESSION = re.compile(r"\{\{[^'\"}]*\}\}")
"""One without text of its own."""
_NO_SECRET = frozenset({"x-atlassian-token"})
"""Sounds like a secret and is none: Jira wants ``no-check`` in it."""


def check_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Note everything that is wrong with ``headers``, a plugin's setting that stands at ``pointer``."""
    check_sendable(notes, pointer, headers)
    check_reserved(notes, pointer, headers)
    check_secret_headers(notes, pointer, headers)


def check_secret_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Note secrets that are written out in ``headers``, told by their names."""
    for name, value in headers.items() if isinstance(headers, dict) else ():
        place, lower = (*pointer, name), name.lower()
        if not isinstance(value, str) or notes.has(place) or not _SECRET.fullmatch(lower) or lower in _NO_SECRET:
            continue
        if place[0] != "headers" or not _is_of_the_event(value):
            check_secret(notes, place, value)


def _is_of_the_event(value: str) -> bool:
    """Whether no word of a header's value is written in the file: an event gives it, so no secret has been seen."""
    return _EXPRESSION.search(value) is not None and re.search(r"\w", _EXPRESSION.sub("", value)) is None
