"""What a plan's effects are worked out from: events from files and from the store, and the deliveries that wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hookctl.cli.echo import echo
from hookctl.errors import EventError
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.config.effects import Recent
    from hookctl.delivery.events.intake import BadEvent
    from hookctl.model import DeliveryStatus, Json, Plan

MAX_SAMPLES = 100
"""Events of ``--sample`` that requests are rendered for; of each webhook the first few that differ are shown."""
MAX_RECENT = 1000
"""Events that a plan is tried on, the newest."""
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Given:
    """The files of events that a command was given."""

    sample: BinaryIO | None = None
    events: BinaryIO | None = None


NOTHING_GIVEN = Given()


@dataclass(frozen=True, slots=True)
class Known:
    """The events to try a plan on, and the deliveries that wait, by webhook."""

    samples: tuple[Mapping[str, Json], ...] = ()
    recent: Recent | None = None
    waiting: Mapping[str, Mapping[DeliveryStatus, int]] | None = None


def gather(session: Session, plan: Plan, given: Given) -> Known:
    """Read what the effects of a plan need. The store is asked only for a plan that is against what is applied, and never made.

    Raises EventError for a sample that is no event; among recent events such a one is passed over, and said so.
    """
    from hookctl.config.effects import Recent

    samples = tuple(_sample(session, given.sample)) if given.sample else ()
    recent = Recent(given.events.name, _newest(session, given.events)) if given.events else None
    if plan.against is not None or not plan.has_changes or not session.store_path.exists():
        return Known(samples, recent)
    from hookctl.cli.running import opened_queue

    with opened_queue(session.store_path) as queue:
        return Known(samples, recent or Recent("the store", queue.recent_events(MAX_RECENT)), queue.counts())


def _sample(session: Session, file: BinaryIO) -> Iterator[Mapping[str, Json]]:
    for number, found in enumerate(_read(session, file)):
        if number == MAX_SAMPLES:
            echo(f"{file.name}: only the first {MAX_SAMPLES} events are rendered", err=True)
            return
        if not isinstance(found, Mapping):
            raise EventError(
                f"{file.name}, {found.place}: {found.reason}",
                hint="The file must hold events, as `hookctl schema event NAME` describes them.",
            )
        yield found


def _newest(session: Session, file: BinaryIO) -> list[Mapping[str, Json]]:
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

    reader = EventReader(EventGate(session.plugins.event_types))
    try:
        for data in iter(lambda: file.read(READ_BYTES), b""):
            yield from (found if isinstance(found, BadEvent) else found.document for found in reader.feed(data))
        yield from (found if isinstance(found, BadEvent) else found.document for found in reader.finish())
    except EventError as error:
        raise EventError(f"{file.name}: {error.message}", hint=error.hint) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
