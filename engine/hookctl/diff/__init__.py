"""The difference between what is applied and what the files say: a plan."""

from hookctl.diff.changes import make_plan
from hookctl.diff.document import read_plan, to_document

__all__ = ["make_plan", "read_plan", "to_document"]
