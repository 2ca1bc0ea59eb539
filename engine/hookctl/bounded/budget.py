"""Counts the steps of one evaluation, and stops it when it takes too many."""

from __future__ import annotations

from hookctl.errors import BudgetError, HookctlError

EVENT_STEPS = 1_000_000
"""The steps for one ``when`` and one event: at most about a second on an idle core, measured with the slowest
expressions.
"""
RESPONSE_STEPS = 500_000
"""The steps for all validators of one response."""
MAX_EXPRESSION = 1000
"""The maximum length of a JMESPath expression in a template or in ``when``, in characters."""
TEXT_SHIFT = 4
"""The number of characters whose reading or writing counts as one step."""


class Budget:
    """The steps that one evaluation has left. A step takes well under a microsecond and at most about 100 bytes."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def exceeded(self) -> HookctlError:
        """The error for an exhausted budget."""
        return BudgetError(f"it takes more than {self.limit:,} steps", hint="Write a simpler expression.")

    def spend(self, steps: int) -> None:
        """Account for work. Raises BudgetError when no step is left."""
        self.left -= steps
        if self.left < 0:
            raise self.exceeded()

    def spend_text(self, characters: int) -> None:
        """Account for reading or writing that many characters. Raises as :meth:`spend` does."""
        self.spend(1 + (characters >> TEXT_SHIFT))

    def weigh(self, value: object) -> None:
        """Account for reading a complete JSON value; a part that occurs several times counts each time.

        Raises as :meth:`spend` does.

        A small value can contain one part many times, so its text can be exponentially long. Call this before you
        compare, write or walk through a value.
        """
        pending = [value]
        while pending:
            value = pending.pop()
            if isinstance(value, str):
                self.spend(1 + (len(value) >> TEXT_SHIFT))
            elif isinstance(value, list):
                self.spend(1 + len(value))
                pending += value
            elif isinstance(value, dict):
                self.spend(1 + len(value))
                pending += value.values()
