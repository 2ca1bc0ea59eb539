"""Newline-delimited JSON: the template is a JSON array, and each of its items becomes a line of compact JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hookctl.errors import RenderError
from hookctl.model.problem import Filter
from hookctl.model.rules.texts import TEMPLATE_NOT_JSON
from hookctl.model.secret import Resolve
from hookctl.template.language.expressions import If, Node
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark, Slot, read
from hookctl.template.proof.positions import Layout, Position, lay_out
from hookctl.template.proof.structure import span_of
from hookctl.template.rendering.body_template import BodyTemplate, compile_nodes

_WANTED = "with body_format: ndjson, the template must be a JSON array: each item becomes a line"
_HINT = "Write [ before the first item, ] after the last, and commas between them."
_TOKEN = re.compile(r'[ \t\n\r]+|"(?:[^"\\]|\\.)*+"|[\[\]{},]|[^\s\[\]{},"]+', re.ASCII)
_LINE_BREAKS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}
"""What some readers take for the end of a line. JSON has them only in strings, where they can be escaped."""


def lay_out_lines(nodes: Sequence[Node], text: str) -> Layout:
    """As :func:`hookctl.template.proof.positions.lay_out`; a template that is certainly not an array is a problem."""
    wrong = [
        TEMPLATE_NOT_JSON.problem(*span_of(token), what=_WANTED, fix=_HINT)
        for token in _first(read(nodes))
        if not isinstance(token, Slot) and not (isinstance(token, Mark) and token.kind == "[")
    ]
    layout = lay_out(nodes, text)
    return Layout(layout.positions, wrong) if wrong else layout


def compile_lines(
    nodes: Sequence[Node],
    positions: Mapping[int, Position],
    text: str,
    filters: Mapping[str, Filter],
    resolve: Resolve | None,
) -> BodyTemplate:
    """The body template of nodes that passed every check. It raises RenderError for an empty array, too."""
    return compile_nodes(nodes, positions, text, filters, resolve, finish=to_lines)


def to_lines(array: str) -> str:
    """The items of a JSON array, given as JSON text, each on a line that ends with a line break.

    Numbers and strings stay as they are written.

    Raises:
        RenderError: the text is another JSON value, or the array is empty. An empty body would be refused by the
            target, or accepted without anything being sent.
    """
    if not array.lstrip().startswith("["):
        raise RenderError("the template does not give a JSON array", hint=_HINT)
    lines = "".join(_pieces(array))
    if not lines:
        raise RenderError(
            "the array is empty, so there is no line to send",
            hint="Let only events with items through, with `when`.",
        )
    return lines.translate(_LINE_BREAKS) + "\n"


def _pieces(array: str) -> Iterator[str]:
    depth = 0
    for match in _TOKEN.finditer(array):
        piece = match[0]
        if piece[0] in " \t\n\r":
            continue
        depth -= piece in {"]", "}"}
        if depth > 1 or (depth == 1 and piece != ","):
            yield piece
        elif depth == 1:
            yield "\n"
        depth += piece in {"[", "{"}


def _first(tokens: Sequence[JsonToken]) -> Iterator[Mark | Slot]:
    """What a proved JSON text can begin with, over all ways through its branches and loops."""
    for token in tokens:
        if isinstance(token, (Fork, Loop)):
            for body in token.bodies:
                yield from _first(body)
            if isinstance(token.node, If) and all(token.bodies) and token.node.branches[-1].condition is None:
                return
        else:
            yield token  # type: ignore[misc] # a string is refused like a mark
            return
