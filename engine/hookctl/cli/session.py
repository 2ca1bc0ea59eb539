"""What every command starts from: the settings of this machine, from options, environment and ``hookctl.toml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.cli.settings_file import check_own, read_settings
from hookctl.errors import FileError, PluginError, SettingsError
from hookctl.files import resolve_given

if TYPE_CHECKING:
    from hookctl.cli.progress import Progress
    from hookctl.network import Network
    from hookctl.plugin.calls import Plugins

DIRECTORY = "webhooks.d"
STORE = "sqlite:///.hookctl/hookctl.db"
SQLITE_FILES = ("", "-wal", "-shm", "-journal")
"""What SQLite opens beside a file, if it is there."""


@dataclass
class Session:
    """The settings of one run, and what is loaded once for it."""

    directory: Path
    store: str
    color: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False
    """Whether the settings are from a file that the user named, and not from one that was found."""
    own_store: bool = False
    """Whether the store is one that a settings file names which was found."""

    @cached_property
    def plugins(self) -> Plugins:
        """Every plugin, loaded when first asked for."""
        return every_plugin()

    @cached_property
    def progress(self) -> Progress:
        """What tells on standard error how far the work is before there is a result."""
        from hookctl.cli.progress import Progress

        return Progress()

    @property
    def store_path(self) -> Path:
        """The SQLite file of the store. Raises SettingsError for a store that is none, and for links that lead elsewhere."""
        prefix = "sqlite:///"
        if not self.store.startswith(prefix) or self.store == prefix:
            raise SettingsError(f"the store {self.store!r} is not one that hookctl knows", hint="Write sqlite:///PATH, such as sqlite:///.hookctl/hookctl.db.")
        path = self.store.removeprefix(prefix)
        for suffix in SQLITE_FILES:
            if self.own_store:
                check_own(path + suffix, "store")
            try:
                resolve_given(path + suffix)
            except FileError as error:
                hint = "Give the full path with --store, sqlite:////PATH, if that is meant."
                raise SettingsError(f"the store {path}{suffix} cannot be used: {error.message}", hint=hint) from error
        return Path(path)

    def network(self, connect_to: tuple[str, ...] = (), cacert: str | None = None) -> Network:
        """How this machine reaches targets: the options given, else those of ``hookctl.toml``. Raises SettingsError."""
        from hookctl.network.settings import network_from_settings

        own = self.settings.get("cacert")
        if own and not cacert and not self.named:
            check_own(own, "cacert")
        return network_from_settings(
            allow=self.settings.get("allow", {}),
            connect_to=connect_to or tuple(self.settings.get("connect_to", ())),
            cacert=cacert or own,
        )


def every_plugin() -> Plugins:
    """Every plugin that is installed. Raises PluginError, too, for a command and for a policy of a name that is hookctl's own."""
    from hookctl.cli.main import COMMANDS
    from hookctl.plugin.host import BUILT_IN, load_plugins

    plugins = load_plugins()
    for name in plugins.commands:
        if name in COMMANDS:
            plugin = plugins.origins["command", name]
            raise PluginError(f"plugin {plugin} adds the command {name!r}, which hookctl has already", hint="Uninstall it, or have its command renamed.")
    third_party = [name for name in plugins.policies if plugins.origins["policy", name] not in BUILT_IN]
    if third_party:
        from hookctl.model.rules import RULES

        for name in third_party:
            if name in RULES:
                plugin = plugins.origins["policy", name]
                raise PluginError(f"plugin {plugin} adds the policy {name!r}, which is the name of a rule", hint="Uninstall it, or have its policy renamed.")
    return plugins


def open_session(*, directory: str | None, store: str | None, config: str | None, color: str) -> Session:
    """The settings of this run: what is given here wins over ``hookctl.toml``, that over the defaults. Raises SettingsError."""
    settings = read_settings(config)
    if "dir" in settings and not directory and not config:
        check_own(settings["dir"], "dir")
    return Session(
        directory=Path(directory or settings.get("dir", DIRECTORY)),
        store=store or settings.get("store", STORE),
        color=color == "always" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")),
        settings=settings,
        named=bool(config),
        own_store="store" in settings and not store and not config,
    )
