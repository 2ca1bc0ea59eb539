"""``jsonl``: an audit log of one line for each attempt, and one for the end of each delivery."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from hookctl.errors import HookctlError, SettingsError
from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.model.quantities import size_bytes
from hookctl.plugin import Observer
from hookctl_plugins.observer.rotating_file import RotatingFile

DEFAULT_SIZE = "100MB"
DEFAULT_FILES = 10
_encode = json.JSONEncoder(separators=(",", ":")).encode


def build(settings: Mapping[str, Json]) -> Observer:
    """The observer. Raises SettingsError if the file's directory does not exist."""
    path, files = Path(str(settings["path"])), settings.get("files", DEFAULT_FILES)
    if not path.parent.is_dir():
        raise SettingsError(f"the directory {path.parent} does not exist", hint="Create it, or use another path.")
    log = AuditLog(RotatingFile(path, size_bytes(str(settings.get("size", DEFAULT_SIZE))), int(str(files))))
    return Observer(name="jsonl", attempted=log.attempted, ended=log.ended, close=log.close)


class AuditLog:
    """Writes the lines. What cannot be written is counted, and the next line that is written follows the count."""

    def __init__(self, file: RotatingFile) -> None:
        self._file = file
        self._missed = 0

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write the line of an attempt. Raises HookctlError if the file cannot be written."""
        self._write(attempt_line(delivery, attempt))

    def ended(self, delivery: Delivery) -> None:
        """Write the line of a delivery that has ended. A held one has not. Raises as :meth:`attempted` does."""
        if delivery.status is not DeliveryStatus.HELD:
            self._write(end_line(delivery, time.time()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: Mapping[str, Json]) -> None:
        lines = [_text({"at": _time(time.time()), "type": "missed", "lines": self._missed})] if self._missed else []
        try:
            self._file.write("".join([*lines, _text(line)]).encode())
        except OSError as error:
            self._missed += 1
            raise HookctlError(f"observer jsonl: {self._file.path} cannot be written: {error.strerror}") from error
        self._missed = 0


def attempt_line(delivery: Delivery, attempt: Attempt) -> dict[str, Json]:
    """The line of an attempt. Like the record in the store, it contains no secret. It contains no body and no header.

    ``status`` is that of the delivery after the attempt. ``mismatches`` are the validators that did not pass.
    """
    request, response, failure, trace = attempt.request, attempt.response, attempt.failure, attempt.trace
    mismatches: list[Json] = [verdict.validator for verdict in attempt.verdicts if not verdict.passed]
    return {
        "at": _time(attempt.started_at),
        "type": "attempt",
        "webhook": delivery.webhook,
        "delivery": delivery.id,
        "event_id": delivery.event_id,
        "attempt": attempt.number,
        "plan_digest": attempt.plan_digest,
        "method": request.method if request else None,
        "url": request.url if request else None,
        "http_status": response.status if response else None,
        "failure": failure.kind.value if failure else None,
        "message": failure.message if failure else None,
        "mismatches": mismatches,
        "seconds": round(attempt.timing.total, 6),
        "status": delivery.status.value,
        "reason": delivery.reason,
        "due_at": _time(delivery.due_at) if delivery.status is DeliveryStatus.RETRYING else None,
        "trace_id": trace.context.trace_id if trace else None,
    }


def end_line(delivery: Delivery, at: float) -> dict[str, Json]:
    """The line of a delivery that ended at ``at`` (epoch seconds): it is delivered or dead."""
    return {
        "at": _time(at),
        "type": "end",
        "webhook": delivery.webhook,
        "delivery": delivery.id,
        "event_id": delivery.event_id,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "reason": delivery.reason,
        "created_at": _time(delivery.created_at),
    }


def _text(line: Mapping[str, Json]) -> str:
    """One line in ASCII: JSON escapes line breaks and whatever else a terminal or a reader could trip over."""
    return _encode(line) + "\n"


def _time(at: float) -> str:
    """Epoch seconds in UTC, to the millisecond; as a number if it is not a date."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    except (ValueError, OverflowError, OSError):
        return str(at)
