"""A plan in a file: written whole or not at all, readable by its owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.model import Plan

LIMIT = 512 * 1024 * 1024
"""Bytes; a plan of 100,000 webhooks is smaller."""


def write_plan(path: Path, text: str) -> None:
    """Save the plan's JSON, in place of what was there. Raises StateError when the file cannot be written."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")  # 0600, and on the same disk
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
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
