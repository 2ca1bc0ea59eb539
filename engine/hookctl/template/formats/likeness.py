"""What a body template that is not JSON looks like, to name the field that its author needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_NOT_JSON

_TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
"""Also without an end, as raw text can be: so that none is looked for again from each of many beginnings."""
_FORM = re.compile(r"[\w.\[\]%$-]+=[^&]*(?:&\s*[\w.\[\]%$-]+=[^&]*)+|[\w.\[\]%$-]+=[^&\s]*", re.ASCII)
_JSON_WORD = re.compile(r"[\w.+-]*", re.ASCII)
_ELEMENT = re.compile(r"<[?!A-Za-z_]")
_MARK = "$"
"""Stands for an expression."""


def advised(problems: Iterable[Problem], text: str) -> list[Problem]:
    """The problems of a template under ``body_format: json``, with the advice for what the template seems to be."""
    problems = list(problems)
    if not any(problem.rule == TEMPLATE_NOT_JSON.id for problem in problems):
        return problems
    hint = _instead(_TEMPLATE.sub(lambda match: _MARK if match[0].startswith("{{") else "", text).strip())
    if not hint:
        return problems
    return [replace(problem, hint=hint) if problem.rule == TEMPLATE_NOT_JSON.id else problem for problem in problems]


def _instead(outline: str) -> str:
    """The hint for a template of which ``outline`` is left without tags; empty for one that is meant to be JSON."""
    if not outline or outline[0] in "{[\"'/" or _JSON_WORD.fullmatch(outline):
        return ""
    if _ELEMENT.match(outline):
        return "If the target expects XML, add body_format: xml. A body template is JSON by default."
    if _FORM.fullmatch(outline):
        name = outline.partition("=")[0]
        example = f"form: {{{name}: '...'}}" if re.fullmatch(r"\w+", name) else "form: with a line for each field"
        return f"If the target expects a form, write {example} instead of body_template."
    return "If the target expects plain text, add body_format: text. In JSON, put text in double quotes."
