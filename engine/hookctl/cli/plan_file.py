"""A plan in a file: written whole or not at all, readable by its owner alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import FileError, FileTooLargeError, StateError
from hookctl.files import PRIVATE, read_given, write_file
from hookctl.report.text.printable import inert

if TYPE_CHECKING:
    from hookctl.model import Json

LIMIT = 256 * 1024 * 1024
"""Bytes; a plan of 40,000 new webhooks is smaller."""
MAX_VALUES = 10_000_000
"""Values in a plan's JSON, counted by what stands between them: 256 MiB of the smallest take gigabytes of memory."""
HINT = "Save one with `hookctl plan --out FILE`."


def write_plan(path: Path, text: str) -> None:
    """Save the plan's JSON, in place of what was there. Raises StateError when the file cannot be written."""
    if (problem := _beyond_limits(text.encode())) is not None:
        raise StateError(f"the plan cannot be saved: it {problem}", hint="Plan fewer webhooks at once with --only.")
    try:
        write_file(path, inert(text), mode=PRIVATE)
    except FileError as error:
        raise StateError(
            f"the plan cannot be saved in {path}: {error.message}",
            hint="Name a file in a directory that can be written.",
        ) from error


def load_document(path: Path) -> dict[str, Json]:
    """The JSON object of a saved plan. Raises StateError when there is none, or it is larger than any that is saved."""
    from hookctl.config.diff import read_document

    try:
        data = read_given(path, limit=LIMIT)
    except FileTooLargeError as error:
        raise StateError(f"{path} is not a saved plan: it is larger than {LIMIT // 1024**2} MiB", hint=HINT) from error
    except FileError as error:
        raise StateError(f"the saved plan {path} cannot be read: {error.message}", hint=HINT) from error
    if (problem := _beyond_limits(data)) is not None:
        raise StateError(f"{path} is not a saved plan: it {problem}", hint=HINT)
    try:
        return read_document(data.decode())
    except UnicodeDecodeError as error:
        raise StateError(f"the saved plan {path} cannot be read: it is not UTF-8 text", hint=HINT) from error


def _beyond_limits(data: bytes) -> str | None:
    """What is too much about the text of a plan; None when nothing is."""
    if len(data) > LIMIT:
        return f"is larger than {LIMIT // 1024**2} MiB"
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        return f"contains more than {MAX_VALUES:,} values"
    return None
