"""Reads the files of events that ``plan`` tries a plan on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from hookctl.cli.echo import echo
from hookctl.errors import EventError
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.effects import Recent
    from hookctl.delivery.events.intake import BadEvent
    from hookctl.model import Json

MAX_SAMPLES = 100
"""Events of ``--sample`` that requests are rendered for; of each webhook the first few that differ are shown."""
READ_BYTES = 64 * 1024


def read_samples(session: Session, file: BinaryIO) -> tuple[Mapping[str, Json], ...]:
    """The events that ``--sample`` names. Raises EventError for anything in the file that is not an event."""
    return tuple(_sample(session, file))


def read_recent(session: Session, file: BinaryIO) -> Recent:
    """The newest events of the file that ``--events`` names. Lines that are not events are skipped, with a message."""
    from hookctl.config.effects import Recent

    return Recent(file.name, _newest(session, file))


def _sample(session: Session, file: BinaryIO) -> Iterator[Mapping[str, Json]]:
    for number, found in enumerate(_read(session, file)):
        if number == MAX_SAMPLES:
            echo(f"{file.name}: only the first {MAX_SAMPLES} events are rendered", err=True)
            return
        if not isinstance(found, Mapping):
            raise EventError(
                f"{file.name}, {found.place}: {found.reason}",
                hint="The file must contain events, as `hookctl schema event NAME` describes them.",
            )
        yield found


def _newest(session: Session, file: BinaryIO) -> list[Mapping[str, Json]]:
    from hookctl.config.review import MAX_RECENT

    newest: deque[Mapping[str, Json]] = deque(maxlen=MAX_RECENT)
    bad = 0
    for found in _read(session, file):
        if isinstance(found, Mapping):
            newest.appendleft(found)
        else:
            bad += 1
    if bad:
        what = "1 line that is not an event" if bad == 1 else f"{bad:,} lines that are not events"
        echo(f"{printable(file.name)}: skipped {what}", err=True)
    return list(newest)


def _read(session: Session, file: BinaryIO) -> Iterable[Mapping[str, Json] | BadEvent]:
    from hookctl.delivery.events.intake import BadEvent, EventGate, EventReader

    reader = EventReader(EventGate(session.event_types))
    try:
        for data in iter(lambda: file.read(READ_BYTES), b""):
            yield from (found if isinstance(found, BadEvent) else found.document for found in reader.feed(data))
        yield from (found if isinstance(found, BadEvent) else found.document for found in reader.finish())
    except EventError as error:
        raise EventError(f"{file.name}: {error.message}", hint=error.hint) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
