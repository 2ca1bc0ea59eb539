"""Recognizes the syntax of other template languages by name, and shows how to write the same here.

Each language is a table: a pattern for what is between the delimiters, and what to write, in which ``{a}`` stands for
the group ``a``. The first row that matches counts. Only what Jinja's parser cannot read is looked at.
"""

from __future__ import annotations

import re

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_SYNTAX
from hookctl.template.language.replacements import offers_only_filters

MAX_LENGTH = 300
"""Characters between delimiters. What is longer is not looked at."""
_NEAR = 5000
"""Characters before an expression in which the language of a word that several have is looked for."""

_GO_BEFORE = re.compile(r"\{\{-?\s*(?:if|with|range)\s")
_GO_LOOP_BEFORE = re.compile(r"\{\{-?\s*range\s")


def explain(text: str, start: int) -> TemplateError | None:
    """The error for the form of another language whose delimiter is at ``start``; None if there is none."""
    # imported here, because the tables take longer to compile than a template, and only templates with errors need them
    from hookctl.template.language.foreign_tables import OUTPUTS, TAGS
    from hookctl.template.language.foreign_values import handlebars_path

    if text.startswith("{{{", start) and (triple := _between(text, start, "{{{", "}}}")) is not None:
        inside, end = triple
        return _error(start, end, text[start:end], "Handlebars", f"Write {{{{ {handlebars_path(inside)} }}}}.")
    is_tag = text.startswith("{%", start)
    found = _between(text, start, "{%", "%}") if is_tag else _between(text, start, "{{", "}}")
    if found is None:
        return None
    inside, end = found
    before = text[max(0, start - _NEAR) : start]
    for language, pattern, fix in TAGS if is_tag else OUTPUTS:
        if (form := pattern.fullmatch(inside)) and (language != "Go" or inside != "else" or _is_go(before)):
            return _error(start, end, text[start:end], language, _fix(language, fix, form, before))
    return None


def _between(text: str, start: int, opening: str, closing: str) -> tuple[str, int] | None:
    """What is between the delimiters, without white space and the signs that remove it, and where it ends.

    None for a text without ``closing`` near ``start``, or with other braces between the delimiters of an output.
    """
    first = start + len(opening)
    last = text.find(closing, first, first + MAX_LENGTH + len(closing))
    if last < 0:
        return None
    inside = text[first:last]
    if opening != "{%" and ("{" in inside or "}" in inside):
        return None
    if inside[:1] == "-" or (opening == "{%" and inside[:1] == "+"):
        inside = inside[1:]
    if inside[-1:] == "-" or (opening == "{%" and inside[-1:] == "+"):
        inside = inside[:-1]
    return inside.strip(), last + len(closing)


def _fix(language: str, fix: str, found: re.Match[str], before: str) -> str:
    from hookctl.template.language.foreign_values import VALUES

    write = VALUES[language]
    words = {name: write(value.strip()) if name in "abcd" else value for name, value in found.groupdict("").items()}
    if language == "Go" and _GO_LOOP_BEFORE.search(before):
        words = {name: re.sub(r"^data\b", "item", value) for name, value in words.items()}
    advice = fix.format(**words)
    if not offers_only_filters(advice):
        advice = "Filters have their arguments in parentheses: {{ data.name | default('none') }}."
    return f"{advice} Remove the = before it." if language == "n8n" and before.endswith("=") else advice


def _is_go(before: str) -> bool:
    return _GO_BEFORE.search(before) is not None


def _error(start: int, end: int, found: str, language: str, fix: str) -> TemplateError:
    return TEMPLATE_SYNTAX.error(start, end, what=f"{found} is {language}", fix=fix)
