"""Checks a mapping of headers: invalid headers, headers that only hookctl sets, and secrets that are written out."""

from __future__ import annotations

from hookctl.config.check.literals import has_secret_name, shapes_in
from hookctl.config.check.notes import Notes
from hookctl.config.check.rules.header_invalid import check_sendable
from hookctl.config.check.rules.header_reserved import check_reserved
from hookctl.config.check.secrets import check_secret
from hookctl.model import Json, Pointer


def check_headers(notes: Notes, pointer: Pointer, headers: Json) -> None:
    """Add a finding for every problem in ``headers``, the setting of a plugin at ``pointer``."""
    check_sendable(notes, pointer, headers)
    check_reserved(notes, pointer, headers)
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if has_secret_name(name) or (isinstance(value, str) and any(shapes_in(value))):
            check_secret(notes, (*pointer, name), value)
