"""``when``: JMESPath expressions over an event, checked against its schema."""

from hookctl.when.condition import When, check_when, compile_when, when_outline
from hookctl.when.reach import Reach
from hookctl.when.unsatisfiable import why_never

__all__ = ["Reach", "When", "check_when", "compile_when", "when_outline", "why_never"]
