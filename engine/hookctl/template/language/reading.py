"""What the parser returns."""

from __future__ import annotations

from dataclasses import dataclass

from hookctl.model.problem import Problem
from hookctl.template.language.expressions import Node


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of a template."""

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...] = ()
    """The errors of the syntax, in the order of the text. An expression with an error is an ``Unreadable``."""
    is_partial: bool = False
    """True if a tag had to be left out, so neither the names nor the structure are as the author means them."""
