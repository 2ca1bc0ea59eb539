"""Loads the plugins of a command: those that are installed, and those that ``hookctl.toml`` enables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.cli.echo import echo
from hookctl.cli.settings_file import LIMIT, NAME, parse_settings
from hookctl.errors import FileError, SameNameError, SettingsError
from hookctl.files import resolve
from hookctl.plugin.enabled import Enabled, folder_beside

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.plugin.calls import Plugins


def every_plugin(session: Session, *, warn: bool = True) -> Plugins:
    """Every plugin that is installed or enabled, without parts whose names hookctl uses itself.

    With ``--debug``, each failure of a plugin is shown with its traceback, now and later. ``warn``: whether to warn on
    standard error about what was not loaded. Raises SettingsError and RevisionError, unless the session is tolerant.
    """
    plugins = _without_own_names(_loaded(session))
    for failure in plugins.failures if warn else ():
        if failure.kind == "settings":
            continue  # only a command that needs no settings gets here
        from hookctl.report.text.printable import printable

        goes_on = "" if failure.kind == "same name" else "hookctl continues without it. "
        echo(f"Warning: {printable(failure.message)}\n  {goes_on}{printable(failure.hint)}", err=True)
    return plugins


def _loaded(session: Session) -> Plugins:
    from hookctl.cli.strays import global_state, report_strays

    loaded: list[Plugins] = []
    if session.may_have_plugins():
        report_strays(lambda: frozenset(loaded[0].containment.secrets if loaded else ()), debug=session.debug)
    with global_state():
        loaded.append(_as_enabled(session))
    return loaded[0]


def _as_enabled(session: Session) -> Plugins:
    from hookctl.plugin.calls import PluginFailure
    from hookctl.plugin.host import load_plugins

    tell = None
    if session.debug:
        from hookctl.cli.debugging import show_failure

        tell = show_failure
    try:
        return load_plugins(tell=tell, enabled=_enabled(session))
    except SettingsError as error:
        if not session.tolerant:
            raise
        plugins = load_plugins(tell=tell)
        unreadable = PluginFailure(NAME, "", error.message, error.hint, "settings")
        return replace(plugins, failures=(*plugins.failures, unreadable))


def _without_own_names(plugins: Plugins) -> Plugins:
    """A copy without commands, formats, stores and policies whose names hookctl uses itself."""
    from hookctl.cli.command_list import COMMANDS
    from hookctl.plugin.host import BUILT_IN

    hint = "Uninstall the plugin, or ask its author to rename it."
    for name in plugins.commands:
        if name in COMMANDS:
            plugins = plugins.without(
                "command", name, f"adds the command {name!r}, but hookctl has a command of that name", hint
            )
    if plugins.formats:
        from hookctl.report.formats.registry import FORMATS

        for name in plugins.formats.keys() & {"text", *FORMATS}:
            plugins = plugins.without(
                "format", name, f"adds the format {name!r}, but hookctl has a format of that name", hint
            )
    if plugins.stores:
        from hookctl.store.opening import STORE_TYPES

        for name in plugins.stores.keys() & STORE_TYPES.keys():
            plugins = plugins.without(
                "store", name, f"adds the store {name!r}, but hookctl has a store of that name", hint
            )
    third_party = [name for name in plugins.policies if plugins.origins["policy", name] not in BUILT_IN]
    if third_party:
        from hookctl.config.check.catalog import RULES

        for name in third_party:
            if name in RULES:
                plugins = plugins.without("policy", name, f"adds the policy {name!r}, but a rule has that name", hint)
    return plugins


def same_names(plugins: Plugins) -> SameNameError:
    """The error for all plugins, and parts of plugins, whose names are taken."""
    found = plugins.same_names
    return SameNameError("; ".join(failure.message for failure in found), hint=found[0].hint, plugin=found[0].plugin)


def _enabled(session: Session) -> Enabled:
    """What the settings enable. Raises SettingsError and RevisionError."""
    given: Mapping[str, Any] = session.settings.get("plugins", {})
    modules, files = given.get("modules", ()), given.get("files", {})
    enabled = Enabled(modules=modules, files=files, folder=_folder(session))
    if session.base is None or session.config or not given:
        return enabled
    base = _settings_of(session.base)
    missing = {*modules} - {*base.get("modules", ())}
    missing |= {name for name, digest in files.items() if base.get("files", {}).get(name) != digest}
    return replace(enabled, only_here=missing, base=session.base)


def _folder(session: Session) -> Path | None:
    """The folder of single files; None if only a settings file that nobody named leads out of the directory to it."""
    folder = folder_beside(session.directory)
    if not session.given_dir and not session.config:
        try:
            resolve(folder, os.curdir)
        except FileError:
            return None
    return folder


def _settings_of(revision: str) -> Mapping[str, Any]:
    """The table of plugins in hookctl.toml of a git revision; empty if it is not valid there. Raises RevisionError."""
    from hookctl.config.load.revision import read_revision_file

    content = read_revision_file(Path(NAME), revision, limit=LIMIT)
    try:
        table: Mapping[str, Any] = parse_settings(Path(NAME), content).get("plugins", {})
    except SettingsError:
        return {}
    return table
