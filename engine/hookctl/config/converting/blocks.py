"""What the converters of templates share: they read actions one by one, and report what they cannot convert."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_TEMPLATE = 256 * 1024
"""The characters of a template that are converted."""
MAX_ACTIONS = 10_000
"""The actions of a template that are converted."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An action that stays as it is."""

    text: str
    """Empty where the whole template is meant: a block is not closed, or it is too large."""


@dataclass(slots=True)
class Converted:
    """A template in hookctl's syntax."""

    text: str
    unknown: list[Unknown] = field(default_factory=list)


_TAG = re.compile(r"\{[%#]")


def literal(text: str) -> str:
    """Text between actions: what would begin a tag or a comment in hookctl's syntax, and is text in the source."""
    return _TAG.sub(lambda match: f"{{% raw %}}{match[0]}{{% endraw %}}", text)


def too_large(text: str) -> Converted | None:
    """The text as it is, if it is too large to convert; None otherwise."""
    if len(text) <= MAX_TEMPLATE and text.count("{{") <= MAX_ACTIONS:
        return None
    return Converted(text, [Unknown("")])
