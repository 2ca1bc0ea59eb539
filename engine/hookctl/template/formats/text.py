"""Plain text: each expression gives text without line breaks, so every event gives the lines that the author wrote."""

from __future__ import annotations

from collections.abc import Sequence

from hookctl.template.language.expressions import Node, Output, walk
from hookctl.template.proof.positions import Layout, Position


def lay_out_text(nodes: Sequence[Node], _text: str) -> Layout:
    """Every expression stands in a line, wherever it stands."""
    return Layout({part.start: Position("line", 0) for part in walk(*nodes) if isinstance(part, Output)})
