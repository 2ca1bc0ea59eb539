"""Actions on many deliveries: how many at a time, and how the audit log names them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from hookctl.store.history import AuditEntry

MOST = 100_000
"""The most deliveries that one action changes or makes."""
SAMPLE = 5
"""How many of them are shown before it is confirmed."""


def audit_entry(who: str, action: str, what: str, reason: str | None) -> AuditEntry:
    """The entry of the audit log for one action that is about to be done."""
    name = secrets.token_hex(8)
    return AuditEntry(id=name, at=time.time(), who=who, action=action, what=what, reason=reason or "")


def named_deliveries(ids: Sequence[str]) -> str:
    """Deliveries that were selected by their ids, for the audit log."""
    return f"{ids[0]} and {len(ids) - 1:,} more" if len(ids) > 1 else "".join(ids)


def cancel_reason(audit: AuditEntry) -> str:
    """The reason of a delivery that was cancelled by the action of an entry."""
    return f"cancelled by {audit.who}{f': {audit.reason}' if audit.reason else ''}"
