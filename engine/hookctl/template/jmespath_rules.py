"""What templates and ``when`` may ask of JMESPath: bounded in length, in depth, and in how far a result can outgrow the event."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.parser import ParsedResult

from hookctl.errors import RenderError, TemplateError
from hookctl.model import Json
from hookctl.template.when import MAX_CHARACTERS

MAX_NESTING = 20
MAX_STEPS = 60
"""Levels of the parsed expression: each ``|``, ``||``, ``[*]`` and so on adds one."""
MAX_GROWTH = 16
"""How many times as large as the event a result may be: ``[@, @] | [@, @]`` is four times as large, and so on."""

_QUOTED_OR_BRACKET = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|[(\[{!&)\]}]""", re.DOTALL)

Ast = dict[str, Any]


def compile_expression(text: str, rule: str = "template-filter") -> tuple[ParsedResult, int]:
    """The compiled expression and the number of its nodes.

    Raises:
        TemplateError: with ``rule``, and offsets into ``text``.
    """
    if len(text) > MAX_CHARACTERS:
        raise TemplateError(
            f"the JMESPath expression has more than {MAX_CHARACTERS} characters", hint="Shorten it.", rule=rule, start=MAX_CHARACTERS, end=len(text)
        )
    _check_text(text, rule)
    try:
        parsed = jmespath.compile(text)
    except JMESPathError as error:
        raise _syntax_error(error, text, rule) from None
    except (RecursionError, ValueError, TypeError, AttributeError, IndexError) as error:  # what jmespath lets through for odd input
        raise TemplateError(f"the JMESPath expression cannot be read: {error}", hint="See jmespath.org.", rule=rule, start=0, end=len(text)) from None
    tree = syntax_tree(parsed)
    size = _size(tree)
    if size is None:
        raise TemplateError(f"the JMESPath expression has more than {MAX_STEPS} steps in a row", hint="Shorten it.", rule=rule, start=0, end=len(text))
    growth = _growth(tree)
    if growth > MAX_GROWTH:
        raise TemplateError(
            f"the result of the JMESPath expression can be {growth} times as large as the event", hint="Repeat less of it.", rule=rule, start=0, end=len(text)
        )
    return parsed, size


def syntax_tree(compiled: ParsedResult) -> Ast:
    """The root node of a compiled expression."""
    return cast("Ast", compiled.parsed)


def search(compiled: ParsedResult, value: Json) -> Json:
    """The result for a value.

    Raises:
        RenderError: a function or comparison does not fit the value.
    """
    try:
        return cast("Json", compiled.search(value))
    except (JMESPathError, TypeError, ValueError, AttributeError, KeyError, IndexError, ArithmeticError, RecursionError) as error:
        raise RenderError(f"{compiled.expression} cannot be applied to the event: {error}", hint="Check the types of what it compares and calls.") from None


def is_true(result: Json) -> bool:
    """Truth as JMESPath has it: everything but null, false and what is empty; 0 is true."""
    return not (result is None or result is False or (isinstance(result, (str, list, dict)) and not result))


def _check_text(text: str, rule: str) -> None:
    """What must hold before jmespath reads the text: brackets not too deep, and JSON in the backticks."""
    depth = 0
    for found in _QUOTED_OR_BRACKET.finditer(text):
        sign = found[0][0]
        if sign == "`":
            _check_literal(found, rule)
        depth += (sign in "([{!&") - (sign in ")]}")
        if depth > MAX_NESTING:
            at = found.start()
            raise TemplateError(f"the JMESPath expression is nested deeper than {MAX_NESTING}", hint="Flatten it.", rule=rule, start=at, end=at + 1)


def _check_literal(quoted: re.Match[str], rule: str) -> None:
    """Jmespath takes ``foo`` in backticks for text, with a warning that nobody sees; another JMESPath would refuse it."""
    try:
        json.loads(quoted.group()[1:-1].replace("\\`", "`"))
    except (ValueError, RecursionError):
        hint = "Write text in single quotes: 'High'; backticks hold JSON: `5`, `true`, `\"High\"`."
        raise TemplateError(f"{quoted.group()} is no JSON", hint=hint, rule=rule, start=quoted.start(), end=quoted.end()) from None


def _size(tree: Ast) -> int | None:
    """The number of nodes; None for a tree that is deeper than jmespath, which calls itself at each level, can be trusted with."""
    level, size = [tree], 0
    for _ in range(MAX_STEPS):
        size += len(level)
        level = [child for node in level for child in node.get("children", ()) if isinstance(child, dict)]
        if not level:
            return size
    return None


def _syntax_error(error: JMESPathError, text: str, rule: str) -> TemplateError:
    start = end = len(text)
    if isinstance(error, LexerError):
        start = error.lexer_position
        message = error.message
    elif isinstance(error, ParseError):
        start = error.lex_position
        message = f"{error.token_value!r} is not expected here" if error.token_value else "the expression is not complete"
    else:
        start, message = 0, str(error)
    start = min(start, max(len(text) - 1, 0))
    return TemplateError(
        f"the JMESPath expression cannot be read: {message}", hint="See jmespath.org for the syntax.", rule=rule, start=start, end=max(end, start + 1)
    )


def _growth(node: Ast) -> int:
    """An upper bound of how many times as large as its input a node's result is."""
    kind, children = node["type"], [child for child in node.get("children", ()) if isinstance(child, dict)]
    if kind in {"multi_select_list", "multi_select_dict", "or_expression", "and_expression"}:
        return max(1, sum(map(_growth, children)))
    if kind == "function_expression":
        growing = {"to_string": 2, "join": MAX_GROWTH + 1 if children and children[0]["type"] != "literal" else 2, "map": 1}
        product = 1
        for child in children:
            product *= _growth(child)
        return product * growing.get(node["value"], 1)
    product = 1
    for child in children:
        product *= _growth(child)
    return product
