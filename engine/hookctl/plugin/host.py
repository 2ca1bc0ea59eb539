"""Finds plugins and asks each for what it adds.

Built-in plugins are registered by the same hooks as third parties'; only how they are found differs: they need no
entry point, so that a command that needs nothing else starts without reading the metadata of every installed package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import pluggy

from hookctl.errors import PluginError
from hookctl.installed import GROUP, any_third_party
from hookctl.plugin import hookspecs
from hookctl.plugin.calls import Plugins, Provider

BUILT_IN = ("hookctl_plugins.auth", "hookctl_plugins.transport", "hookctl_plugins.validator", "hookctl_plugins.secret", "hookctl_plugins.event_type")


def load_plugins(extra: Iterable[object] = ()) -> Plugins:
    """Every plugin that is installed here, and ``extra`` ones, asked for all that they add.

    Raises:
        PluginError: a plugin cannot be imported, raises, or takes a name that is taken.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        manager.register(import_module(name), name)
    for name, plugin in _third_party():
        _register(manager, name, plugin)
    for plugin in extra:
        _register(manager, getattr(plugin, "__name__", type(plugin).__name__), plugin)
    return Plugins.collect(_providers(manager))


def _register(manager: pluggy.PluginManager, name: str, plugin: object) -> None:
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        raise PluginError(f"plugin {name} cannot be registered: {error}", hint="Its hook functions must be named as in hookctl.plugin.hookspecs.") from error


def _providers(manager: pluggy.PluginManager) -> Iterator[Provider]:
    for plugin in manager.get_plugins():
        name = manager.get_name(plugin) or repr(plugin)
        hooks: dict[str, Any] = {}
        for caller in manager.get_hookcallers(plugin) or ():
            hooks[caller.name] = next(impl.function for impl in caller.get_hookimpls() if impl.plugin is plugin)
        yield Provider(name=name, version=_version(plugin), built_in=name in BUILT_IN, hooks=hooks)


def _version(plugin: object) -> str:
    return str(getattr(plugin, "__version__", ""))


def _third_party() -> Iterator[tuple[str, object]]:
    if not any_third_party():
        return
    from importlib.metadata import entry_points  # costs more than the rest of start-up

    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            plugin = entry.load()
        except Exception as error:  # whatever an import raises, it is the plugin's
            raise PluginError(f"plugin {entry.name} ({entry.value}) cannot be imported: {error!r}", hint="Repair or uninstall its package.") from error
        yield entry.name, plugin
