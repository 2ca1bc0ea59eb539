"""Loads a plugin under test as hookctl does, whether it is installed or not."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from hookctl.installed import GROUP
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import BUILT_IN, load_plugins


def is_installed(plugin: object) -> bool:
    """Whether hookctl finds the module without help: by an entry point, or because it is built in."""
    name = getattr(plugin, "__name__", "")
    return name in BUILT_IN or name in _installed()


@cache
def _installed() -> frozenset[str]:
    return frozenset(entry.module for entry in entry_points(group=GROUP))


@cache
def loaded(plugin: object) -> Plugins:
    """Every installed plugin, and ``plugin`` unless it is one of them or None."""
    return load_plugins([] if plugin is None or is_installed(plugin) else [plugin])


def described(plugin: object, hook: str, what: str, name: str) -> Any:
    """The description of one part, as the plugin's own hook returns it: errors in it have the author's traceback.

    Raises AssertionError, with everything that could not be loaded, if there is no such part.
    """
    plugins = loaded(plugin)
    owner = plugins.origins.get((what, name))
    if owner is None:
        problems = [f"{failure.message} {failure.hint}" for failure in plugins.failures]
        known = ", ".join(sorted(part for kind, part in plugins.origins if kind == what))
        raise AssertionError("\n".join([f"no plugin adds the {what} {name!r}; there are: {known}", *problems]))
    provider = next(provider for provider in plugins.providers if provider.name == owner)
    attribute = "scheme" if what == "secret source" else "name"
    return next(part for part in provider.hooks[hook]() if getattr(part, attribute) == name)
