"""Decides how each output of a template is written: by where it stands in the JSON around it.

A string is JSON text, too, when its content begins with ``{`` or ``[``, has a string of its own in it, and is JSON with one value
in the place of each output. Its outputs then stand in *that* JSON, one string deeper. Any other string is prose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hookctl.errors import TemplateError
from hookctl.template.conditions import tracked_atoms
from hookctl.template.expressions import Expression, For, If, Node, Output, Text
from hookctl.template.filters import BUILT_IN
from hookctl.template.json_tokens import Fork, JsonToken, Loop, Slot, String, read, unescape
from hookctl.template.problems import TemplateProblem
from hookctl.template.structure import Failure, Prover

MAX_STRING_DEPTH = 4
"""Strings of JSON text inside one another; each level can double the escapes of the one below."""


@dataclass(frozen=True, slots=True)
class Position:
    """How an output is written."""

    form: str
    """``value``: as JSON. ``text``: a string as its text, anything else as its JSON text. ``key``: as text, and it is an object's key."""
    depth: int
    """How many strings stand around it: the result is escaped so many times."""

    def __str__(self) -> str:
        """In words."""
        what = {"value": "a JSON value", "text": "text in a string", "key": "an object's key"}[self.form]
        levels = self.depth - (self.form != "value")
        return what + " of the JSON text in a string" * min(levels, 1) + f", {levels} strings deep" * (levels > 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """What was decided for a whole template. ``positions`` holds one per output, by the offset of its ``{{``."""

    positions: dict[int, Position] = field(default_factory=dict)
    problems: list[TemplateProblem] = field(default_factory=list)


def lay_out(nodes: Sequence[Node], text: str) -> Layout:
    """Decide every position, and prove that the template gives JSON on every way through it.

    Raises:
        TemplateError: its text is no JSON, or a branch does not end at the string depth at which it began.
    """
    layout = Layout()
    tracked = tracked_atoms(tuple(nodes), BUILT_IN)
    tokens = read(nodes)
    prover = Prover(tracked, text)
    prover.run(tokens, len(text))
    branches = any(isinstance(token, (Fork, Loop)) for token in tokens)
    rule = "template-never-parses" if branches and not prover.survives else "template-not-json"
    layout.problems.extend(_problem(failure, rule) for failure in prover.failures)
    _place(tokens, 0, prover.keys, layout, tracked, text)
    return layout


def _problem(failure: Failure, rule: str) -> TemplateProblem:
    way = f" (when {', '.join(dict.fromkeys(failure.way))})" if failure.way else ""
    message = f"no way through the template gives JSON: {failure.message}" if rule == "template-never-parses" else failure.message + way
    return TemplateProblem(rule=rule, is_error=True, message=message, hint=failure.hint, start=failure.start, end=failure.end)


def _place(tokens: Sequence[JsonToken], depth: int, keys: set[String], layout: Layout, tracked: frozenset[Expression], text: str) -> None:
    for token in tokens:
        if isinstance(token, Slot):
            layout.positions[token.output.start] = Position("value", depth)
        elif isinstance(token, Fork):
            for body in token.bodies:
                _place(body, depth, keys, layout, tracked, text)
        elif isinstance(token, Loop):
            _place(token.body, depth, keys, layout, tracked, text)
            _place(token.otherwise, depth, keys, layout, tracked, text)
        elif isinstance(token, String) and any(not isinstance(node, Text) for node in token.content):
            _place_string(token, depth + 1, token in keys, layout, tracked, text)


def _place_string(string: String, depth: int, is_key: bool, layout: Layout, tracked: frozenset[Expression], text: str) -> None:
    inner = None if is_key else _inner_json(string, depth, layout, tracked, text)
    if inner is not None:
        tokens, keys = inner
        _place(tokens, depth, keys, layout, tracked, text)
    else:
        for output in outputs(string.content):
            layout.positions[output.start] = Position("key" if is_key else "text", depth)


def _inner_json(string: String, depth: int, layout: Layout, tracked: frozenset[Expression], text: str) -> tuple[tuple[JsonToken, ...], set[String]] | None:
    """The tokens and keys of a string that is JSON text; None for prose. What only looks like JSON text is a warning."""
    nodes = unescape(string.content)
    if not (isinstance(nodes[0], Text) and nodes[0].text.lstrip(" \t\n\r")[:1] in {"{", "["}):
        return None
    try:
        tokens = read(nodes)
    except TemplateError as error:
        if _looks_like_json(nodes):
            _warn(layout, string, error.message)
        return None
    if not _has_string(tokens):
        return None
    prover = Prover(tracked, text)
    prover.run(tokens, string.end)
    if prover.failures:
        if _looks_like_json(nodes):
            _warn(layout, string, prover.failures[0].message)
        return None
    if depth >= MAX_STRING_DEPTH:
        hint = "Take a level out."
        raise TemplateError(
            f"JSON text is nested in strings deeper than {MAX_STRING_DEPTH}", hint=hint, rule="template-too-large", start=string.start, end=string.end
        )
    return tokens, prover.keys


def _warn(layout: Layout, string: String, why: str) -> None:
    layout.problems.append(
        TemplateProblem(
            rule="template-not-json",
            is_error=False,
            message=f"the string looks like JSON text and is none, so its values are written as prose: {why}",
            hint="Repair the JSON in the string, or begin the string with another character.",
            start=string.start,
            end=string.end,
        )
    )


def _looks_like_json(nodes: Sequence[Node]) -> bool:
    start = nodes[0].text.lstrip(" \t\n\r") if isinstance(nodes[0], Text) else ""
    return start[1:].lstrip(" \t\n\r")[:1] in {'"', "{"}


def _has_string(tokens: Sequence[JsonToken]) -> bool:
    for token in tokens:
        if isinstance(token, String):
            return True
        if isinstance(token, Fork) and any(_has_string(body) for body in token.bodies):
            return True
        if isinstance(token, Loop) and (_has_string(token.body) or _has_string(token.otherwise)):
            return True
    return False


def outputs(nodes: Sequence[Node]) -> list[Output]:
    """Every output of the nodes and of the branches and loops in them, in order."""
    found: list[Output] = []
    for node in nodes:
        if isinstance(node, Output):
            found.append(node)
        elif isinstance(node, If):
            found += [output for branch in node.branches for output in outputs(branch.body)]
        elif isinstance(node, For):
            found += outputs(node.body) + outputs(node.otherwise)
    return found
