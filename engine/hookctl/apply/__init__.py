"""The applied state: what runs now, replaced only by an apply of a plan that starts from it."""

from hookctl.apply.state import AppliedStore

__all__ = ["AppliedStore"]
