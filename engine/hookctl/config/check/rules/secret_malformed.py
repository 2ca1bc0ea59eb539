"""Texts that look like references and are not. Expressions in URLs and headers share the rule."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes, listed
from hookctl.config.check.secrets import references, scheme_of
from hookctl.model import Pointer, brief
from hookctl.model.rules.fields import SECRET_MALFORMED
from hookctl.model.secret import RESOLVED, intended
from hookctl.plugin.calls import Plugins

_PATH = re.compile(r"\$\{\s*((?:data|event_type|event_time|id)(?:\.\w+)*)\s*\}")
_OPENING = re.compile(r"\{[{%#]")


def check(notes: Notes, plugins: Plugins) -> None:
    """Note what looks like a reference where one would be resolved."""
    for pointer, attempt in references(notes, _is_malformed):
        text = attempt[0]
        if _OPENING.search(text, len("${")):
            notes.add(SECRET_MALFORMED, pointer, "expression", part=attempt.span())
            continue
        if path := _PATH.fullmatch(text):
            notes.add(SECRET_MALFORMED, pointer, "path", part=attempt.span(), text=brief(text), path=brief(path[1]))
            continue
        meant = intended(text)
        notes.add(
            SECRET_MALFORMED,
            pointer,
            part=attempt.span(),
            suggestions=(meant,) if meant else (),
            text=brief(text),
            schemes=listed(plugins.secret_sources),
        )


def _is_malformed(pointer: Pointer, attempt: re.Match[str]) -> bool:
    # In a URL the rules for URLs refuse the brace.
    return pointer[0] in RESOLVED and pointer[0] != "url" and not scheme_of(attempt)
