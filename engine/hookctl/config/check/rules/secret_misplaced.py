"""References in fields that are taken as they are written. Expressions in URLs and headers share the rule."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes
from hookctl.config.check.secrets import references, scheme_of
from hookctl.model import Pointer, brief
from hookctl.model.rules.fields import SECRET_MISPLACED
from hookctl.model.secret import RESOLVED
from hookctl.plugin.calls import Plugins


def check(notes: Notes, plugins: Plugins) -> None:
    """Note references outside of the fields in which they are resolved."""

    def is_misplaced(pointer: Pointer, attempt: re.Match[str]) -> bool:
        # Any other ${...} may be text that the target wants.
        return pointer[0] not in RESOLVED and scheme_of(attempt) in plugins.secret_sources

    for pointer, attempt in references(notes, is_misplaced):
        notes.add(SECRET_MISPLACED, pointer, part=attempt.span(), text=brief(attempt[0]), field=pointer[0])
