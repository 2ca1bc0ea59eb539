"""A fingerprint of what results depend on besides the file: code, libraries, and the descriptions of plugins."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hookctl._version import __version__
from hookctl.model import Json, canonical_json
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import EventType
from hookctl.schema_files import schema_path

_SITE = frozenset({"site-packages", "dist-packages"})


def fingerprint(plugins: Plugins) -> str:
    """SHA-256, in hex, over hookctl, its plugins, every installed distribution's version, and the schemas of plugins.

    It includes sizes and modification times of code, because an editable install changes without a new version.
    """
    packages = {"hookctl", *(module.partition(".")[0] for module in _modules(plugins))}
    document: dict[str, Any] = {
        "hookctl": __version__,
        "python": list(sys.version_info),
        "distributions": sorted(_distributions()),
        "code": [row for package in sorted(packages) for row in _code(package)],
        "schemas": [*_files(schema_path("webhook.schema.json").parent)],
        "plugins": _described(plugins),
        "providers": [[provider.name, provider.package, provider.version] for provider in plugins.providers],
    }
    return hashlib.sha256(canonical_json(document)).hexdigest()


def _modules(plugins: Plugins) -> Iterator[str]:
    for provider in plugins.providers:
        yield from (
            str(getattr(function, "__module__", None)) for function in provider.hooks.values()
        )  # a functools.partial has no module


def _distributions() -> Iterator[str]:
    """The names of metadata directories, which contain the versions. Reading their content would take much longer."""
    for place in sys.path:
        if Path(place).name in _SITE and Path(place).is_dir():
            yield from (entry.name for entry in os.scandir(place) if entry.name.endswith(("-info", ".pth")))


def _code(package: str) -> Iterator[Json]:
    module = sys.modules.get(package)
    for directory in getattr(module, "__path__", ()):
        yield from _files(Path(directory))
    file = getattr(module, "__file__", None)
    if file and Path(file).is_file():
        yield _file(file, Path(file).stat())


def _files(directory: Path) -> Iterator[Json]:
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(Path(entry.path))
        else:
            yield _file(entry.path, entry.stat())


def _file(path: str, about: os.stat_result) -> Json:
    return [path, about.st_size, about.st_mtime_ns]


def _described(plugins: Plugins) -> dict[str, Any]:
    """The descriptions that plugins give: a plugin may build them from something other than its code."""
    with_schema: dict[str, Any] = {
        "auth": plugins.auth,
        "transport": plugins.transports,
        "validator": plugins.validators,
        "event": _event_types(plugins),
    }
    return {
        **{kind: {name: plugin.schema for name, plugin in known.items()} for kind, known in with_schema.items()},
        "mocks": {name: event_type.mock for name, event_type in _event_types(plugins).items()},
        "secrets": sorted(plugins.secret_sources),
        "filters": {name: [sorted(one.takes), sorted(one.gives)] for name, one in plugins.filters.items()},
    }


def _event_types(plugins: Plugins) -> dict[str, EventType]:
    """Those that are not built in: the files of the schemas that hookctl ships are among ``schemas`` already."""
    built_in = {provider.name for provider in plugins.providers if provider.built_in}
    return {
        name: event_type
        for name, event_type in plugins.event_types.items()
        if plugins.origins.get(("event type", name)) not in built_in
    }
