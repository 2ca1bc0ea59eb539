"""Finds the file and the line of a webhook, and writes patches. Nothing here changes a file."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from hookctl.config.load import list_files, load_bytes, read_bytes
from hookctl.model import Finding, Status

if TYPE_CHECKING:
    from hookctl.model import Webhook

NAME = re.compile(rb"^name[ \t]*:[ \t]*([\"']?)([A-Za-z0-9][A-Za-z0-9 _-]*?)\1[ \t]*(?:#.*)?\r?$", re.MULTILINE)
"""A line with the name of a webhook, as nearly everybody writes it. A file that it misses is only not found here."""
SEARCH_EVERY = 10.0
"""Seconds before the directory is searched again for a webhook that was not found."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a webhook is written."""

    path: str
    """As the person who started the server would write it."""
    line: int
    """The line of its name, from 1."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class WebhookFiles:
    """The webhook files of a directory, searched when a page first needs them. Methods may be called on any thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = Lock()
        self._paths: Mapping[str, str] = {}
        self._searched_at = float("-inf")
        """On the clock that nobody sets."""

    def find(self, name: str) -> Place | None:
        """The place of a webhook; None if no readable file in the directory has it."""
        found = self._load(name)
        return Place(found.file.path, found.positions.key(("name",)).line) if found else None

    def status_patch(self, name: str, status: Status) -> str:
        """A patch for ``git apply`` that sets the status of a webhook.

        It is empty if the webhook is not found, has that status, or is written in a way that a patch does not fit.
        """
        found = self._load(name)
        if found is None or found.fields.get("status", Status.ACTIVE) == status:
            return ""
        before = found.file.text
        after = _with_status(found, status)
        if [one.fields for one in load_bytes(found.file.path, after.encode()).webhooks] != [
            {**one.fields, "status": status.value} if one.name == name else one.fields
            for one in load_bytes(found.file.path, before.encode()).webhooks
        ]:
            return ""
        path = _in_repository(found.file.path, self.directory)
        lines = unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def _load(self, name: str) -> Webhook | None:
        with self._lock:
            found = self._loaded(name)
            if found is None and time.monotonic() - self._searched_at >= SEARCH_EVERY:
                self._paths = dict(_names(self.directory))
                self._searched_at = time.monotonic()
                found = self._loaded(name)
            return found

    def _loaded(self, name: str) -> Webhook | None:
        path = self._paths.get(name)
        content = read_bytes(path, self.directory) if path else None
        if path is None or not isinstance(content, bytes):
            return None
        return next((one for one in load_bytes(path, content).webhooks if one.name == name), None)


def _names(directory: Path) -> Iterator[tuple[str, str]]:
    """Each webhook of a directory with the path of its file."""
    for path in list_files(directory):
        content = read_bytes(path, directory) if isinstance(path, str) else None
        if isinstance(path, str) and not isinstance(content, Finding) and content:
            yield from ((match[2].decode(), path) for match in NAME.finditer(content))


def _with_status(webhook: Webhook, status: Status) -> str:
    lines = _lines(webhook.file.text)
    if "status" in webhook.fields:
        span = webhook.positions.value(("status",))
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + status.value + line[span.end_column - 1 :]
    else:
        number = webhook.positions.value(("name",)).end_line
        ending = "\r\n" if lines[number - 1].endswith("\r\n") else "\n"
        lines[number - 1] = lines[number - 1].rstrip("\r\n") + ending
        lines.insert(number, f"status: {status.value}{ending}")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """The lines with their line feeds. Other characters that Python takes for the end of a line do not end one."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _in_repository(path: str, directory: Path) -> str:
    """The path from the root of its repository, as ``git apply`` takes it; else from above the directory."""
    real = Path(os.path.realpath(path))
    root = next((parent for parent in real.parents if (parent / ".git").exists()), None)
    return real.relative_to(root or Path(os.path.realpath(directory)).parent).as_posix()
