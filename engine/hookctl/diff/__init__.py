"""The difference between what is applied and what the files say: a plan."""

from hookctl.diff.changes import make_plan
from hookctl.diff.document import read_plan, to_document
from hookctl.diff.removals import RemovalLimit, stopped_by

__all__ = ["RemovalLimit", "make_plan", "read_plan", "stopped_by", "to_document"]
