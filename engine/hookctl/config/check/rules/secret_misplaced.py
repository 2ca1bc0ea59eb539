"""References in fields that are taken as they are written. Expressions in URLs and headers share the rule."""

from __future__ import annotations

import re
from dataclasses import replace

from hookctl.config.check.notes import Notes
from hookctl.config.check.secrets import references, scheme_of
from hookctl.model import Pointer, Severity, brief
from hookctl.model.rules.fields import SECRET_MISPLACED
from hookctl.model.secret import RESOLVED, intended
from hookctl.plugin.calls import Plugins

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A variable of a shell. These fields are not sent, so no target wants it as it is."""


def check(notes: Notes, plugins: Plugins) -> None:
    """Note references and variables outside of the fields in which references are resolved."""

    def is_misplaced(pointer: Pointer, attempt: re.Match[str]) -> bool:
        is_reference = scheme_of(attempt) in plugins.secret_sources
        return pointer[0] not in RESOLVED and (is_reference or _VARIABLE.fullmatch(attempt[0]) is not None)

    for pointer, attempt in references(notes, is_misplaced):
        text, field = brief(attempt[0]), pointer[0]
        if scheme_of(attempt):
            notes.add(SECRET_MISPLACED, pointer, part=attempt.span(), text=text, field=field)
        else:
            meant = brief(intended(attempt[0]))
            problem = SECRET_MISPLACED.problem(*attempt.span(), "variable", text=text, field=field, meant=meant)
            notes.add_problem(replace(problem, severity=Severity.WARNING), pointer)
