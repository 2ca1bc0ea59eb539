"""Finds secret references in the fields of a webhook, and secrets that are written out instead of referenced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

from hookctl.config.check.notes import Notes
from hookctl.model import Json, Pointer
from hookctl.model.rules.fields import SECRET_LITERAL
from hookctl.model.secret import REFERENCE, REFERENCE_IN_BODY, has_reference

_SHOWN = 20
"""Maximum number of references in one text that a rule reports: more would only repeat the same mistake."""
_BODY = ("body_template",)
_ATTEMPT = re.compile(r"\$\{(?:[^{}\n]{0,200}\}|[^}\s]*\}?)")
_ATTEMPT_IN_BODY = re.compile(r'\$\{[ \t]*(?:[A-Za-z_](?:[^{}"\n]{0,200}\}|[^}\s"]*\}?)|\})')
"""A reference in a body ends with its string at the latest. ``${{`` and ``${5}`` are ordinary text there."""


def check_secret(notes: Notes, pointer: Pointer, value: Json) -> None:
    """Add a finding for a secret that is written out. Checks the values that a schema marks with ``x-secret``."""
    if isinstance(value, str) and not has_reference(value) and "${" not in value and not notes.has(pointer):
        notes.add(SECRET_LITERAL, pointer)


def references(
    notes: Notes, is_meant: Callable[[Pointer, re.Match[str]], bool]
) -> Iterator[tuple[Pointer, re.Match[str]]]:
    """The places of a webhook that look like references and that ``is_meant`` accepts, at most 20 in each text."""
    for pointer, text in notes.reference_texts:
        pattern = _ATTEMPT_IN_BODY if pointer == _BODY else _ATTEMPT
        meant = (match for match in pattern.finditer(text) if is_meant(pointer, match))
        yield from ((pointer, match) for match in islice(meant, _SHOWN))


def scheme_of(attempt: re.Match[str]) -> str:
    """The scheme of a reference; the empty string if the match is not a valid reference."""
    pattern = REFERENCE_IN_BODY if attempt.re is _ATTEMPT_IN_BODY else REFERENCE
    reference = pattern.match(attempt.string, attempt.start())
    return reference[1] if reference else ""
