"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that a finding names, as ``hookctl explain`` and docs/rules.md tell it."""

    id: str
    summary: str
    """What is refused, in one line."""
    explanation: str
    """Why, and what to do."""
    bad: str
    """Lines of a webhook that the rule refuses; empty where a file's text cannot show it."""
    good: str
    """Lines of a webhook that it does not; empty as above."""
