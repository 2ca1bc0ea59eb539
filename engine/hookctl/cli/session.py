"""What every command starts from: the settings of this machine, from options, environment and ``hookctl.toml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.cli.settings import check_settings, shown_path
from hookctl.errors import PluginError, SettingsError

if TYPE_CHECKING:
    from hookctl.cli.progress import Progress
    from hookctl.network import Network
    from hookctl.plugin.calls import Plugins

CONFIG_FILE = "hookctl.toml"
DIRECTORY = "webhooks.d"
STORE = "sqlite:///.hookctl/hookctl.db"


@dataclass
class Session:
    """The settings of one run, and what is loaded once for it."""

    directory: Path
    store: str
    color: bool
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def plugins(self) -> Plugins:
        """Every plugin, loaded when first asked for."""
        return every_plugin()

    @cached_property
    def progress(self) -> Progress:
        """What tells on standard error how far the work is before there is a result."""
        from hookctl.cli.progress import Progress

        return Progress()

    @cached_property
    def store_path(self) -> Path:
        """The SQLite file of the store. Raises SettingsError for a store that is none."""
        prefix = "sqlite:///"
        if not self.store.startswith(prefix) or self.store == prefix:
            raise SettingsError(f"the store {self.store!r} is not one that hookctl knows", hint="Write sqlite:///PATH, such as sqlite:///.hookctl/hookctl.db.")
        return _usable(Path(self.store.removeprefix(prefix)), "--store")

    def network(self, connect_to: tuple[str, ...] = (), cacert: str | None = None) -> Network:
        """How this machine reaches targets: the options given, else those of ``hookctl.toml``. Raises SettingsError."""
        from hookctl.network.settings import network_from_settings

        return network_from_settings(
            allow=self.settings.get("allow", {}),
            connect_to=connect_to or tuple(self.settings.get("connect_to", ())),
            cacert=cacert or self.settings.get("cacert"),
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
    try:
        os.getcwd()  # noqa: PTH109 - a Path of it is not needed
    except OSError as error:
        hint = "Change to a directory that exists and that you may enter."
        raise SettingsError(f"the current directory cannot be used: {error.strerror}", hint=hint) from error
    settings = _read_settings(config)
    return Session(
        directory=_usable(Path(directory or settings.get("dir", DIRECTORY)), "--dir"),
        store=store or settings.get("store", STORE),
        color=color == "always" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")),
        settings=settings,
    )


def _read_settings(config: str | None) -> dict[str, Any]:
    path = Path(config or CONFIG_FILE)
    if not config and not path.exists():
        return {}
    import tomllib

    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{shown_path(path)} cannot be read: {error.strerror}"
        raise SettingsError(message, hint="Check the path given by --config, and its permissions.") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply", hint="See docs/settings.md for what may stand in it.") from error
    except ValueError as error:  # not UTF-8, not TOML, a number of too many digits, or a NUL in the path
        message = f"{shown_path(path)} cannot be read: {error}"
        raise SettingsError(message, hint="See docs/settings.md for what may stand in it.") from error
    check_settings(str(path), settings)
    return settings


def _usable(path: Path, option: str) -> Path:
    """The path, which need not exist. Raises SettingsError where the system cannot even look for it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # whoever uses the path says so, or makes it
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "the path holds a NUL"
        raise SettingsError(f"{option} {shown_path(path)} cannot be used: {reason}", hint="Name another path.") from error
    return path
