"""The tokens of a template, and what Jinja's parser does not keep of them: where each is, and what belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2.lexer import Token

from hookctl.model.problem import Problem
from hookctl.template.language.expressions import Output, Text


class Segment(NamedTuple):
    """An expression or tag with its delimiters: offsets, and the numbers of its first token and of that after it."""

    start: int
    end: int
    first: int
    last: int
    word: str = ""
    """Of a tag."""


@dataclass(slots=True)
class Tokens:
    """The tokens of a template and what the parser does not keep of them."""

    text: str
    stream: list[Token] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """The offset of each token; ``ends`` is the one after it."""
    ends: list[int] = field(default_factory=list)
    partners: dict[int, int] = field(default_factory=dict)
    """For the number of each bracket the number of its other half."""
    groups: set[int] = field(default_factory=set)
    """The numbers of parentheses that only group, and belong neither to a filter nor to a call."""
    stretches: dict[int, Sequence[Text | Output]] = field(default_factory=dict)
    """For the number of each data token what it represents."""
    segments: list[Segment] = field(default_factory=list)
    followers: dict[int, list[Segment]] = field(default_factory=dict)
    """For the first token of each opening tag the tags that continue and end it."""
    problems: list[Problem] = field(default_factory=list)
    is_partial: bool = False
    """True if a tag had to be left out, so that neither names nor structure are as the author means them."""
