"""Compiles the JMESPath expressions of templates and ``when``, and limits their length, depth and steps."""

from __future__ import annotations

import json
import re
from typing import cast

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from hookctl.bounded import MAX_EXPRESSION, Budget
from hookctl.bounded.jmes_path import FAILURES, MAX_LEVELS, Ast, evaluate, size, walk
from hookctl.errors import BudgetError, RenderError, TemplateError
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.model.quantities import counted
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import TEMPLATE_FILTER

_CASE = "JMESPath does not change case. List the values: contains(['High', 'HIGH'], data.severity)"
_FUNCTION_ADVICE = dict.fromkeys(("lower", "upper", "tolowercase", "touppercase", "casefold"), _CASE)
"""What to write instead of functions of other languages, by their names in lower case."""
MAX_NESTING = 20
"""The maximum nesting of brackets and ``!``: jmespath's parser recurses at each."""

_QUOTED_OR_SIGN = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|&&|\|\|?|[!=<>]=|[<>,]|[(\[{!&)\]}]""", re.DOTALL
)
"""Quoted text, an operator between two operands, or what starts or ends a level: a bracket, ``!`` or ``&``."""


def compile_expression(text: str, rule: Rule = TEMPLATE_FILTER) -> ParsedResult:
    """The compiled expression.

    Raises:
        TemplateError: The expression is invalid, with ``rule``, and offsets into ``text``.
    """
    if len(text) > MAX_EXPRESSION:
        what = f"the JMESPath expression has more than {MAX_EXPRESSION} characters"
        raise rule.error(MAX_EXPRESSION, len(text), what=what, fix="Shorten it.")
    _check_text(text, rule)
    try:
        parsed = jmespath.compile(text)
    except JMESPathError as error:
        raise _syntax_error(error, text, rule) from None
    except (
        RecursionError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
    ) as error:  # exceptions that jmespath leaks for unusual input
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        what = f"the JMESPath expression cannot be read: {why}"
        raise rule.error(0, len(text), what=what, fix="See jmespath.org.") from None
    if size(syntax_tree(parsed)) is None:
        what = f"the JMESPath expression has more than {MAX_LEVELS} steps in a row"
        raise rule.error(0, len(text), what=what, fix="Shorten it.")
    return parsed


def syntax_tree(compiled: ParsedResult) -> Ast:
    """The root node of a compiled expression."""
    return cast("Ast", compiled.parsed)


def check_calls(text: str, compiled: ParsedResult, rule: Rule = TEMPLATE_FILTER) -> None:
    """Check the names of functions and the numbers of their arguments.

    Raises:
        TemplateError: A function does not exist or has the wrong number of arguments, with ``rule`` and offsets.
    """
    for node in walk(syntax_tree(compiled)):
        if node["type"] != "function_expression":
            continue
        name, given = node["value"], len(node["children"])
        place = re.search(rf"\b{re.escape(name)}(?=\s*\()", text)
        start = place.start() if place else 0
        known = Functions.FUNCTION_TABLE
        if name not in known:
            near = nearest(name, known)
            fix = _FUNCTION_ADVICE.get(name.lower(), "")
            fix = fix or (f"Did you mean {near[0]}()?" if near else "See jmespath.org for its functions.")
            raise rule.error(start, start + len(name), what=f"JMESPath has no function {name}()", fix=fix)
        signature = known[name]["signature"]
        is_variadic = bool(signature) and bool(signature[-1].get("variadic"))
        if given < len(signature) or (given > len(signature) and not is_variadic):
            wanted = f"{'at least ' if is_variadic else ''}{counted(len(signature), 'argument')}"
            what, fix = f"{name}() takes {wanted}, not {given}", "See jmespath.org for its functions."
            raise rule.error(start, start + len(name), what=what, fix=fix)


def search(compiled: ParsedResult, value: Json, budget: Budget) -> Json:
    """The result for a value. It may contain parts of the value many times: weigh it before you walk through it.

    Raises:
        RenderError: A function or comparison does not accept the value, or it takes too many steps.
    """
    try:
        return evaluate(syntax_tree(compiled), value, budget)
    except BudgetError as error:
        message = f"{compiled.expression} cannot be applied to the event: {error.message}"
        raise RenderError(message, hint="Use less of the event.") from None
    except FAILURES as error:
        raise RenderError(
            f"{compiled.expression} cannot be applied to the event: {error}",
            hint="Check the types in its comparisons and function calls.",
        ) from None


def is_true(result: Json) -> bool:
    """JMESPath's truth: everything is true except null, false and empty values; 0 is true."""
    return not (result is None or result is False or (isinstance(result, (str, list, dict)) and not result))


def _check_text(text: str, rule: Rule) -> None:
    """Check the text before jmespath reads it: the nesting of brackets, and JSON in backticks."""
    outer = [0]
    depth = 0
    for found in _QUOTED_OR_SIGN.finditer(text):
        sign = found[0]
        if sign[0] == "`":
            _check_literal(found, rule)
        elif sign in ("!", "&"):
            depth += 1
        elif sign in ("(", "[", "{"):
            depth += 1
            outer.append(depth)
        elif sign[0] not in "'\"":
            if sign in (")", "]", "}") and len(outer) > 1:
                outer.pop()
            depth = outer[-1]
        if depth > MAX_NESTING:
            at = found.start()
            what = f"the JMESPath expression is nested deeper than {MAX_NESTING}"
            raise rule.error(at, at + 1, what=what, fix="Flatten it.")


def _check_literal(quoted: re.Match[str], rule: Rule) -> None:
    """Refuse backticks that do not contain JSON. jmespath reads them as text; other implementations refuse them."""
    try:
        json.loads(quoted.group()[1:-1].replace("\\`", "`"))
    except (ValueError, RecursionError):
        hint = "Write text in single quotes: 'High'; backticks hold JSON: `5`, `true`, `\"High\"`."
        raise rule.error(*quoted.span(), what=f"{quoted.group()} is not JSON", fix=hint) from None


def _syntax_error(error: JMESPathError, text: str, rule: Rule) -> TemplateError:
    start = end = len(text)
    if isinstance(error, LexerError):
        start = error.lexer_position
        message = error.message
    elif isinstance(error, ParseError):
        start = error.lex_position
        message = (
            f"{error.token_value!r} is not expected here" if error.token_value else "the expression is not complete"
        )
    else:
        start, message = 0, str(error).rstrip(".") if text.strip() else "it is empty"
    start = min(start, max(len(text) - 1, 0))
    what = f"the JMESPath expression cannot be read: {message}"
    return rule.error(start, max(end, start + 1), what=what, fix="See jmespath.org for the syntax.")
