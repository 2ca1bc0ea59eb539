"""Texts that look like references and are not. Expressions in URLs and headers share the rule."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes, listed
from hookctl.config.check.secrets import references, scheme_of
from hookctl.model import Pointer, brief
from hookctl.model.rules.fields import SECRET_MALFORMED
from hookctl.model.secret import RESOLVED
from hookctl.plugin.calls import Plugins

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(notes: Notes, plugins: Plugins) -> None:
    """Note what looks like a reference where one would be resolved."""
    for pointer, attempt in references(notes, _is_malformed):
        notes.add(
            SECRET_MALFORMED,
            pointer,
            part=attempt.span(),
            suggestions=_repaired(attempt[0]),
            text=brief(attempt[0]),
            schemes=listed(plugins.secret_sources),
        )


def _is_malformed(pointer: Pointer, attempt: re.Match[str]) -> bool:
    # In a URL the rules for URLs refuse the brace.
    return pointer[0] in RESOLVED and pointer[0] != "url" and not scheme_of(attempt)


def _repaired(attempt: str) -> tuple[str, ...]:
    name = attempt.strip("${}")
    return (f"${{env:{name}}}",) if _NAME.fullmatch(name) else ()
