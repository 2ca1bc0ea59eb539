"""References whose scheme no secret source has."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes, listed
from hookctl.config.check.secrets import references, scheme_of
from hookctl.model import Pointer, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.rule import Rule
from hookctl.model.secret import RESOLVED
from hookctl.plugin.calls import Plugins

UNKNOWN_SECRET_SCHEME = Rule(
    id="unknown-secret-scheme",
    summary="No secret source has this scheme.",
    explanation=(
        "The scheme is the part before the colon. It selects the source of a secret. `hookctl plugins` lists "
        "the sources."
    ),
    message="unknown secret scheme `{scheme}`",
    hint="Use one of the schemes {schemes}, or install the plugin that adds this one.{failed_hint}",
    bad="auth:\n  type: bearer\n  token: ${envv:SIEM_TOKEN}",
    good="auth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)


def check(notes: Notes, plugins: Plugins) -> None:
    """Note unknown schemes in the fields in which references are resolved."""
    sources = plugins.secret_sources

    def is_unknown(pointer: Pointer, attempt: re.Match[str]) -> bool:
        return pointer[0] in RESOLVED and scheme_of(attempt) not in {"", *sources}

    for pointer, attempt in references(notes, is_unknown):
        scheme, start = scheme_of(attempt), attempt.start() + len("${")
        notes.add(
            UNKNOWN_SECRET_SCHEME,
            pointer,
            part=(start, start + len(scheme)),
            suggestions=nearest(scheme, sources),
            scheme=brief(scheme),
            schemes=listed(sources),
            failed_hint=plugins.failed_hint,
        )
