"""Secrets that are written out in the URL, the headers, the form or the body. Settings of plugins share the rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hookctl.config.check.literals import Literal, in_body, in_header, in_url
from hookctl.config.check.notes import Notes
from hookctl.model import Pointer, Severity, brief
from hookctl.model.rules.fields import SECRET_LITERAL
from hookctl.model.secret import SecretReference
from hookctl.plugin.calls import Plugins


def check(notes: Notes, _plugins: Plugins) -> None:
    """Warn of what looks like a secret where a webhook may also have other text."""
    fields = notes.webhook.fields
    url, body = fields.get("url"), fields.get("body_template")
    if isinstance(url, str):
        _warn(notes, ("url",), in_url(url))
    for field in ("headers", "form"):
        named = fields.get(field)
        for name, value in named.items() if isinstance(named, dict) else ():
            if isinstance(value, str) and not notes.has((field, name)):
                _warn(notes, (field, name), in_header(name, value))
    if isinstance(body, str):
        _warn(notes, ("body_template",), in_body(body))


def _warn(notes: Notes, pointer: Pointer, literals: Iterable[Literal]) -> None:
    for one in literals:
        if one.has_shape:
            problem = SECRET_LITERAL.problem(one.start, one.end, "shape", what=one.what)
        else:
            meant = [str(SecretReference("env", one.variable))] if one.variable else []
            problem = SECRET_LITERAL.problem(one.start, one.end, "named", name=brief(one.what), suggestions=meant)
        notes.add_problem(replace(problem, severity=Severity.WARNING), pointer)
