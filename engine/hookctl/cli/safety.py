"""The removal limit and the policies in hookctl.toml, and a check of all settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.diff import RemovalLimit
    from hookctl.delivery.runner.retention import StoreLimits


def removal_limit(session: Session) -> RemovalLimit:
    """The limit that ``[safety]`` of hookctl.toml sets on removals at once."""
    from hookctl.config.diff import RemovalLimit

    default = RemovalLimit()
    given = session.settings.get("safety", {})
    return RemovalLimit(given.get("removal_percent", default.percent), given.get("removal_minimum", default.minimum))


def limits_of_store(session: Session) -> StoreLimits:
    """The limits that ``[retention]`` and ``[intake]`` of hookctl.toml set. Raises SettingsError."""
    from hookctl.delivery.runner.retention import store_limits

    return store_limits(session.settings.get("retention", {}), session.settings.get("intake", {}))


def check_policy_tables(session: Session) -> None:
    """Raises SettingsError for what is wrong with ``[policies]`` of hookctl.toml, which a plan needs."""
    tables = session.settings.get("policies", {})
    if tables:
        from hookctl.config.check import check_policy_settings

        check_policy_settings(tables, session.plugins)


def settings_errors(session: Session) -> list[SettingsError]:
    """Every error in the settings that can be found without network, secrets and store.

    If the file itself is not valid, its error is the only one.
    """
    try:
        _ = session.settings
    except SettingsError as error:
        return [error]  # every check below would fail with it
    checks: tuple[Callable[[], object], ...] = (
        lambda: session.directory,
        lambda: session.store_files,
        session.network,
        lambda: check_policy_tables(session),
        lambda: limits_of_store(session),
    )
    errors = []
    for check in checks:
        try:
            check()
        except SettingsError as error:
            errors.append(error)
    return errors
