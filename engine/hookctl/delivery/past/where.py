"""``--where``: a condition on events, given on the command line."""

from __future__ import annotations

from collections.abc import Mapping

from hookctl.errors import HookctlError
from hookctl.model import Json
from hookctl.store.history import Where
from hookctl.when.condition import compile_when


def where_of(text: str) -> Where:
    """The condition. An event for which it cannot be evaluated does not match.

    Raises TemplateError if it is not valid.
    """
    matches = compile_when(text).matches

    def holds(document: Mapping[str, Json]) -> bool:
        try:
            return matches(document)
        except HookctlError:
            return False

    return holds
