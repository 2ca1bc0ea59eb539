"""Counts the steps of one evaluation, and ends it when there are too many."""

from __future__ import annotations

from hookctl.errors import BudgetError, HookctlError

EVENT_STEPS = 1_000_000
"""Steps of one ``when`` on one event: up to about a second of an idle core, measured on the costliest; more where the
core is shared."""
RESPONSE_STEPS = 500_000
"""Steps of all validators on one response."""
MAX_EXPRESSION = 1000
"""Characters of a JMESPath expression in a template or in ``when``."""
TEXT_SHIFT = 4
"""Reading or writing 16 characters is one step."""


class Budget:
    """The steps that one evaluation has left. A step takes well under a microsecond, and about 100 bytes at most."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def exceeded(self) -> HookctlError:
        """The error to raise when no step is left."""
        return BudgetError(f"it takes more than {self.limit:,} steps", hint="Write a simpler expression.")

    def spend(self, steps: int) -> None:
        """Account for work. Raises BudgetError when no step is left."""
        self.left -= steps
        if self.left < 0:
            raise self.exceeded()

    def spend_text(self, characters: int) -> None:
        """Account for reading or writing so many characters. Raises as :meth:`spend` does."""
        self.spend(1 + (characters >> TEXT_SHIFT))

    def weigh(self, value: object) -> None:
        """Account for a look at all of a JSON value, a part that occurs in several places each time.

        Raises as :meth:`spend` does.

        A small value can hold one part many times over, so that its text would be exponentially long. So this comes
        before whatever compares a value, writes it or walks through it.
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
