"""Header names and values that RFC 9110 does not allow."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes
from hookctl.config.check.rules.header_reserved import RESERVED
from hookctl.model import Json, Pointer, brief
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

HEADER_INVALID = Rule(
    id="header-invalid",
    summary="The name or value of a header cannot be sent.",
    explanation=(
        "Names consist of letters, digits and a few punctuation marks. A value is printable ASCII on one "
        "line, without spaces at either end. A name may occur only once, regardless of case."
    ),
    message="{name!r} is not a header name",
    hint="Use letters, digits and hyphens.",
    variants={
        "repeated": (
            "the header {name} occurs twice, first as {first}",
            "Keep one of them: header names are not case-sensitive.",
        ),
        "character": (
            "the header's value contains the character U+{code:04X}, which cannot be sent",
            "Use printable ASCII on one line.",
        ),
        "space": ("the header's value begins or ends with a space, which would be dropped", "Remove the space."),
    },
    bad="headers:\n  X Source: hookctl",
    good="headers:\n  X-Source: hookctl",
)

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[^\t\x20-\x7e]")


def check(notes: Notes, _plugins: Plugins) -> None:
    """Note what cannot be sent of a webhook's headers."""
    check_sendable(notes, ("headers",), notes.webhook.fields.get("headers"))


def check_sendable(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Note what cannot be sent of ``headers``, a mapping that stands at ``pointer``."""
    first: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, dict) else ():
        place, known = (*pointer, name), first.setdefault(name.lower(), name)
        if name.lower() in RESERVED:
            continue  # such a header has to go, whatever its value is
        if not _NAME.fullmatch(name):
            notes.add(HEADER_INVALID, place, at_key=True, name=brief(name))
        elif known != name:
            notes.add(HEADER_INVALID, place, "repeated", at_key=True, name=brief(name), first=brief(known))
        elif isinstance(value, str):
            _check_value(notes, place, value)


def _check_value(notes: Notes, place: Pointer, value: str) -> None:
    if bad := _BAD_IN_VALUE.search(value):
        notes.add(HEADER_INVALID, place, "character", part=bad.span(), code=ord(bad[0]))
    elif value != value.strip(" \t"):
        notes.add(HEADER_INVALID, place, "space")
