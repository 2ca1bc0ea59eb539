"""What keeps an apply from doing harm: how much it may remove at once, and what has changed behind its back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.diff import RemovalLimit
    from hookctl.config.review import PlanFinding
    from hookctl.model import AppliedState


def removal_limit(session: Session) -> RemovalLimit:
    """What ``[safety]`` of hookctl.toml allows."""
    from hookctl.config.diff import RemovalLimit

    default = RemovalLimit()
    given = session.settings.get("safety", {})
    return RemovalLimit(given.get("removal_percent", default.percent), given.get("removal_minimum", default.minimum))


def check_rules(session: Session) -> None:
    """Raises SettingsError for what is wrong with ``[policies]`` of hookctl.toml, which a plan needs."""
    tables = session.settings.get("policies", {})
    if tables:
        from hookctl.config.check import check_policy_settings

        check_policy_settings(tables, session.plugins)


def drift(session: Session, applied: AppliedState) -> Sequence[PlanFinding]:
    """What something else than an apply has changed: warnings. Never makes the store."""
    from hookctl.config.review import check_drift

    if not session.store_path.exists():
        return ()
    from hookctl.cli.running import opened_queue

    with opened_queue(session.store_path) as queue:
        return check_drift(applied, queue.stopped(applied))
