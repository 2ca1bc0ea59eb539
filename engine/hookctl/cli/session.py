"""What every command starts with: the settings of this machine, from options, environment and ``hookctl.toml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.cli.settings import shown_path
from hookctl.cli.settings_file import NAME, check_own, read_settings
from hookctl.errors import FileError, SettingsError
from hookctl.files import resolve_given
from hookctl.installed import any_third_party

if TYPE_CHECKING:
    from hookctl.cli.environment import Environment
    from hookctl.cli.progress import Progress
    from hookctl.model.secret import SecretReference
    from hookctl.model.store_type import StoreType
    from hookctl.network import Network
    from hookctl.network.proxy import Proxy
    from hookctl.plugin.calls import Plugins
    from hookctl.plugin.interfaces import EventType
    from hookctl.store.interface import Store

DIRECTORY = "webhooks.d"
STORE = "sqlite:///.hookctl/hookctl.db"


@dataclass
class Session:
    """The settings of one run, and what is opened or loaded once for it. Close it when the command ends.

    Settings are read when they are first needed, so that a command without any, such as ``explain``, works even if
    ``hookctl.toml`` is not valid.
    """

    given_dir: str | None = None
    """``--dir`` or its variable."""
    given_store: str | None = None
    """``--store`` or its variable."""
    given_environment: str | None = None
    """``--environment`` or its variable."""
    given_variables: Mapping[str, str] = field(default_factory=dict)
    """``--var`` or its variable."""
    config: str | None = None
    """The settings file that the user named, with ``--config`` or its variable."""
    color: bool = False
    debug: bool = False
    given_proxy: str | None = None
    """``--proxy`` or its variable, of a command that has the option."""
    base: str | None = None
    """The git revision of ``plan --against``, whose settings must enable a plugin too."""
    tolerant: bool = False
    """True for a command that only describes or checks: it works even if two plugins have the same name, or if the
    settings cannot be read."""
    _opened: Store | None = field(default=None, init=False)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The content of the settings file; empty without one. Raises SettingsError."""
        return read_settings(self.config)

    @cached_property
    def directory(self) -> Path:
        """The directory of the webhook files, which need not exist. Raises SettingsError."""
        given = self.settings.get("dir")
        if given and not self.given_dir and not self.config:
            check_own(given, "dir")
        source = self._source("--dir", "dir", given=bool(self.given_dir))
        return _usable(Path(self.given_dir or given or DIRECTORY), source)

    @property
    def store_url(self) -> str:
        """The URL of the store. Raises SettingsError if the settings file must name it and is not valid."""
        url: str = self.given_store or self.environment.store or self.settings.get("store", STORE)
        return url

    @cached_property
    def environment(self) -> Environment:
        """The environment of this run; one without a name if none is chosen. Raises SettingsError."""
        from hookctl.cli.environment import environment_of

        return environment_of(self.given_environment, self.settings)

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """The values for ``${var:NAME}`` in webhook files. Raises SettingsError."""
        from hookctl.cli.environment import all_variables

        return all_variables(self.environment, self.settings, self.given_variables)

    @property
    def plugins(self) -> Plugins:
        """Every plugin, as in :attr:`loaded`. Raises SameNameError if it is not clear which one a name means."""
        if self.loaded.same_names and not self.tolerant:
            from hookctl.cli.plugin_loading import same_names

            raise same_names(self.loaded)
        return self.loaded

    @cached_property
    def loaded(self) -> Plugins:
        """Every plugin, loaded on first use, with a warning for each part that could not be loaded."""
        from hookctl.cli.plugin_loading import every_plugin

        return every_plugin(self)

    @cached_property
    def event_types(self) -> Mapping[str, EventType]:
        """The event types of plugins, and those that the files in ``events.d`` define, by name."""
        from hookctl.config.events import NOTHING_DEFINED, read_event_types, with_defined

        try:
            found = read_event_types(self.directory, self.plugins)
        except SettingsError:
            if not self.tolerant:
                raise
            found = NOTHING_DEFINED  # the settings cannot be read, and only they say where the files are
        return with_defined(self.plugins, found.types).event_types

    def load_plugins(self, *, warn: bool = True) -> None:
        """Load the plugins now, if they are not loaded yet. ``warn``: also about what could not be loaded.

        A command does so before it catches signals: after that, Ctrl-C could not end an import that hangs. Raises
        SameNameError as :attr:`plugins` does.
        """
        if "loaded" not in self.__dict__:
            from hookctl.cli.plugin_loading import every_plugin

            self.__dict__["loaded"] = every_plugin(self, warn=warn)
        _ = self.plugins

    def may_have_plugins(self) -> bool:
        """Whether there may be a plugin that is not built in. False also if the settings cannot be read."""
        if any_third_party():
            return True
        try:
            return bool(self.settings.get("plugins"))
        except SettingsError:
            return False

    @cached_property
    def progress(self) -> Progress:
        """Reports on standard error how far the work is, until there is a result."""
        from hookctl.cli.progress import Progress

        return Progress()

    @property
    def store_types(self) -> Mapping[str, StoreType]:
        """The stores that plugins add, by scheme; empty if the store is built in, so that it opens without plugins."""
        from hookctl.store.opening import NO_TYPES, has_built_in_scheme

        return NO_TYPES if has_built_in_scheme(self.store_url) else self.plugins.stores

    @property
    def store_name(self) -> str:
        """The store for messages: its file, or else only its scheme, because a URL may contain a password."""
        return str(next(iter(self.store_files), f"the {self.store_url.partition(':')[0]} store"))

    @property
    def store(self) -> Store:
        """The store, opened when first asked for, and created if there is none. Raises SettingsError and StoreError."""
        if self._opened is None:
            from hookctl.store.opening import open_store

            _ = self.store_files  # checked first
            self._opened = open_store(self.store_url, types=self.store_types)
        return self._opened

    def existing_store(self) -> Store | None:
        """The store as in :attr:`store`, but None if there is none yet: a command that only reads never creates it."""
        if self._opened is None:
            from hookctl.store.opening import open_store

            _ = self.store_files  # checked first
            self._opened = open_store(self.store_url, create=False, types=self.store_types)
        return self._opened

    def close(self) -> None:
        """Close the store if it is open."""
        store, self._opened = self._opened, None
        if store is not None:
            store.close()

    @cached_property
    def store_files(self) -> tuple[Path, ...]:
        """The files of the store, the main one first, whether they exist or not.

        Raises SettingsError for a URL that names no store, and for links that lead elsewhere.
        """
        from hookctl.store.opening import store_files

        files = store_files(self.store_url, self.store_types)
        for file in files:
            _usable(file, self._source("--store", "store", given=bool(self.given_store)))
            if not self.given_store and not self.config and ("store" in self.settings or self.environment.name):
                check_own(str(file), "store")
            try:
                resolve_given(str(file))
            except FileError as error:
                hint = "To use it anyway, give the full path: --store sqlite:////PATH."
                raise SettingsError(f"the store {file} cannot be used: {error.message}", hint=hint) from error
        return files

    def network(self, connect_to: tuple[str, ...] = (), cacert: str | None = None) -> Network:
        """How this machine reaches targets: by the options, or else by ``hookctl.toml``. Raises SettingsError."""
        from hookctl.cli.secrets import with_secrets
        from hookctl.network.settings import network_from_settings

        own = self.settings.get("cacert")
        if not self.config:
            if own and not cacert:
                check_own(own, "cacert")
            for path in self.settings.get("cacert_for", {}).values():
                check_own(path, "cacert_for", hint=f"If you trust the file, pass --config {NAME}.")
        return network_from_settings(
            allow=self.settings.get("allow", {}),
            connect_to=connect_to or tuple(self.settings.get("connect_to", ())),
            cacert=cacert or own,
            cacert_for=self.settings.get("cacert_for", {}),
            proxy=self._proxy,
            read_secrets=partial(with_secrets, self),
            connect_to_source=self._source("--connect-to", "connect_to", given=bool(connect_to)),
            cacert_source=self._source("--cacert", "cacert", given=bool(cacert)),
            proxy_source=self._source("--proxy", "proxy", given=bool(self.given_proxy)),
        )

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that requests go through, for commands that only name it. Raises SettingsError."""
        if not self._proxy:
            return None
        from hookctl.network.proxy import proxy_from_url

        return proxy_from_url(self._proxy, self._source("--proxy", "proxy", given=bool(self.given_proxy)))

    @property
    def proxy_references(self) -> Sequence[SecretReference]:
        """The secrets that the proxy's credentials refer to. Raises SettingsError."""
        from hookctl.model.secret import references

        return tuple(references(self._proxy or ""))

    @property
    def _proxy(self) -> str | None:
        return self.given_proxy or self.settings.get("proxy")

    def _source(self, option: str, setting: str, *, given: bool) -> str:
        """What an error names as the place of a value: the option, its variable, or a key of the settings file."""
        from hookctl.cli.sources import source_of

        is_in_file = not given and setting in self.settings
        return f"{shown_path(self.config or NAME)}: {setting}" if is_in_file else source_of(option)


def open_session(
    *,
    directory: str | None,
    store: str | None,
    config: str | None,
    color: str,
    debug: bool,
    environment: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Session:
    """The session of this run. An argument overrides ``hookctl.toml``, which overrides the defaults.

    Raises SettingsError if there is no working directory.
    """
    try:
        os.getcwd()  # noqa: PTH109 - no Path is needed
    except OSError as error:
        hint = "Change to a directory that exists and that you can enter."
        raise SettingsError(f"the current directory cannot be used: {error.strerror}", hint=hint) from error
    return Session(
        given_dir=directory,
        given_store=store,
        config=config,
        given_environment=environment,
        given_variables=variables or {},
        color=color == "always" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")),
        debug=debug,
    )


def _usable(path: Path, source: str) -> Path:
    """The path, which need not exist. Raises SettingsError, which names ``source``, if the system cannot look it up."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # whoever uses the path reports that, or creates it
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "the path contains a NUL"
        raise SettingsError(
            f"{source}: {shown_path(path)} cannot be used: {reason}", hint="Use another path."
        ) from error
    return path
