"""Says what Jinja's parser found wrong, and what to write: its messages are about tokens, ours about the template."""

from __future__ import annotations

import re

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_SYNTAX
from hookctl.template.language.token_table import Tokens
from hookctl.template.language.words import KEYWORDS

_FORMS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), what, fix)
    for pattern, what, fix in (
        (
            r"Expected an expression, got|^unexpected '",
            "a value is missing before {got}",
            "Write a value, or remove what asks for one.",
        ),
        (r"^expected name or number", "a key is missing after '.'", 'Write a.key, a[0] or a["key"].'),
        (r"^expected token 'name'", "a name is missing before {got}", "Write a name in place of {got}."),
        (r"^expected token 'in'", "'in' is missing after the name of the loop", "Write {{% for name in list %}}."),
        (r"^expected token '([^'\w])'", "{expected} is missing before {got}", "Write {expected}, or remove {got}."),
        (r"chain multiple tests", "a test follows a test", "Join two tests with 'and'."),
        (r"invalid syntax for function call", "a plain argument follows a named one", "Write the named ones last."),
        (r"^can't assign to", "this cannot be a name", "Write a name that is not a word of the language."),
    )
)
_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), what, fix)
    for pattern, what, fix in (
        (
            r"\[\s*\*$",
            "[*] is not part of templates",
            "For a field of each item, write data.alerts | map(attribute='name') | list.",
        ),
        (r"[^=!<>]=$", "= does not compare", "Write == to compare."),
        (
            r"\bfor$",
            "a loop cannot be part of an expression",
            "Write data.alerts | map(attribute='name') | list, or {% for item in data.tags %} around the text.",
        ),
    )
)
"""What is wrong by the text up to the end of the token, whatever the parser expected."""
_NEAR = 100
"""Characters of that text that are looked at."""


def explain(message: str, number: int, tokens: Tokens) -> TemplateError:
    """The error for a message of Jinja's parser about the token with this number."""
    number = min(number, len(tokens.stream) - 1)
    start, end = tokens.starts[number], tokens.ends[number]
    got = repr(tokens.text[start:end])
    what, fix = f"{got} is not expected here", "Remove it, or end the expression before it."
    if _follows_if(number, tokens):
        what = "a choice needs parentheses here"
        fix = "Write (a is none) if condition else b, and {% if (a if b else c) %}."
    elif word := next((row for row in _WORDS if row[0].search(tokens.text[max(0, end - _NEAR) : end])), None):
        what, fix = word[1:]
    else:
        for pattern, form, advice in _FORMS:
            if match := pattern.search(message):
                words = {"got": got, "expected": repr(match[1]) if match.groups() else ""}
                what, fix = form.format(**words), advice.format(**words)
                break
    return TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix)


def _follows_if(number: int, tokens: Tokens) -> bool:
    """Whether the parser took an ``if`` for the argument of a test, or stopped at one in a tag."""
    at = next(
        (n for n in (number, number - 1) if tokens.stream[n].value == "if" and tokens.stream[n].type == "name"), 0
    )
    return (
        at > 1
        and tokens.stream[at - 1].type != "block_begin"
        and tokens.stream[at - 1].value not in KEYWORDS - {"none"}
    )
