"""Finds placeholders of other languages in text, where templates would send them as they are."""

from __future__ import annotations

import re

from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_PLACEHOLDER

_ERB = re.compile(r"<%(?P<kind>[=#-]?)(?P<inside>[^%]{0,200})%>")
_BRACES = re.compile(r"(?<![{$])(?P<sign>[#%]?)\{\s*(?P<path>data(?:\.[A-Za-z_]\w*)+|event_time|event_type)\s*\}(?!\})")
_PATH = re.compile(r"@?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_IF = re.compile(r"(if|unless|elsif)\s+(.+)")
_EACH = re.compile(r"@?([\w.]+)\.each\s+do\s*\|\s*(\w+)\s*\|")
_LANGUAGES = {"": "Python", "#": "Ruby", "%": "Terraform"}


def placeholder_problems(text: str) -> list[Problem]:
    """A warning for each placeholder in the syntax of ERB, EJS, Python, Ruby or Terraform."""
    problems = []
    if "<%" in text:
        for match in _ERB.finditer(text):
            inside = match["inside"].removesuffix("-").strip()
            fix = f"Write {_value_of_erb(match['kind'], inside)}." if match["kind"] else _tag_of_erb(inside)
            problems.append(_problem(match, "ERB", fix))
    if "{data." in text or "{event_" in text or "{ " in text:
        problems += [
            _problem(match, _LANGUAGES[match["sign"]], f"Write {{{{ {match['path']} }}}}.")
            for match in _BRACES.finditer(text)
        ]
    return problems


def _problem(match: re.Match[str], language: str, fix: str) -> Problem:
    return TEMPLATE_PLACEHOLDER.problem(*match.span(), found=match[0], language=language, fix=fix)


def _value_of_erb(kind: str, inside: str) -> str:
    if kind == "#":
        return f"{{# {inside.replace('#}', '')} #}}"
    path = _PATH.fullmatch(inside)
    return f"{{{{ {path[1] if path else 'data.name'} }}}}"


def _tag_of_erb(inside: str) -> str:
    if inside in {"end", "}"}:
        return "Write {% endif %} or {% endfor %}."
    if inside == "else":
        return "Write {% else %}."
    if each := _EACH.fullmatch(inside):
        return f"Write {{% for {each[2]} in {each[1]} %}}."
    condition = _IF.fullmatch(inside)
    path = _PATH.fullmatch(condition[2]) if condition else None
    if condition is None:
        return "Write {{ data.name }} for a value, and {% if data.name %} for a condition."
    word = {"if": "if ", "unless": "if not ", "elsif": "elif "}[condition[1]]
    return f"Write {{% {word}{path[1] if path else 'data.name'} %}}."
