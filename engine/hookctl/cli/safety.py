"""The removal limit, the policies and the observers in hookctl.toml, and a check of all settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hookctl.cli.echo import echo
from hookctl.errors import PluginError, SettingsError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.diff import RemovalLimit
    from hookctl.delivery.runner.retention import StoreLimits
    from hookctl.model import Json
    from hookctl.plugin.calls import Plugins


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


def check_observer_tables(session: Session) -> dict[str, Mapping[str, Json]]:
    """The settings of each observer that hookctl.toml turns on, by name. Raises SettingsError."""
    tables = session.settings.get("observers", {})
    if not tables:
        return {}
    from hookctl.cli.settings_file import NAME, check_own
    from hookctl.config.check import checked_observers, paths_in

    checked = checked_observers(tables, session.plugins)
    if not session.config:
        for setting, path in paths_in(checked, session.plugins):
            check_own(path, setting, hint=f"If you trust the file, pass --config {NAME}.")
    return checked


def observing_plugins(session: Session) -> Plugins:
    """The session's plugins, with the observers that hookctl.toml turns on built.

    Standard error reports an observer whose plugin fails; deliveries are made without it. Raises SettingsError for
    settings that cannot be used.
    """
    tables = check_observer_tables(session)
    if not tables:
        return session.plugins
    from dataclasses import replace

    from hookctl.report.text.printable import printable

    observers = {**session.plugins.observers}
    for name, settings in tables.items():
        if (build := observers[name].build) is not None:
            try:
                observers[name] = replace(build(settings), name=name)
            except SettingsError as error:
                raise SettingsError(f"[observers.{name}]: {error.message}", hint=error.hint) from error
            except PluginError as error:
                message = f"Warning: {printable(error.message)}\n  Deliveries are made without this observer."
                echo(f"{message} {printable(error.hint)}", err=True)
    return replace(session.plugins, observers=observers)


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
        lambda: check_observer_tables(session),
        lambda: limits_of_store(session),
    )
    errors = []
    for check in checks:
        try:
            check()
        except SettingsError as error:
            errors.append(error)
    return errors
