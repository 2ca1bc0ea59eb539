"""A plan in a file: written whole or not at all, readable by its owner alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import FileError, FileTooLargeError, StateError
from hookctl.files import PRIVATE, read_given, write_file
from hookctl.report.printable import inert

if TYPE_CHECKING:
    from hookctl.model import Plan

SAVE_ONE = "Save one with `hookctl plan --out FILE`."
LIMIT = 512 * 1024 * 1024
"""Bytes; a plan of 100,000 webhooks is smaller."""


def write_plan(path: Path, text: str) -> None:
    """Save the plan's JSON, in place of what was there. Raises StateError when the file cannot be written."""
    try:
        write_file(path, inert(text), mode=PRIVATE)
    except FileError as error:
        raise StateError(f"the plan cannot be saved in {path}: {error.message}", hint="Name a file in a directory that can be written.") from error


def load_plan(path: Path) -> Plan:
    """The saved plan. Raises StateError when there is none, AlteredPlanError when it was changed since."""
    from hookctl.diff import read_plan

    try:
        text = read_given(path, limit=LIMIT).decode()
    except FileTooLargeError as error:
        raise StateError(f"{path} is not a saved plan: it is too large", hint=SAVE_ONE) from error
    except FileError as error:
        raise StateError(f"the saved plan {path} cannot be read: {error.message}", hint=SAVE_ONE) from error
    except UnicodeDecodeError as error:
        raise StateError(f"the saved plan {path} cannot be read: it is not UTF-8 text", hint=SAVE_ONE) from error
    return read_plan(text)
