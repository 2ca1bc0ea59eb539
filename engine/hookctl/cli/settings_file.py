"""``hookctl.toml``: reads it, and says which of its paths may be used.

One that is found in the working directory belongs to whoever wrote what is there, in CI the author of a pull request.
So its paths must lie in that directory. One that was named with ``--config`` is the user's, and names what it likes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hookctl.cli.settings import check_settings, shown_path
from hookctl.errors import FileError, FileMissingError, SettingsError
from hookctl.files import read_file, read_given, resolve

NAME = "hookctl.toml"
MAX_DOTS = 1000
"""Dots in one line; in the whole file, twenty times as many."""
LIMIT = 256 * 1024
"""Bytes: settings of thousands of hosts are smaller."""


def read_settings(config: str | None) -> Mapping[str, Any]:
    """The settings in the file ``config``, or in that of the working directory, which need not exist. Raises SettingsError."""
    path = Path(config or NAME)
    try:
        content = read_given(path, limit=LIMIT) if config else read_file(path, os.curdir, limit=LIMIT)
    except FileError as error:
        if isinstance(error, FileMissingError) and not config and not path.is_symlink():
            return {}
        raise SettingsError(
            f"{shown_path(path)} cannot be read: {error.message}", hint="`hookctl explain settings` describes the file."
        ) from error
    settings = _parsed(path, content)
    check_settings(shown_path(path), settings)
    return settings


def check_own(path: str | Path, setting: str) -> None:
    """Raises SettingsError for a path of a settings file that was found, if it is not in that file's directory."""
    try:
        resolve(path, os.curdir)
    except FileError as error:
        hint = f"Give it by option or variable, or name the file with --config {NAME} if you trust what it says."
        raise SettingsError(f"{NAME}: {setting} must be in the directory of {NAME}, and is not", hint=hint) from error


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib

    # Each part of a dotted key costs as much as all before it. A key ends with its line.
    if content.count(b".") > 20 * MAX_DOTS or any(line.count(b".") > MAX_DOTS for line in content.split(b"\n")):
        message = f"{shown_path(path)} cannot be read: it holds more dots than settings need"
        raise SettingsError(message, hint="`hookctl explain settings` describes the file.")
    try:
        return tomllib.loads(content.decode())
    except RecursionError:
        raise SettingsError(
            f"{shown_path(path)} cannot be read: its values are nested too deeply",
            hint="`hookctl explain settings` describes the file.",
        ) from None
    except ValueError as error:  # not UTF-8, not TOML, or a number that is too long
        raise SettingsError(
            f"{shown_path(path)} cannot be read: {error}", hint="`hookctl explain settings` describes the file."
        ) from error
