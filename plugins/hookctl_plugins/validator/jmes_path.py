"""``jmespath``: an expression over the response must be true, or its value among the expected values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import jmespath
from jmespath.exceptions import JMESPathError, ParseError
from jmespath.functions import Functions
from jmespath.lexer import Lexer

from hookctl.bounded.jmes_path import FAILURES, MAX_LEVELS, evaluate, size, walk
from hookctl.errors import BudgetError, TemplateError
from hookctl.model import Json, Mismatch
from hookctl.model.nearest import nearest
from hookctl.model.quantities import counted
from hookctl.model.rules.texts import EXPRESSION_INVALID, VALIDATOR_UNKNOWN_PATH
from hookctl_plugins.validator.expected import accepted_scalars, is_accepted, kept, shown

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate

MEMBERS = ("data", "status", "headers")
COMPARE = ": compare it, as in data.status == 'ok', or list the values in expected_values"
"""Advice for a value that is neither true nor false. ``when`` accepts all but empty values, but here a text such as
``failed`` must not make an event count as delivered."""
FIRST_CHILD_ONLY = {
    "subexpression",
    "index_expression",
    "pipe",
    "projection",
    "value_projection",
    "filter_projection",
    "flatten",
    "slice",
}
"""Syntax tree nodes whose second and later children apply to the result of the first one."""


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``expression`` and ``expected_values``.

    Raises:
        TemplateError: The expression is invalid, or reads a value that a response does not have.
    """
    expression = cast("str", settings["expression"])
    tree, names = _compile(expression)
    expected = cast("list[Json] | None", settings.get("expected_values"))
    accepted = accepted_scalars([True] if expected is None else expected)
    label = f"jmespath {expression}"
    reads_body = "data" in names or "@" in names

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        if reads_body and envelope.problem:
            return (Mismatch(label, f"the body cannot be checked: {envelope.problem}", expression, expected),)
        reason = f"; {envelope.not_json}" if reads_body and envelope.not_json else ""
        document: dict[str, Json] = {
            "data": envelope.data,
            "status": envelope.status,
            "headers": dict(envelope.headers),
        }
        try:
            result = evaluate(tree, document, envelope.budget)
            envelope.budget.weigh(result)  # the message shows the value
        except (BudgetError, *FAILURES) as error:
            return (
                Mismatch(
                    label,
                    f"the expression cannot be evaluated on this response: {_reason(error)}{reason}",
                    expression,
                    expected,
                ),
            )
        if is_accepted(result, accepted):
            return ()
        wanted = "true" if expected is None else " or ".join(map(shown, expected))
        if expected is None and result is not None and not isinstance(result, bool) and not reason:
            reason = COMPARE
        return (
            Mismatch(
                label, f"the expression gives {shown(result)}, not {wanted}{reason}", expression, expected, kept(result)
            ),
        )

    return validate


def _compile(expression: str) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The parsed expression, and the parts of the response that it reads."""
    try:
        tree: Any = jmespath.compile(expression).parsed
        names = frozenset(_root_names(tree))
        calls = [(node["value"], len(node["children"])) for node in walk(tree) if node["type"] == "function_expression"]
    except RecursionError:
        raise _refusal("the expression is nested too deeply", 0, len(expression)) from None
    except ParseError as error:
        start = min(error.lex_position, max(0, len(expression) - 1))
        raise _refusal(
            f"not a valid JMESPath expression: {_reason(error)}", start, start + len(str(error.token_value or " "))
        ) from None
    except ValueError as error:  # the base of JMESPath's errors, and the error for a number of 5,000 digits
        raise _refusal(f"not a valid JMESPath expression: {_reason(error)}", 0, len(expression)) from None
    if size(tree) is None:
        raise _refusal(f"the expression has more than {MAX_LEVELS} steps in a row", 0, len(expression))
    for name, arguments in calls:
        _check_call(expression, name, arguments)
    for name in sorted(names - {*MEMBERS, "@"}):
        near = nearest(name, MEMBERS)
        start, end = _place(expression, name)
        hint = f"Did you mean {near[0]}?" if near else "Start with data for the body, status, or headers."
        raise VALIDATOR_UNKNOWN_PATH.error(start, end, what=f"a response has no {name!r}", fix=hint)
    return tree, names


def _root_names(node: Mapping[str, Any]) -> Iterator[str]:
    """The names that an expression reads from the response itself; ``@`` means all of it."""
    if node["type"] == "field":
        yield node["value"]
    elif node["type"] in {"current", "identity"}:
        yield "@"
    children = node["children"]
    for child in children[:1] if node["type"] in FIRST_CHILD_ONLY else children:
        if child["type"] != "expref":  # `&expression` applies to the items of a list
            yield from _root_names(child)


def _check_call(expression: str, name: str, arguments: int) -> None:
    known = Functions.FUNCTION_TABLE
    start, end = _place(expression, name)
    if name not in known:
        near = nearest(name, known)
        raise EXPRESSION_INVALID.error(
            start,
            end,
            what=f"JMESPath has no function {name}()",
            fix=f"Did you mean {near[0]}()?" if near else "See jmespath.org for its functions.",
        )
    signature = known[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if arguments < len(signature) or (arguments > len(signature) and not variadic):
        raise _refusal(
            f"{name}() takes {'at least ' if variadic else ''}{counted(len(signature), 'argument')}, not {arguments}",
            start,
            end,
        )


def _place(expression: str, name: str) -> tuple[int, int]:
    """The offsets of a name that is not a member of another value."""
    before = ""
    for token in Lexer().tokenize(expression):
        if token["value"] == name and before != "dot":
            return token["start"], token["end"]
        before = token["type"]
    return 0, len(expression)


def _refusal(message: str, start: int, end: int) -> TemplateError:
    return EXPRESSION_INVALID.error(start, end, what=message, fix="See jmespath.org; an example: data.status == 'ok'.")


def _reason(error: Exception) -> str:
    """The reason in one line. jmespath's own messages repeat the expression, with a caret."""
    if isinstance(error, BudgetError):
        return error.message
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, ParseError):
        return f"unexpected {error.token_value!r}" if error.token_value else "it is not complete"
    if isinstance(error, JMESPathError):
        return str(error).splitlines()[0]
    return f"{type(error).__name__}: {error}"
