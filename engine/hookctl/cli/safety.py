"""Settings of hookctl.toml that a plan needs: the removal limit and the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.diff import RemovalLimit


def removal_limit(session: Session) -> RemovalLimit:
    """The limit that ``[safety]`` of hookctl.toml sets on removals at once."""
    from hookctl.config.diff import RemovalLimit

    default = RemovalLimit()
    given = session.settings.get("safety", {})
    return RemovalLimit(given.get("removal_percent", default.percent), given.get("removal_minimum", default.minimum))


def check_policy_tables(session: Session) -> None:
    """Raises SettingsError for what is wrong with ``[policies]`` of hookctl.toml, which a plan needs."""
    tables = session.settings.get("policies", {})
    if tables:
        from hookctl.config.check import check_policy_settings

        check_policy_settings(tables, session.plugins)
