"""Finds plugins and collects the parts that they add.

Built-in plugins use the same hooks as third-party plugins, but need no entry point: a command that uses only built-in
parts starts without reading the metadata of every installed package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pluggy

from hookctl._version import __version__
from hookctl.errors import HookctlError, PluginError, SameNameError
from hookctl.installed import GROUP, any_third_party
from hookctl.plugin import hookspecs
from hookctl.plugin.calls import PluginFailure, Plugins, Provider, failed_to_load
from hookctl.plugin.contain import Containment, Hook, Tell
from hookctl.plugin.enabled import NOTHING, Enabled, enabled_files, only_here

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = tuple(
    f"hookctl_plugins.{area}"
    for area in ("auth", "transport", "validator", "secret", "event_type", "policy", "observer")
)


def load_plugins(extra: Iterable[object] = (), tell: Tell | None = None, enabled: Enabled = NOTHING) -> Plugins:
    """Loads every installed plugin, those that the settings enable, and the ``extra`` ones.

    Parts that cannot be loaded are in ``failures`` of the result; errors of plugins are not raised here. ``tell``
    receives each call that fails, now and later: see :class:`hookctl.plugin.contain.Containment`.
    """
    host = _Host(Containment(tell))
    found = [host.register(name, import_module(name), "hookctl", __version__, built_in=True) for name in BUILT_IN]
    if any_third_party():
        found += host.installed()
    found += host.modules(enabled)
    found += host.files(enabled)
    found += host.given(extra)
    return Plugins.collect([provider for provider in found if provider is not None], host.containment, host.failures)


class _Host:
    """Imports and registers plugins, and records those that fail."""

    def __init__(self, containment: Containment) -> None:
        self.containment = containment
        self.failures: list[PluginFailure] = []
        self._owners: dict[str, str] = dict.fromkeys(BUILT_IN, f"hookctl {__version__}")
        """What has each name, for messages."""
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)

    def installed(self) -> Iterator[Provider | None]:
        """The plugins of installed distributions, by the names of their entry points."""
        from importlib.metadata import entry_points  # imported here, because it takes longer than the rest of start-up

        found = self._called(
            "of installed distributions", "", "reading entry points", lambda: list(entry_points(group=GROUP))
        )
        for entry in sorted(found or (), key=lambda entry: entry.name):
            distribution, version = self._called(entry.name, "", "reading metadata", partial(_released, entry)) or (
                "",
                "",
            )
            if not self._claim(entry.name, distribution, f"{distribution} {version}".strip() or entry.value):
                continue
            plugin = self._called(entry.name, distribution, f"importing {entry.value}", entry.load)
            if plugin is not None:
                yield self.register(entry.name, plugin, distribution, version)

    def modules(self, enabled: Enabled) -> Iterator[Provider | None]:
        """The modules that the settings enable, by their own names."""
        for name in enabled.modules:
            place = f"module {name}"
            if name in enabled.only_here:
                self.failures.append(only_here(name, f"the {place}", enabled.base))
                continue
            if not self._claim(name, "", place):
                continue
            from hookctl.plugin import importing  # most installations enable none

            plugin = self._called(name, "", "importing it", partial(importing.import_installed, name))
            if plugin is not None:
                read = partial(importing.released, name)
                distribution, version = self._called(name, "", "reading metadata", read) or ("", "")
                yield self.register(name, plugin, distribution, version, place=place)

    def files(self, enabled: Enabled) -> Iterator[Provider | None]:
        """The single files that the settings enable, by the names of the files."""
        files, refused = enabled_files(enabled)
        self.failures += refused
        for file in files:
            if not self._claim(file.name, "", file.path):
                continue
            from hookctl.plugin import importing  # most installations enable none

            plugin = self._called(file.name, "", f"running {file.path}", partial(importing.import_content, file))
            if plugin is not None:
                yield self.register(file.name, plugin, "", file.digest, place=file.path)

    def given(self, plugins: Iterable[object]) -> Iterator[Provider | None]:
        """Plugins that the caller passes, by the names of their modules."""
        for plugin in plugins:
            name = getattr(plugin, "__name__", type(plugin).__name__)
            if self._claim(name, "", f"the {type(plugin).__name__} {name}"):
                yield self.register(name, plugin)

    def register(
        self,
        name: str,
        plugin: object,
        distribution: str = "",
        version: str = "",
        *,
        place: str = "",
        built_in: bool = False,
    ) -> Provider | None:
        """The plugin with its hooks; None if it cannot be registered."""

        def register() -> Provider:
            try:
                self._manager.register(plugin, name)
                self._manager.check_pending()
            except (ValueError, pluggy.PluginValidationError) as error:
                hint = "Its hook functions must be named as in hookctl.plugin.hookspecs."
                raise PluginError(f"plugin {name} cannot be registered: {error}", hint=hint, plugin=name) from error
            hooks: dict[str, Any] = {}
            for caller in self._manager.get_hookcallers(plugin) or ():
                hooks[caller.name] = next(impl.function for impl in caller.get_hookimpls() if impl.plugin is plugin)
            if place and not hooks:
                hint = "Mark its hook functions with hookctl.plugin.hookimpl."
                raise PluginError(f"plugin {name} adds nothing: it has no hook", hint=hint, plugin=name)
            known = version or str(getattr(plugin, "__version__", ""))
            return Provider(name, distribution, known, built_in, hooks, place)

        if built_in:
            return register()
        provider: Provider | None = self._called(name, distribution, "registering it", register)
        if provider is None and self._manager.get_plugin(name) is plugin:
            self._manager.unregister(plugin)  # otherwise its error would be reported for the next plugin
        return provider

    def _claim(self, name: str, distribution: str, package: str) -> bool:
        """Give a name to a plugin, if no other has it. Otherwise record this; the second one is not even imported."""
        if name not in self._owners:
            self._owners[name] = package
            return True
        message = f"two plugins have the name {name!r}: {self._owners[name]} and {package}"
        hint = "Remove one of the two. A single file has the name of its file, so you can rename it."
        self.failures.append(failed_to_load(name, distribution, "", SameNameError(message, hint=hint, plugin=name)))
        return False

    def _called(self, plugin: str, distribution: str, what: str, call: Callable[[], Any]) -> Any:
        try:
            return self.containment.call(Hook(plugin, f"plugin {plugin}", what, at_start=True, repeats_text=True), call)
        except HookctlError as error:
            self.failures.append(failed_to_load(plugin, distribution, what, error))
            return None


def _released(entry: EntryPoint) -> tuple[str, str]:
    return (str(entry.dist.name), str(entry.dist.version)) if entry.dist else ("", "")
