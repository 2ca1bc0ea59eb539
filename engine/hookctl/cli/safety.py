"""What keeps an apply from doing harm: how much it may remove at once, and what has changed behind its back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.diff import RemovalLimit
    from hookctl.model import AppliedState
    from hookctl.pipeline import PlanFinding


def removal_limit(session: Session) -> RemovalLimit:
    """What ``[safety]`` of hookctl.toml allows. Raises SettingsError for settings that are wrong."""
    from hookctl.diff import RemovalLimit

    default = RemovalLimit()
    given = session.settings.get("safety", {})
    unknown = sorted(given.keys() - {"removal_percent", "removal_minimum"})
    if unknown:
        raise SettingsError(f"[safety]: unknown setting {unknown[0]!r}", hint="Known settings: removal_minimum, removal_percent.")
    percent, minimum = given.get("removal_percent", default.percent), given.get("removal_minimum", default.minimum)
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise SettingsError(f"[safety]: removal_percent must be a number from 0 to 100, not {percent!r}", hint="See docs/settings.md.")
    if isinstance(minimum, bool) or not isinstance(minimum, int) or minimum < 1:
        raise SettingsError(f"[safety]: removal_minimum must be a whole number from 1, not {minimum!r}", hint="See docs/settings.md.")
    return RemovalLimit(percent, minimum)


def check_rules(session: Session) -> None:
    """Raises SettingsError for what is wrong with ``[policies]`` and ``[safety]`` of hookctl.toml, which a plan needs."""
    removal_limit(session)
    tables = session.settings.get("policies", {})
    if tables:
        from hookctl.check import check_policy_settings

        check_policy_settings(tables, session.plugins)


def drift(session: Session, applied: AppliedState) -> Sequence[PlanFinding]:
    """What something else than an apply has changed: warnings. Never makes the store."""
    from hookctl.pipeline import check_drift

    if not session.store_path.exists():
        return ()
    from hookctl.cli.running import opened_queue

    with opened_queue(session.store_path) as queue:
        return check_drift(applied, queue.stopped(applied))
