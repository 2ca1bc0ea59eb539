"""The filter ``datetime``: what it reads, what it writes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import RenderError
from hookctl.template.language.filters import find
from hookctl.template.language.functions.dates import CODES

convert: Any = find("datetime", {})
SAME_ON_EVERY_MACHINE = CODES.keys() - {"%:z"}  # Python 3.12 is the first to have it
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # bounds


@pytest.mark.parametrize(
    ("value", "arguments", "expected"),
    [
        (0, {}, "1970-01-01T00:00:00Z"),
        (1764040815.5, {}, "2025-11-25T03:20:15.500Z"),
        (1764040815, {"zone": "Europe/Berlin"}, "2025-11-25T04:20:15+01:00"),
        (1764040815, {"zone": "America/St_Johns"}, "2025-11-24T23:50:15-03:30"),
        (1764040815482, {"unit": "ms"}, "2025-11-25T03:20:15.482Z"),
        (1764040815482, {"unit": "ms", "format": "epoch"}, 1764040815),
        (1764040815.5, {"format": "epoch"}, 1764040815),
        (-0.5, {"format": "epoch"}, -1),
        (1764040815.5, {"format": "epoch_ms"}, 1764040815500),
        ("2025-11-25T03:20:15Z", {"format": "epoch"}, 1764040815),
        ("2025-11-25T03:20:15.123456789Z", {}, "2025-11-25T03:20:15.123456Z"),
        ("2025-11-25t04:20:15+01:00", {}, "2025-11-25T03:20:15Z"),
        ("2025-11-25 04:20+0100", {"format": "%H:%M"}, "03:20"),
        ("2025-11-25 04:20:15,5-01", {}, "2025-11-25T05:20:15.500Z"),
        ("2025-11-25", {"zone": "Europe/Berlin"}, "2025-11-25T01:00:00+01:00"),
        ("2025-07-01T12:00:00", {"format": "%d.%m.%Y %H:%M %Z", "zone": "Europe/Berlin"}, "01.07.2025 14:00 CEST"),
        ("2025-11-05T13:04:09Z", {"format": "%A, %-d %B %Y, %-I:%M %p (%z, %:z) 100 %%"},
         "Wednesday, 5 November 2025, 1:04 PM (+0000, +00:00) 100 %"),
        ("0999-11-05T13:04:09Z", {"format": "%Y|%e|%y|%j|%F %T|%R"}, "0999| 5|99|309|0999-11-05 13:04:09|13:04"),
        ("2025-11-05T00:30:00Z", {"format": "%I %-I %p"}, "12 12 AM"),
        ("2025-11-05T12:30:00Z", {"format": "%I %-I %p"}, "12 12 PM"),
    ],
)  # fmt: skip
def test_datetime_gives(value: Any, arguments: dict[str, str], expected: Any) -> None:
    assert convert(value, **arguments) == expected


@pytest.mark.parametrize(
    ("value", "arguments", "says"),
    [
        (1764040815482, {}, "outside the years"),
        (1e300, {"unit": "ms"}, "outside the years"),
        (253402300799, {"zone": "Asia/Tokyo"}, "outside the years"),
        ("1764040815", {}, "not a date and time"),
        ("2025-02-30", {}, "not a date and time"),
        ("2025-11-25T03:20:61Z", {}, "not a date and time"),
        ("0001-01-01T00:00:00+01:00", {}, "not a date and time"),
        ("٢٠٢٥-11-25", {}, "not a date and time"),
        ("2025-11-25\n", {}, "not a date and time"),
        (True, {}, "takes a number or a string, but the value is a boolean"),
        (0, {"format": "%999999d"}, "cannot contain %9"),
        (0, {"format": "%s"}, "cannot contain %s"),
        (0, {"format": ""}, "has no code"),
        (0, {"format": "YYYY-MM-DD"}, "has no code"),
        (0, {"format": "%c"}, "cannot contain %c"),
        (0, {"format": "%-Y"}, "cannot contain %-Y"),
        (0, {"format": "100%"}, "cannot contain %"),
        (0, {"format": "%\n"}, "cannot contain %\n"),
        (0, {"format": "x" * 201}, "at most 200 characters"),
        (0, {"format": 1}, "format is not a string"),
        (0, {"zone": "Europe/Berlim"}, "there is no time zone Europe/Berlim"),
        (0, {"zone": "Europe"}, "there is no time zone Europe"),
        (0, {"zone": "localtime"}, "there is no time zone localtime"),
        (0, {"zone": "../../etc/passwd"}, "there is no time zone ../../etc/passwd"),
        (0, {"zone": None}, "zone is not a string"),
        (0, {"unit": "us"}, "no unit us"),
    ],
)
def test_datetime_refuses(value: Any, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(RenderError) as caught:
        convert(value, **arguments)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_zone_that_is_misspelled_gets_a_suggestion() -> None:
    with pytest.raises(RenderError) as caught:
        convert(0, zone="Europe/Berlim")
    assert caught.value.hint == "Did you mean Europe/Berlin?"


@pytest.mark.parametrize(
    ("arguments", "says", "at"),
    [
        ("'%Y %Q'", "cannot contain %Q", "'%Y %Q'"),
        ("format='%s'", "cannot contain %s", "'%s'"),
        ("'%Y', 'Mars/Base'", "there is no time zone Mars/Base", "'Mars/Base'"),
        ("zone=data.severity", "the zone of datetime is not a constant", "data.severity"),
        ("unit='h'", "no unit h", "'h'"),
    ],
)
def test_a_wrong_argument_is_found_where_it_stands(check: Any, arguments: str, says: str, at: str) -> None:
    """Also where the mock event does not get there."""
    text = '{"a": {{ (event_time | datetime(' + arguments + ")) if data.severity == 'none of these' else 1 }}}"
    problem = next(problem for problem in check(text) if problem.rule == "template-filter")
    assert says in problem.message
    assert text[problem.start : problem.end] == at


@given(MOMENTS, st.lists(st.sampled_from(sorted(SAME_ON_EVERY_MACHINE)), min_size=1, max_size=5))
def test_a_format_gives_what_strftime_gives(moment: datetime, codes: list[str]) -> None:
    zone = "Europe/Berlin"
    local = moment.astimezone(ZoneInfo(zone))
    assert convert(moment.isoformat(), "|".join(codes), zone) == local.strftime("|".join(codes))


@given(MOMENTS)
def test_what_it_writes_it_reads(moment: datetime) -> None:
    written = convert(moment.isoformat(), zone="Asia/Kolkata")
    assert datetime.fromisoformat(written) == moment
    assert convert(written, "epoch_ms") == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "de_DE.UTF-8"])
def test_names_do_not_depend_on_the_machine(locale: str) -> None:
    program = (
        "import json, locale\n"
        "try: locale.setlocale(locale.LC_ALL, '')\n"
        "except locale.Error: pass\n"
        "from hookctl.template.language.filters import find\n"
        "print(json.dumps(find('datetime', {})(0, '%A %B %p')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"LC_ALL": locale, "TZ": "Asia/Tokyo"}, capture_output=True, check=True
    )
    assert json.loads(ran.stdout) == "Thursday January AM"


def test_zones_come_from_the_package_where_the_system_has_none() -> None:
    program = (
        "from hookctl.template.language.filters import find\nprint(find('datetime', {})(0, '%H', 'Europe/Berlin'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONTZPATH": ""}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "01\n"
