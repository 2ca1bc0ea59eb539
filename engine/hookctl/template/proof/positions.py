"""Decides how the template writes each output, by its position in the surrounding JSON.

A string is itself JSON text if its content begins with ``{`` or ``[``, contains a string, and is JSON with one value in
place of each output. Its outputs then have a position in *that* JSON, one string deeper. Any other string is prose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hookctl.errors import TemplateError
from hookctl.model.finding import Severity
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import (
    TEMPLATE_NEVER_PARSES,
    TEMPLATE_NOT_JSON,
    TEMPLATE_REPEATED_KEY,
    TEMPLATE_TOO_LARGE,
)
from hookctl.template.language.expressions import Expression, Node, Output, Text, walk
from hookctl.template.proof.conditions import tracked_atoms
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark, Slot, String, read, unescape
from hookctl.template.proof.repeated_keys import written_twice
from hookctl.template.proof.structure import ProofBudget, Prover, Way

_SPACE = " \t\n\r"

MAX_STRING_DEPTH = 4
"""The maximum nesting of JSON text in strings; each level can double the escapes of the level below."""
MAX_NAMED = 10
"""The number of conditions that a failure's message lists."""
MAX_WORDS = 100
"""The number of characters of each condition in the message."""


_FORMS = {
    "value": "a JSON value",
    "text": "text in a string",
    "key": "an object's key",
    "line": "text in a line",
    "literal": "fixed text",
    "content": "text in an XML element",
    "attribute": "an XML attribute's value",
    "field": "text in a form field",
}


@dataclass(frozen=True, slots=True)
class Position:
    """How a template writes an output."""

    form: str
    """``value``: as JSON. ``text``: a string as its text, anything else as its JSON text. ``key``: as text, for an
    object's key. In formats other than JSON, always as text: ``line``, ``literal`` (one of several constants),
    ``content`` and ``attribute``, and ``field`` in a form.
    """
    depth: int
    """The number of strings around the output; its text is escaped that many times."""

    def __str__(self) -> str:
        """A description for people."""
        what = _FORMS[self.form]
        levels = self.depth - (self.form != "value")
        return what + " of the JSON text in a string" * min(levels, 1) + f", {levels} strings deep" * (levels > 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions and problems of a template. ``positions`` has one for each output, by the offset of its ``{{``."""

    positions: dict[int, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def lay_out(nodes: Sequence[Node], text: str) -> Layout:
    """Decide every position, and prove that the template gives JSON on every path through it.

    Raises:
        TemplateError: The text is not JSON, a branch begins inside a string and ends outside (or the reverse), or the
            template has too many paths to follow.
    """
    placer = _Placer(tracked_atoms(nodes), text)
    tokens = read(nodes)
    prover = placer.prove(tokens, len(text))
    has_branches = any(isinstance(token, (Fork, Loop)) for token in tokens)
    never = has_branches and not prover.survives
    placer.layout.problems.extend(located(failure, way, never=never) for failure, way in prover.failures)
    if not prover.failures:
        placer.layout.problems.extend(_repeated(mark, mark.start, mark.end) for mark in written_twice(tokens))
    placer.place(tokens, 0, prover.keys)
    return placer.layout


def located(failure: Problem, way: Way, *, never: bool) -> Problem:
    """The problem to report: the failure with the decisions that lead to it, or, if ``never``, one for all."""
    if never:
        return TEMPLATE_NEVER_PARSES.problem(failure.start, failure.end, what=failure.message, fix=failure.hint)
    decided = [one if len(one) <= MAX_WORDS else f"{one[: MAX_WORDS - 3]}..." for one in dict.fromkeys(way)]
    if not decided:
        return failure
    when = f" (when {', '.join(decided[:MAX_NAMED])}{', ...' * (len(decided) > MAX_NAMED)})"
    return replace(failure, message=failure.message + when)


def _repeated(key: Mark, start: int, end: int) -> Problem:
    return TEMPLATE_REPEATED_KEY.problem(start, end, key=key.text)


class _Placer:
    """Builds a layout from the tokens, the outermost string first."""

    def __init__(self, tracked: frozenset[Expression], text: str) -> None:
        self.layout = Layout()
        self._tracked = tracked
        self._text = text
        self._budget = ProofBudget(text)

    def prove(self, tokens: Sequence[JsonToken], end: int) -> Prover:
        """The proof of one JSON text: of the template, or of a string in it."""
        prover = Prover(self._tracked, self._text, self._budget)
        prover.run(tokens, end)
        return prover

    def place(self, tokens: Sequence[JsonToken], depth: int, keys: set[String]) -> None:
        """Decide the outputs among the tokens of a JSON text that is nested ``depth`` strings deep.

        ``keys`` are the keys of its objects.
        """
        for token in tokens:
            if isinstance(token, Mark):
                continue
            if isinstance(token, Slot):
                self.layout.positions[token.output.start] = Position("value", depth)
            elif isinstance(token, String):
                self._place_string(token, depth + 1, token in keys)
            else:
                for body in token.bodies:
                    self.place(body, depth, keys)

    def _place_string(self, string: String, depth: int, is_key: bool) -> None:
        inner = None if is_key else self._inner_json(string, depth)
        if inner is not None:
            self.place(*inner)
            return
        for part in walk(*string.content):
            if isinstance(part, Output):
                self.layout.positions[part.start] = Position("key" if is_key else "text", depth)

    def _inner_json(self, string: String, depth: int) -> tuple[Sequence[JsonToken], int, set[String]] | None:
        """The tokens of a string that is JSON text; None for prose. Text that only looks like JSON adds a warning."""
        nodes = unescape(string.content)
        first = nodes[0].text.lstrip(_SPACE) if nodes and isinstance(nodes[0], Text) else ""
        if first[:1] not in {"{", "["}:
            return None
        try:
            tokens = read(nodes)
            failures = []
            if _has_string(tokens):
                prover = self.prove(tokens, string.end)
                if not prover.failures:
                    self.layout.problems.extend(
                        _repeated(mark, string.start, string.end) for mark in written_twice(tokens)
                    )
                    return _not_too_deep(string, depth, (tokens, depth, prover.keys))
                failures = [failure.message for failure, _ in prover.failures]
        except TemplateError as error:
            if error.rule == TEMPLATE_TOO_LARGE.id:
                raise
            failures = [error.message]
        if failures and first[1:].lstrip(_SPACE)[:1] in {'"', "{"}:
            self._warn(string, failures[0])
        return None

    def _warn(self, string: String, why: str) -> None:
        message = f"the string looks like JSON text but is not, so its values are written as plain text: {why}"
        hint = "Fix the JSON in the string, or begin the string with another character."
        problem = TEMPLATE_NOT_JSON.problem(string.start, string.end, what=message, fix=hint)
        self.layout.problems.append(replace(problem, severity=Severity.WARNING))


def _not_too_deep(
    string: String, depth: int, inner: tuple[Sequence[JsonToken], int, set[String]]
) -> tuple[Sequence[JsonToken], int, set[String]]:
    if depth >= MAX_STRING_DEPTH:
        message = f"JSON text is nested in strings deeper than {MAX_STRING_DEPTH}"
        raise TEMPLATE_TOO_LARGE.error(string.start, string.end, what=message, fix="Remove one level.")
    return inner


def _has_string(tokens: Sequence[JsonToken]) -> bool:
    for token in tokens:
        if isinstance(token, String) or (isinstance(token, Mark) and token.kind == "string"):
            return True
        if isinstance(token, (Fork, Loop)) and any(map(_has_string, token.bodies)):
            return True
    return False
