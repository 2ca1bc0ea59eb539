"""A plan in a file: written whole or not at all, readable by its owner alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.cli.whole_file import PRIVATE, write_whole
from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.model import Plan

LIMIT = 512 * 1024 * 1024
"""Bytes; a plan of 100,000 webhooks is smaller."""


def write_plan(path: Path, text: str) -> None:
    """Save the plan's JSON, in place of what was there. Raises StateError when the file cannot be written."""
    try:
        write_whole(path, text, mode=PRIVATE)
    except OSError as error:
        raise StateError(f"the plan cannot be saved in {path}: {error.strerror or error}", hint="Name a file in a directory that can be written.") from error


def load_plan(path: Path) -> Plan:
    """The saved plan. Raises StateError when there is none, AlteredPlanError when it was changed since."""
    from hookctl.diff import read_plan

    try:
        if path.stat().st_size > LIMIT:
            raise StateError(f"{path} is not a saved plan: it is too large", hint="Save one with `hookctl plan --out FILE`.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"the saved plan {path} cannot be read: {error}", hint="Save one with `hookctl plan --out FILE`.") from error
    return read_plan(text)
