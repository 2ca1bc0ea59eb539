"""The health check of ``hookctl run --health``: a file, or an HTTP server for supervisors on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.cli.small_server import Reply, is_address, serving
from hookctl.errors import FileError, FileMissingError, FileTooLargeError, SettingsError
from hookctl.files import read_plain, write_file

if TYPE_CHECKING:
    from hookctl.errors import StateError

BEAT_SECONDS = 2.0
"""Seconds between two looks at the queue, and between two writes of the file."""
STALE_SECONDS = 15.0
"""Seconds without a step after which a runner counts as unhealthy."""
REPORT_START, REPORT_BYTES = b'{"healthy": ', 4096
"""How every report begins, and more than it ever needs."""


class Health:
    """What a health check reports. The runner's thread calls :meth:`beat`; any thread may read :meth:`report`.

    ``oldest_due`` returns when the next delivery is due, in epoch seconds; None if nothing waits.
    """

    def __init__(self, oldest_due: Callable[[], float | None]) -> None:
        self._oldest_due = oldest_due
        self._beat_at = float("-inf")
        self._report: dict[str, Any] = {"healthy": False, "time": time.time(), "store": "starting", "oldest_due": None}
        self.written: Callable[[str], None] = lambda _: None
        """Called with each healthy report."""

    def beat(self, error: StateError | None) -> None:
        """Note a step of the runner, and the error of the store if it failed."""
        now = time.monotonic()
        if error is None and self._report["healthy"] and now - self._beat_at < BEAT_SECONDS:
            return
        due = self._oldest_due() if error is None else None
        waits = due is not None and due <= time.time()
        self._report = {
            "healthy": error is None,
            "time": round(time.time(), 3),
            "store": "ok" if error is None else error.message,
            "oldest_due": round(due, 3) if due is not None and waits else None,
        }
        self._beat_at = now
        if error is None:
            self.written(json.dumps(self._report) + "\n")

    @property
    def trouble(self) -> str:
        """What is wrong, in one word: ``starting``, ``store`` or ``runner``; empty while the runner is healthy."""
        if self._beat_at == float("-inf"):
            return "starting"
        if time.monotonic() - self._beat_at > STALE_SECONDS:
            return "runner"
        return "" if self._report["healthy"] else "store"

    def report(self) -> tuple[bool, str]:
        """Whether the runner is healthy, and the report as JSON."""
        found = self._report
        if time.monotonic() - self._beat_at > STALE_SECONDS:
            found = found | {"healthy": False}
        return found["healthy"], json.dumps(found) + "\n"


@contextmanager
def reporting(target: str, oldest_due: Callable[[], float | None]) -> Iterator[Callable[[StateError | None], None]]:
    """Inside the block, publish the health: in a file, or by HTTP at ``HOST:PORT`` or ``unix:PATH``.

    Yields :meth:`Health.beat`. ``oldest_due`` is as for :class:`Health`.

    Raises SettingsError if the address or the file cannot be used.
    """
    health = Health(oldest_due)
    if is_address(target):

        def answer(_path: str, _headers: Mapping[str, str]) -> Reply:
            healthy, text = health.report()
            return Reply(200 if healthy else 503, "application/json", text.encode())

        with serving(target, "--health", answer):
            yield health.beat
    elif ":" in target and "/" not in target:
        raise SettingsError(
            f"--health: {target} is not an address",
            hint="Write HOST:PORT, such as 127.0.0.1:9100. Write a file whose name contains a colon as ./NAME.",
        )
    else:
        path = Path(target)

        def write(text: str) -> None:
            with suppress(FileError):  # the file is out of date then, which is what a supervisor looks at
                write_file(path, text, mode=0o644)

        try:
            _refuse_foreign(path)
            write_file(path, health.report()[1], mode=0o644)  # an error is reported at the start
            path.unlink()
        except FileError as error:
            hint = "Name a new file in a directory that exists."
            raise SettingsError(f"--health: {target}: {error.message}", hint=hint) from error
        health.written = write
        try:
            yield health.beat
        finally:
            with suppress(OSError):  # deleted already, or its directory belongs to someone else now
                path.unlink()


def _refuse_foreign(path: Path) -> None:
    """Raise FileError for a file that no health check has written: it would be replaced, and deleted at the end."""
    try:
        content = read_plain(str(path), REPORT_BYTES)
    except FileMissingError:
        return
    except FileTooLargeError:
        content = b"not a report"
    if content and not content.startswith(REPORT_START):
        raise FileError("this file exists, and it is not a health report", hint="")
