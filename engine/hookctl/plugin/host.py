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
from hookctl.errors import HookctlError, PluginError
from hookctl.installed import GROUP, any_third_party
from hookctl.plugin import hookspecs
from hookctl.plugin.calls import PluginFailure, Plugins, Provider, failed_to_load
from hookctl.plugin.contain import Containment, Hook, Tell

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = tuple(
    f"hookctl_plugins.{area}"
    for area in ("auth", "transport", "validator", "secret", "event_type", "policy", "observer")
)


def load_plugins(extra: Iterable[object] = (), tell: Tell | None = None) -> Plugins:
    """Loads every installed plugin, and the ``extra`` ones.

    Parts that cannot be loaded are in ``failures`` of the result; errors of plugins are not raised here. ``tell``
    receives each call that fails, now and later: see :class:`hookctl.plugin.contain.Containment`.
    """
    host = _Host(Containment(tell))
    found = [host.register(name, import_module(name), "hookctl", __version__, built_in=True) for name in BUILT_IN]
    if any_third_party():
        found += host.installed()
    found += [host.register(getattr(plugin, "__name__", type(plugin).__name__), plugin) for plugin in extra]
    return Plugins.collect([provider for provider in found if provider is not None], host.containment, host.failures)


class _Host:
    """Imports and registers plugins, and records those that fail."""

    def __init__(self, containment: Containment) -> None:
        self.containment = containment
        self.failures: list[PluginFailure] = []
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
            plugin = self._called(entry.name, distribution, f"importing {entry.value}", entry.load)
            if plugin is not None:
                yield self.register(entry.name, plugin, distribution, version)

    def register(
        self, name: str, plugin: object, distribution: str = "", version: str = "", *, built_in: bool = False
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
            known = version or str(getattr(plugin, "__version__", ""))
            return Provider(name=name, distribution=distribution, version=known, built_in=built_in, hooks=hooks)

        if built_in:
            return register()
        provider: Provider | None = self._called(name, distribution, "registering it", register)
        if provider is None and self._manager.get_plugin(name) is plugin:
            self._manager.unregister(plugin)  # otherwise its error would be reported for the next plugin
        return provider

    def _called(self, plugin: str, distribution: str, what: str, call: Callable[[], Any]) -> Any:
        try:
            return self.containment.call(Hook(plugin, f"plugin {plugin}", what, at_start=True, repeats_text=True), call)
        except HookctlError as error:
            self.failures.append(failed_to_load(plugin, distribution, what, error))
            return None


def _released(entry: EntryPoint) -> tuple[str, str]:
    return (str(entry.dist.name), str(entry.dist.version)) if entry.dist else ("", "")
