"""The plugins that ``hookctl.toml`` enables: modules by name, and single files by name and digest.

A file in the folder of plugins is data until its digest is in the settings. hookctl reads it once, compares the digest
of these bytes, and runs the same bytes, so nothing can be exchanged in between.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hookctl.errors import FileError, FileMissingError
from hookctl.files import read_file, resolve
from hookctl.plugin.calls import NAME, PluginFailure

FOLDER = "plugins"
"""The name of the folder of single files, beside the directory of webhooks."""
PREFIX = "sha256:"
MAX_BYTES = 1024 * 1024
"""Bytes of one file."""
MAX_FILES = 1000
"""Files in the folder that hookctl looks at."""
SUFFIX = ".py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabled:
    """What the settings enable. Plugins of installed distributions need not be enabled."""

    modules: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """The digest of each file, ``sha256:...``, by the name of the plugin."""
    folder: Path | None = None
    """Where the files are, whether it exists or not; None: nowhere."""
    only_here: Collection[str] = ()
    """The modules and files that these settings enable, but those of :attr:`base` do not. They are not loaded."""
    base: str = ""
    """The revision that must enable a plugin too; empty: none."""


NOTHING = Enabled()


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A single file that is enabled, with the content that has the digest."""

    name: str
    path: str
    digest: str
    content: bytes


def folder_beside(directory: Path) -> Path:
    """The folder of single files for a directory of webhooks."""
    normal = Path(os.path.normpath(directory))
    parent = normal.parent if normal.name not in {"", ".."} else Path(os.path.realpath(directory)).parent
    return parent / FOLDER


def enabled_files(enabled: Enabled) -> tuple[list[PluginFile], list[PluginFailure]]:
    """The files to load, and for each other file the reason why it is not loaded. Runs nothing."""
    if enabled.folder is None:
        return [], [_missing(name, f"{FOLDER}/{name}{SUFFIX}") for name in enabled.files]
    loaded, refused = [], []
    for name in sorted({*_names(enabled.folder), *enabled.files}):
        found = _examined(name, enabled.folder, enabled)
        if isinstance(found, PluginFile):
            loaded.append(found)
        else:
            refused.append(found)
    return loaded, refused


def only_here(name: str, shown: str, base: str) -> PluginFailure:
    """Why a plugin that the settings enable is not loaded: the revision that they are compared with does not."""
    message = f"{shown} is not loaded: hookctl.toml enables it here, but not in {base!r}"
    hint = "Review the plugin and merge its line of hookctl.toml first, in a change of its own."
    return PluginFailure(name, "", message, hint, "disabled")


def _names(folder: Path) -> Iterator[str]:
    """The names of the Python files in the folder; none if there is no folder, or if it is a link to elsewhere."""
    try:
        with os.scandir(resolve(folder, folder.parent)) as entries:
            found = sorted(entry.name for entry in entries if entry.name.endswith(SUFFIX))
    except (OSError, FileError):
        return
    yield from (name.removesuffix(SUFFIX) for name in found[:MAX_FILES])


def _examined(name: str, folder: Path, enabled: Enabled) -> PluginFile | PluginFailure:
    path = folder / f"{name}{SUFFIX}"
    wanted = enabled.files.get(name)
    try:
        content = read_file(path, folder.parent, limit=MAX_BYTES)
    except FileError as error:
        if wanted and isinstance(error, FileMissingError):
            return _missing(name, str(path))
        kind = "failed" if wanted else "disabled"
        return PluginFailure(name, "", f"{path} is not loaded: {error.message}", error.hint, kind)
    digest = PREFIX + hashlib.sha256(content).hexdigest()
    if wanted is None:
        line = f'Review the file, then add {name} = "{digest}" to [plugins.files] in hookctl.toml.'
        hint = line if NAME.fullmatch(name) and "." not in name else "Name it in letters, digits, `_` and `-`."
        return PluginFailure(name, "", f"{path} is not loaded: hookctl.toml does not enable it", hint, "disabled")
    if name in enabled.only_here:
        return only_here(name, str(path), enabled.base)
    if digest != wanted:
        hint = f'Review the change, then set {name} = "{digest}" in [plugins.files] of hookctl.toml.'
        return PluginFailure(
            name, "", f"{path} is not loaded: its content does not have the digest in hookctl.toml", hint
        )
    return PluginFile(name, str(path), digest, content)


def _missing(name: str, path: str) -> PluginFailure:
    hint = f"Add the file, or remove {name} from [plugins.files] in hookctl.toml."
    return PluginFailure(name, "", f"{path} is not loaded: hookctl.toml enables it, but it does not exist", hint)
