"""Checks a mapping of headers: invalid headers, headers that only hookctl sets, and secrets that are written out."""

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
"""An expression that contains no string literal."""
_NO_SECRET = frozenset({"x-atlassian-token"})
"""Names that look like secrets but are not: Jira requires the value ``no-check`` in this one."""


def check_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Add a finding for every problem in ``headers``, the setting of a plugin at ``pointer``."""
    check_sendable(notes, pointer, headers)
    check_reserved(notes, pointer, headers)
    check_secret_headers(notes, pointer, headers)


def check_secret_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Add a finding for each secret that is written out in ``headers``.

    The name of a header tells if it is a secret.
    """
    for name, value in headers.items() if isinstance(headers, dict) else ():
        place, lower = (*pointer, name), name.lower()
        if not isinstance(value, str) or notes.has(place) or not _SECRET.fullmatch(lower) or lower in _NO_SECRET:
            continue
        if place[0] != "headers" or not _is_of_the_event(value):
            check_secret(notes, place, value)


def _is_of_the_event(value: str) -> bool:
    """Whether the words in a header's value all come from the event. Such a value reveals no secret in the file."""
    return _EXPRESSION.search(value) is not None and re.search(r"\w", _EXPRESSION.sub("", value)) is None
