"""Evaluation at a bounded cost: a budget of steps, and a JMESPath interpreter and regular expressions that spend it.

A budget counts steps, never time, so the same expression and value give the same result on every machine.
"""

from hookctl.bounded.budget import EVENT_STEPS, MAX_EXPRESSION, RESPONSE_STEPS, Budget

__all__ = ["EVENT_STEPS", "MAX_EXPRESSION", "RESPONSE_STEPS", "Budget"]
