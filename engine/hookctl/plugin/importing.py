"""Imports the plugins that ``hookctl.toml`` enables: installed modules, and the content of single files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.abc import ExecutionLoader
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

from hookctl.errors import PluginError
from hookctl.plugin.enabled import PluginFile

PACKAGE = "hookctl_plugin_file_"
"""What the module of a single file is called, before the plugin's name, so that it hides no other module."""


def import_installed(name: str) -> ModuleType:
    """The module of that name, which must be installed.

    Raises PluginError for one in the working directory. Python looks there too with ``python -m hookctl`` or with some
    values of PYTHONPATH, and whoever can add a file there could otherwise add code.
    """
    spec = find_spec(name.partition(".")[0])  # of a name without dots, this runs no code
    if spec is None:
        raise PluginError(f"the module {name} is not installed", hint="Install its distribution.", plugin=name)
    here = os.path.realpath(os.curdir)
    if any(os.path.realpath(directory) == here for directory in _directories(spec)):
        raise PluginError(
            f"the module {name} is a file of the working directory, and hookctl imports none from there",
            hint="Install it, or enable it as a file in plugins/, with its digest.",
            plugin=name,
        )
    return import_module(name)


def released(name: str) -> tuple[str, str]:
    """The distribution that contains a module, and its version; empty texts if there is none."""
    from importlib.metadata import distribution, packages_distributions  # takes longer than the rest of start-up

    found = [distribution(one) for one in dict.fromkeys(packages_distributions().get(name.partition(".")[0], ()))]
    path = name.replace(".", "/")
    files = {f"{path}.py", f"{path}/__init__.py"}
    # several distributions may share a namespace package
    owner = next((one for one in found if any(str(file) in files for file in one.files or ())), None)
    owner = owner or (found[0] if len(found) == 1 else None)  # an editable one does not list its modules
    return (owner.name, owner.version) if owner else ("", "")


def import_content(file: PluginFile) -> ModuleType:
    """A module made from the content of a file, which is not read again, and for which no bytecode is kept.

    The file can import what is installed, but no other file of its folder.
    """
    loader = _Content(file)
    spec = spec_from_loader(PACKAGE + file.name, loader, origin=file.path, is_package=False)
    assert spec  # noqa: S101 - there is one for every loader
    spec.has_location = True
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and typing look it up there
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return module


class _Content(ExecutionLoader):
    def __init__(self, file: PluginFile) -> None:
        self._file = file

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - it has one module
        return self._file.path

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - it has one module
        return decode_source(self._file.content)


def _directories(spec: ModuleSpec) -> Iterator[Path]:
    """The directories of the import path in which a module was found: several for a namespace package."""
    if spec.submodule_search_locations is not None:
        yield from (Path(location).absolute().parent for location in spec.submodule_search_locations)
    elif spec.has_location and spec.origin:
        yield Path(spec.origin).absolute().parent
