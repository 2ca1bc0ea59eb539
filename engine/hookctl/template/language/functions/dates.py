"""The filter ``datetime``: from epoch seconds, epoch milliseconds or ISO 8601, to any of them or to a format.

Formats are read here and not by ``strftime``, whose result depends on the machine and the locale, and which takes
``%999999d`` as a width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from hookctl.errors import RenderError
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.template.language.expressions import Const, Filtered
from hookctl.template.language.functions.declaration import (
    BuiltIn,
    Filters,
    argument_of,
    constants,
    text_argument,
    types,
)
from hookctl.template.language.values import to_text

MAX_FORMAT = 200
"""Characters of a format."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,12})?)?)(?:([Zz])|([+-]\d\d):?(\d\d)?(:\d\d)?)?)?",
    re.ASCII,
)
_ZONE_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
"""Names in the IANA database begin with a capital. Other files in its folder depend on the machine."""
_UNITS = ("s", "ms")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _offset(moment: datetime, separator: str) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    sign, seconds = "-" if seconds < 0 else "+", abs(seconds)
    rest = f"{separator}{seconds % 60:02}" if seconds % 60 else ""
    return f"{sign}{seconds // 3600:02}{separator}{seconds // 60 % 60:02}{rest}"


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


CODES: Mapping[str, Callable[[datetime], str]] = {
    "%Y": lambda moment: f"{moment.year:04}",
    "%y": lambda moment: f"{moment.year % 100:02}",
    "%m": lambda moment: f"{moment.month:02}",
    "%-m": lambda moment: str(moment.month),
    "%B": lambda moment: _MONTHS[moment.month - 1],
    "%b": lambda moment: _MONTHS[moment.month - 1][:3],
    "%d": lambda moment: f"{moment.day:02}",
    "%-d": lambda moment: str(moment.day),
    "%e": lambda moment: f"{moment.day:2}",
    "%j": lambda moment: f"{moment.timetuple().tm_yday:03}",
    "%A": lambda moment: _DAYS[moment.weekday()],
    "%a": lambda moment: _DAYS[moment.weekday()][:3],
    "%u": lambda moment: str(moment.isoweekday()),
    "%V": lambda moment: f"{moment.isocalendar().week:02}",
    "%G": lambda moment: f"{moment.isocalendar().year:04}",
    "%F": lambda moment: f"{moment.year:04}-{moment.month:02}-{moment.day:02}",
    "%H": lambda moment: f"{moment.hour:02}",
    "%-H": lambda moment: str(moment.hour),
    "%I": lambda moment: f"{_hour12(moment):02}",
    "%-I": lambda moment: str(_hour12(moment)),
    "%p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "%M": lambda moment: f"{moment.minute:02}",
    "%-M": lambda moment: str(moment.minute),
    "%S": lambda moment: f"{moment.second:02}",
    "%-S": lambda moment: str(moment.second),
    "%f": lambda moment: f"{moment.microsecond:06}",
    "%R": lambda moment: f"{moment.hour:02}:{moment.minute:02}",
    "%T": lambda moment: f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}",
    "%z": lambda moment: _offset(moment, ""),
    "%:z": lambda moment: _offset(moment, ":"),
    "%Z": lambda moment: moment.tzname() or "",
    "%%": lambda _: "%",
}
"""The codes of a format, as in ``strftime`` in English."""
_WHOLE: Mapping[str, timedelta] = {"epoch": timedelta(seconds=1), "epoch_ms": timedelta(milliseconds=1)}
"""The formats that are not text: the number of these since 1970."""
_ADVICE: Mapping[str, str] = {
    "%s": "Write datetime('epoch').",
    "%c": "Write %F %T.",
    "%x": "Write %F.",
    "%X": "Write %T.",
    "%D": "Write %m/%d/%y.",
    "%h": "Write %b.",
    "%k": "Write %-H.",
    "%l": "Write %-I.",
    "%n": "Write the line break itself.",
    "%r": "Write %I:%M:%S %p.",
    "%P": "Write %p, and put `lower` behind datetime.",
    "%w": "Write %u: Monday is 1, and Sunday is 7.",
    "%U": "Write %V, the week by ISO 8601.",
    "%W": "Write %V, the week by ISO 8601.",
    "%g": "Write %G, the year of the week by ISO 8601.",
    "%L": "Write %f for microseconds.",
    "%N": "Write %f for microseconds.",
}
_FORMATS = "Write %F for the date, %T for the time, or other codes: see `hookctl explain templates`."


@lru_cache(maxsize=100)
def _format(text: str) -> tuple[Callable[[datetime], str] | str, ...]:
    """The parts of a format: codes, and the text between them. Raises RenderError for a code that is not allowed."""
    if len(text) > MAX_FORMAT:
        message = f"a format of datetime has at most {MAX_FORMAT} characters"
        raise RenderError(message, hint="Write the text around the filter.")
    parts: list[Callable[[datetime], str] | str] = []
    for part in re.findall(r"%(?:[-:].?|.?)|[^%]+", text, re.DOTALL):
        if part.startswith("%") and part not in CODES:
            hint = _ADVICE.get(part, "Remove the width." if part[1:].isdecimal() else _FORMATS)
            raise RenderError(f"a format of datetime cannot contain {part}", hint=hint)
        parts.append(CODES.get(part, part))
    if not any(map(callable, parts)):
        raise RenderError("the format of datetime has no code, so it contains no date", hint=_FORMATS)
    return tuple(parts)


@lru_cache(maxsize=100)
def _zone(name: str) -> tzinfo:
    """A time zone by its name in the IANA database. Raises RenderError."""
    from zoneinfo import ZoneInfo, available_timezones

    if name == "UTC":
        return UTC
    try:
        if _ZONE_NAME.fullmatch(name):
            return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # an unknown name, a name that is not allowed, a folder
        pass
    near = nearest(name, sorted(available_timezones()))
    hint = f"Did you mean {near[0]}?" if near else "Write a name of the IANA database, such as Europe/Berlin."
    raise RenderError(f"there is no time zone {name}", hint=hint)


def _check_format(value: Json) -> None:
    if value is not None:
        text = text_argument(value, "datetime's format")
        if text not in _WHOLE:
            _format(text)


def _check_zone(value: Json) -> None:
    _zone(text_argument(value, "datetime's zone"))


def _check_unit(value: Json) -> None:
    if value not in _UNITS:
        raise RenderError(f"datetime has no unit {to_text(value)}", hint="The units are 's' and 'ms'.")


def _datetime(value: float | str, format: str | None = None, zone: str = "UTC", unit: str = "s") -> Json:  # noqa: A002  # as in a template
    for check, argument in ((_check_format, format), (_check_zone, zone), (_check_unit, unit)):
        check(argument)
    moment = _from_number(value, unit) if is_number(value) else _from_text(str(value))
    if format is not None and format in _WHOLE:
        return (moment - _EPOCH) // _WHOLE[format]
    try:
        moment = moment.astimezone(_zone(zone))
    except OverflowError:
        raise _out_of_range(unit) from None
    if format is not None:
        return "".join([part if isinstance(part, str) else part(moment) for part in _format(format)])
    return _iso(moment)


def _iso(moment: datetime) -> str:
    precision = (
        "seconds" if not moment.microsecond else "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    )
    local = moment.replace(tzinfo=None).isoformat(timespec=precision)
    return local + ("Z" if moment.tzinfo is UTC else _offset(moment, ":"))


def _from_number(value: float, unit: str) -> datetime:
    try:
        return datetime.fromtimestamp(value, UTC) if unit == "s" else _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError, OSError):
        raise _out_of_range(unit) from None


def _out_of_range(unit: str) -> RenderError:
    hint = "If the number is milliseconds, write datetime(unit='ms')." if unit == "s" else "Send the number as it is."
    return RenderError("the value for datetime is outside the years 1 to 9999", hint=hint)


def _from_text(text: str) -> datetime:
    """The moment of ISO 8601 text, which may be a date alone. Without an offset it is UTC."""
    try:
        if match := _ISO.fullmatch(text):
            date, time, _, hours, minutes, seconds = match.groups()
            offset = f"{hours}:{minutes or '00'}{seconds or ''}" if hours else "+00:00"
            return datetime.fromisoformat(f"{date}T{(time or '00:00').replace(',', '.')}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # a date such as February 30, which has the form of one
    message = "the text for datetime is not a date and time in ISO 8601"
    raise RenderError(message, hint="Send it as it is. If it is a number in a string, put `float` before datetime.")


def _gives(filtered: Filtered) -> frozenset[str]:
    format_ = argument_of(filtered, 0, "format")
    return types("integer") if isinstance(format_, Const) and format_.value in _WHOLE else types("string")


FILTERS: Filters = {
    "datetime": BuiltIn(
        _datetime,
        takes=types("number", "string"),
        gives=types("string", "integer"),
        gives_by_use=_gives,
        misuses=constants("datetime", ("format", _check_format), ("zone", _check_zone), ("unit", _check_unit)),
    )
}
