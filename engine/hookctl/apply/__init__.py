"""The applied state: what runs now, replaced only by an apply of a plan that starts from it."""

from hookctl.apply.lock import Lock, break_lock, hold
from hookctl.apply.state import AppliedStore

__all__ = ["AppliedStore", "Lock", "break_lock", "hold"]
