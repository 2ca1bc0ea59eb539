"""The filters in the address of a page: named and written as the options of ``hookctl deliveries list``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hookctl.delivery.past.selection import STATUSES, Selection, checked_cause, checked_digest, condition
from hookctl.errors import HookctlError
from hookctl.model.moments import duration_of, moment_at
from hookctl.report.text.moments import iso

if TYPE_CHECKING:
    from hookctl.model import DeliveryStatus
    from hookctl.store.overviews import Position
    from hookctl.store.records import Filter

FILTERS = tuple(one.name.replace("_", "-") for one in fields(Selection))
"""The parameters, as the options of commands have them."""
GROUP = "group"
"""The parameter with the key of a group of deliveries that failed for the same cause."""
BEFORE = "before"
"""The parameter with the position before which a page begins."""
LONGEST = 2_000
"""Characters of a filter that are read."""
PRESETS = (("15m", "15 minutes"), ("1h", "hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
"""What ``since`` can be at a click."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a page shows."""

    texts: Mapping[str, str]
    """The filters as they were written, by parameter; without those that are empty."""
    selection: Selection
    group: str
    before: Position | None
    errors: Mapping[str, str]
    """What is wrong with a filter, by parameter. The others are in :attr:`selection`."""

    @property
    def is_given(self) -> bool:
        """Whether there is any filter."""
        return bool(self.texts)

    def filter(
        self,
        default: Collection[DeliveryStatus] | None = None,
        among: Collection[DeliveryStatus] | None = None,
    ) -> Filter:
        """See :meth:`hookctl.delivery.past.selection.Selection.as_filter`."""
        return replace(self.selection.as_filter(default, among), group=self.group)

    def url(self, path: str, **changes: str | None) -> str:
        """A link with these filters and changes to them; None removes one. A change always begins at the first page."""
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        texts = {name: value for name, value in (dict(self.texts) | named).items() if value}
        return f"{path}?{urlencode(texts)}" if texts else path

    def next_url(self, path: str, position: Position | None) -> str | None:
        """A link to the page before a position; None without one."""
        return None if position is None else self.url(path, before=written(position))

    def pinned(self, now: float) -> Mapping[str, str]:
        """The filters with fixed times, which end now: what is made later does not pass."""
        since, until = self.selection.since, self.selection.until
        end = now if until is None else min(until, now)
        times = {"until": end, "since": since, "due-within": self.selection.due_within}
        return dict(self.texts) | {name: repr(at) for name, at in times.items() if at is not None}


def read(given: Mapping[str, str], now: float) -> Query:
    """The filters in the parameters of an address, or in the fields of a form. Never raises."""
    texts = {name: text[:LONGEST] for name in (*FILTERS, GROUP) if (text := given.get(name, "").strip())}
    errors: dict[str, str] = {}
    values: dict[str, str | float] = {}
    for name in FILTERS:
        if name in texts:
            try:
                values[name.replace("-", "_")] = _value(name, texts[name], now)
            except HookctlError as error:
                errors[name] = f"{error.message}. {error.hint}".strip()
            except (ValueError, OverflowError) as error:
                errors[name] = str(error)
    return Query(
        texts=texts,
        selection=Selection(**values),  # type: ignore[arg-type]  # each value is that of its field
        group=texts.get(GROUP, ""),
        before=_position(given.get(BEFORE, "")),
        errors=errors,
    )


def written(position: Position) -> str:
    """A position as it is in an address."""
    return f"{position[0]!r}_{position[1]}"


def _value(name: str, text: str, now: float) -> str | float:
    """The value of a filter. Raises ValueError or HookctlError, with a message for people, if it is not valid."""
    match name:
        case "since" | "until":
            return _moment(text, now)
        case "attempts":
            return _number(text)
        case "due-within":
            return _end(text, now)
        case "cause":
            return checked_cause(text)
        case "plan":
            return checked_digest(text)
        case "status" if text not in STATUSES:
            raise ValueError(f"{text!r} is not a status. It is one of {', '.join(STATUSES)}.")
        case "where":
            condition(text)
    return text


def _number(text: str) -> int:
    """A number of attempts. Raises ValueError, with a message for people, for other text."""
    if not text.isascii() or not text.isdecimal() or len(text) > len("1000000"):
        raise ValueError(f"{text!r} is not a number of attempts.")
    return int(text)


def _end(text: str, now: float) -> float:
    """When a duration ends, or a point in time that :meth:`Query.pinned` writes as epoch seconds."""
    is_pinned = text.partition(".")[0].isdecimal() and len(text) > len("1000000")
    return _moment(text, now) if is_pinned else now + duration_of(text)


def _moment(text: str, now: float) -> float:
    """A point in time, which :meth:`Query.pinned` writes as epoch seconds."""
    try:
        at = float(text) if text.partition(".")[0].isdecimal() and len(text) > len("1000000") else moment_at(text, now)
        iso(at)  # no page could show it
    except (OverflowError, OSError):
        raise ValueError(f"{text!r} is too far away.") from None
    return at


def _position(text: str) -> Position | None:
    """The position that :func:`written` wrote; None for any other text."""
    at, _, number = text.partition("_")
    try:
        position = float(at), int(number)
    except ValueError:
        return None
    return position if abs(position[0]) <= 1e12 and 0 <= position[1] < 1 << 62 else None
