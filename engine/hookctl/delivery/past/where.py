"""``--where``: a condition on events, given on the command line."""

from __future__ import annotations

from collections.abc import Mapping

from hookctl.bounded import EVENT_STEPS, Budget
from hookctl.errors import HookctlError
from hookctl.model import Json
from hookctl.store.history import Where
from hookctl.when.condition import compile_when


def where_of(text: str, steps: int | None = None) -> Where:
    """The condition. An event for which it cannot be evaluated does not match.

    Args:
        text: a JMESPath expression.
        steps: the most steps for all events together; None: only those for each event are limited.

    Raises TemplateError if it is not valid. The condition raises BudgetError once its steps are used up.
    """
    when = compile_when(text)
    total = None if steps is None else Budget(steps)

    def holds(document: Mapping[str, Json]) -> bool:
        budget = Budget(EVENT_STEPS)
        try:
            matches = when.matches(document, budget)
        except HookctlError:
            matches = False
        if total is not None:
            total.spend(budget.limit - budget.left)
        return matches

    return holds
