"""The difference between what is applied and what the files say: a plan."""

from hookctl.diff.changes import make_plan

__all__ = ["make_plan"]
