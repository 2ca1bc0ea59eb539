"""What is wrong in a document's text, before it is known where in a file that text stands."""

from __future__ import annotations

from dataclasses import dataclass

NO_ANCHORS = "Write the value out where it is needed: anchors and aliases are not read."


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; ``start`` and ``end`` (exclusive) are offsets in characters into the document's text."""

    rule: str
    message: str
    hint: str
    start: int
    end: int
