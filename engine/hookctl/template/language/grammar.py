"""Runs Jinja's parser over the tokens of a template, again and again until every error is found.

Jinja stops at the first error. So the expression in which it stops is replaced by a hole, and the parser runs again.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from hookctl.errors import TemplateError
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_TOO_LARGE
from hookctl.template.language import foreign
from hookctl.template.language.conversion import Converter
from hookctl.template.language.reading import Reading
from hookctl.template.language.syntax_errors import explain
from hookctl.template.language.token_table import Segment, Tokens
from hookctl.template.language.tokens import tokenize

MAX_ERRORS = 10
"""Errors that only the parser finds, and that one check reports. Each costs another run."""
MAX_PARSED = 192 * 1024
"""Characters that all these runs may read: a long template with errors is read three times."""


@cache
def _environment() -> Environment:
    return Environment()  # noqa: S701 - only its grammar is used; nothing is rendered


def read_with_jinja(text: str, *, is_line: bool = False) -> Reading:
    """Read a template, or a line; the errors are in the order of the text.

    Raises:
        TemplateError: the template is nested too deeply.
    """
    try:
        return _read(text, is_line=is_line)
    except RecursionError:
        what = "the template is nested too deeply"
        raise TEMPLATE_TOO_LARGE.error(0, len(text), what=what, fix="Split it.") from None


def _read(text: str, *, is_line: bool) -> Reading:
    holes: set[int] = set()
    problems: list[Problem] = []
    while True:
        tokens = tokenize(text, frozenset(holes))
        if not tokens.stream:
            return Reading((), tuple(tokens.problems), tokens.is_partial)
        try:
            tree = _subparse(tokens)
            break
        except TemplateSyntaxError as error:
            segment = _segment_at(tokens, error.lineno)
            problems.append(_problem(error, segment, tokens))
            is_enough = len(problems) == MAX_ERRORS or len(problems) * len(text) > MAX_PARSED
            if segment is None or segment.start in holes or is_enough:
                return Reading((), _sorted(problems, tokens.problems), is_partial=True)
            holes.add(segment.start)
    converter = Converter(tokens, is_line=is_line)
    converted = converter.body(tree, {})
    converter.unused()
    return Reading(converted, _sorted(problems, tokens.problems, converter.problems), tokens.is_partial)


def _subparse(tokens: Tokens) -> list[nodes.Node]:
    parser = Parser(_environment(), "")
    parser.stream = TokenStream(tokens.stream, None, None)
    return parser.subparse()


def _segment_at(tokens: Tokens, number: int) -> Segment | None:
    """The expression or tag that the token with this number is part of."""
    at = bisect_right(tokens.segments, number, key=lambda segment: segment.first - 1)
    return tokens.segments[at - 1] if at else None


def _problem(error: TemplateSyntaxError, segment: Segment | None, tokens: Tokens) -> Problem:
    explained: TemplateError | None = foreign.explain(tokens.text, segment.start) if segment else None
    return Problem.from_error(explained or explain(error.message or "", error.lineno, tokens))


def _sorted(*problems: list[Problem]) -> tuple[Problem, ...]:
    found = dict.fromkeys(problem for some in problems for problem in some)
    return tuple(sorted(found, key=lambda problem: (problem.start, problem.end)))
