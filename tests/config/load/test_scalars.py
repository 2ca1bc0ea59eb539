"""Plain scalars, as YAML 1.2's core schema has them."""

from __future__ import annotations

import pytest

from hookctl.config.load.scalars import AmbiguousScalarError, resolve_plain
from hookctl.model import Json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        ("0", 0),
        ("-0", 0),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("0x1F", 31),
        ("18446744073709551615", 18446744073709551615),
        ("1.5", 1.5),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("012.5", 12.5),
        ("1.5e+3", 1500.0),
    ],
)
def test_values(text: str, value: Json) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text",
    ["on", "off", "yes", "no", "y", "N", "On", "tRUE", "nUll", "1:30", "190:20:30",
     "2001-12-14", "2001-12-14t21:59:43.10-05:00",
     "1.2.3", "v1", "-", "+", ".", "-.", "=", "<<",
     "0x", "0xg", "1a", "1-2", "+-1", "e3", "1e", "_1", "127.0.0.1", "${env:A}"],
)  # fmt: skip
def test_text(text: str) -> None:
    assert resolve_plain(text) == text


@pytest.mark.parametrize(
    "text",
    ["012", "-012", "00", "09", "0o14", "0b11", "-0x1F", "0x1_F", "1_000", "-1_0", "1_0.5", "1_", "0_1",
     "1e3", "1E3", "1.5e3", "1e+3", "-1e-3", ".5e1", ".inf", "-.inf", "+.INF",
     ".Inf", ".nan", ".NaN", ".NAN", "18446744073709551616", "-9223372036854775809", "9" * 5000, "0x" + "f" * 5000,
     "1.0e+999", "1" * 400 + ".0"],
)  # fmt: skip
def test_ambiguous(text: str) -> None:
    with pytest.raises(AmbiguousScalarError):
        resolve_plain(text)
