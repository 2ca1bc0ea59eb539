"""Reads ``hookctl.toml`` and checks its paths.

A file in the working directory may come from anyone who can write there; in CI, from the author of a pull request. So
its paths must be inside that directory. The paths of a file that the user names with ``--config`` are not restricted.
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
"""The most dots in one line; a file may have twenty times as many."""
LIMIT = 256 * 1024
"""The most bytes in the file: settings of thousands of hosts are smaller."""


def read_settings(config: str | None) -> Mapping[str, Any]:
    """The settings in the file ``config``, or in the working directory's file if there is one. Raises SettingsError."""
    path = Path(config or NAME)
    try:
        content = read_given(path, limit=LIMIT) if config else read_file(path, os.curdir, limit=LIMIT)
    except FileError as error:
        if isinstance(error, FileMissingError) and not config and not path.is_symlink():
            return {}
        raise SettingsError(
            f"{shown_path(path)} cannot be read: {error.message}", hint="`hookctl explain settings` describes the file."
        ) from error
    return parse_settings(path, content)


def parse_settings(path: Path, content: bytes) -> Mapping[str, Any]:
    """The settings in the content of a file; ``path`` is for messages. Raises SettingsError."""
    settings = _parsed(path, content)
    check_settings(shown_path(path), settings)
    return settings


def check_own(path: str | Path, setting: str, *, hint: str = "") -> None:
    """Raises SettingsError for a path in the working directory's settings file that leads out of that directory.

    ``hint`` replaces the one that names the option and the variable of the setting.
    """
    try:
        resolve(path, os.curdir)
    except FileError as error:
        hint = hint or f"Use --{setting} or HOOKCTL_{setting.upper()}; if you trust the file, pass --config {NAME}."
        raise SettingsError(f"{NAME}: {setting} is outside the directory of {NAME}", hint=hint) from error


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib

    # Each part of a dotted key takes as much time as all parts before it. A key ends with its line.
    if content.count(b".") > 20 * MAX_DOTS or any(line.count(b".") > MAX_DOTS for line in content.split(b"\n")):
        message = f"{shown_path(path)} cannot be read: it contains more dots than settings need"
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
