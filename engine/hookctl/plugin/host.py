"""Finds plugins and asks each for what it adds.

Built-in plugins are registered by the same hooks as third parties'; only how they are found differs: they need no
entry point, so that a command that needs nothing else starts without reading the metadata of every installed package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pluggy

from hookctl import __version__
from hookctl.errors import PluginError
from hookctl.installed import GROUP, any_third_party
from hookctl.plugin import hookspecs
from hookctl.plugin.calls import Plugins, Provider

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = tuple(f"hookctl_plugins.{area}" for area in ("auth", "transport", "validator", "secret", "event_type", "policy"))


def load_plugins(extra: Iterable[object] = ()) -> Plugins:
    """Every plugin that is installed here, and ``extra`` ones, asked for all that they add.

    Raises:
        PluginError: a plugin cannot be imported, raises, or takes a name that is taken.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    found = [_register(manager, name, import_module(name), "hookctl", __version__, built_in=True) for name in BUILT_IN]
    for entry, plugin in _third_party():
        found.append(_register(manager, entry.name, plugin, entry.dist.name if entry.dist else "", entry.dist.version if entry.dist else ""))
    found += [_register(manager, getattr(plugin, "__name__", type(plugin).__name__), plugin) for plugin in extra]
    return Plugins.collect(found)


def _register(manager: pluggy.PluginManager, name: str, plugin: object, distribution: str = "", version: str = "", *, built_in: bool = False) -> Provider:
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        raise PluginError(f"plugin {name} cannot be registered: {error}", hint="Its hook functions must be named as in hookctl.plugin.hookspecs.") from error
    hooks: dict[str, Any] = {}
    for caller in manager.get_hookcallers(plugin) or ():
        hooks[caller.name] = next(impl.function for impl in caller.get_hookimpls() if impl.plugin is plugin)
    return Provider(name=name, distribution=distribution, version=version or str(getattr(plugin, "__version__", "")), built_in=built_in, hooks=hooks)


def _third_party() -> Iterator[tuple[EntryPoint, object]]:
    if not any_third_party():
        return
    from importlib.metadata import entry_points  # costs more than the rest of start-up

    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            plugin = entry.load()
        except (Exception, SystemExit) as error:  # whatever an import raises, it is the plugin's
            raise PluginError(f"plugin {entry.name} ({entry.value}) cannot be imported: {error!r}", hint="Repair or uninstall its package.") from error
        yield entry, plugin
