"""Recognizes Handlebars, and shows the same in Jinja's syntax."""

from __future__ import annotations

import re

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_SYNTAX

_PATH = r"[\w.\[\]/@-]+"
_FORMS = (
    (re.compile(r"\{\{\{(?P<a>[^{}]+)\}\}\}"), "{{{{ {a} }}}}"),
    (re.compile(rf"\{{\{{\s*#if\s+(?P<a>{_PATH})\s*\}}\}}"), "{{% if {a} %}} ... {{% endif %}}"),
    (re.compile(rf"\{{\{{\s*#unless\s+(?P<a>{_PATH})\s*\}}\}}"), "{{% if not {a} %}} ... {{% endif %}}"),
    (
        re.compile(rf"\{{\{{\s*#each\s+(?P<a>{_PATH})(?:\s+as\s+\|(?P<b>\w+)[^{{}}]*|\s*)\}}\}}"),
        "{{% for {b} in {a} %}} ... {{% endfor %}}",
    ),
    (re.compile(r"\{\{\s*(?:else|\^)\s*\}\}"), "{{% else %}}"),
    (re.compile(r"\{\{\s*/(?:if|unless)\s*\}\}"), "{{% endif %}}"),
    (re.compile(r"\{\{\s*/each\s*\}\}"), "{{% endfor %}}"),
    (re.compile(r"\{\{\s*!(?:--)?(?P<a>[^{}]*?)(?:--)?\}\}"), "{{# {a} #}}"),
    (re.compile(r"\{\{\s*@(?P<a>index|first|last)\s*\}\}"), "{{{{ loop.{a} }}}}"),
    (re.compile(r"\{\{\s*(?P<a>\w[\w.-]*(?:\.\[[^\]]+\][\w.-]*)+)\s*\}\}"), "{{{{ {a} }}}}"),
    (re.compile(r"\{\{\s*(?P<a>[A-Za-z_][\w.]*(?:-\w[\w.]*)+)\s*\}\}"), "{{{{ {a} }}}}"),
    (re.compile(r"\{\{\s*[#/>&^](?P<a>[^}]*)\}\}"), ""),
)


def explain(text: str, start: int) -> TemplateError | None:
    """The finding for the Handlebars form that begins at ``start``; None if there is none."""
    for pattern, same in _FORMS:
        match = pattern.match(text, start)
        if match is None:
            continue
        found = {name: _path((value or "item").strip()) for name, value in match.groupdict().items()}
        hint = f"Write {same.format(**found)}." if same else "`hookctl explain templates` shows what to write instead."
        return TEMPLATE_SYNTAX.error(start, match.end(), what=f"{match.group()} is Handlebars", fix=hint)
    return None


def _path(path: str) -> str:
    """A Handlebars path in Jinja's syntax.

    ``groups.[0].name`` is ``groups[0].name``, ``a.b-c`` is ``a["b-c"]``, and ``a-b`` is ``data["a-b"]``.
    """
    if path in {"this", "."}:
        return "item"
    if path == "index":
        return "index0"
    path = re.sub(r"\.?\[(\d+)\]", r"[\1]", path)
    path = re.sub(r"\.?\[([^\]\d\"'][^\]]*)\]", r'["\1"]', path)
    path = re.sub(r"^(\w+(?:-\w+)+)", r"data.\1", path)
    return re.sub(r"\.(\w+(?:-\w+)+)", r'["\1"]', path)
