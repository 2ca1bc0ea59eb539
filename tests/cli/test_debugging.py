"""What ``--debug`` prints is bounded, however much an exception says, and masked before it is cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hookctl.cli import debugging
from hookctl.plugin import raised
from hookctl.plugin.raised import trace_of

SECRET = "canary-of-a-secret"


def test_an_exception_that_says_a_lot_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    debugging.show_failure("it failed", trace_of(RuntimeError("A" * 10_000_000)), frozenset())
    shown = capsys.readouterr().err
    assert len(shown) < debugging.MAX_TRACEBACK + 200
    assert shown.startswith("debug: it failed")
    assert "the rest is omitted: --debug shows 65,536 characters" in shown


@pytest.mark.parametrize("filler", ["\n", "\x01", "\u202e"])
def test_what_grows_when_it_is_printed_is_cut(filler: str, capsys: pytest.CaptureFixture[str]) -> None:
    debugging.show_failure("it failed", trace_of(RuntimeError(filler * 1_000_000)), frozenset())
    assert len(capsys.readouterr().err) < debugging.MAX_TRACEBACK + 200


@pytest.mark.parametrize("place", range(-len(SECRET) - 2, 6))
def test_a_secret_at_the_cut_is_masked(place: int, capsys: pytest.CaptureFixture[str]) -> None:
    debugging.show_failure(
        "",
        trace_of(RuntimeError("A" * (debugging.MAX_TRACEBACK - 35 + place) + SECRET + "B" * 100_000)),
        frozenset({SECRET}),
    )
    assert "canary"[:3] not in capsys.readouterr().err


def test_a_short_failure_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    debugging.show_failure("it failed", trace_of(RuntimeError("because")), frozenset())
    assert capsys.readouterr().err == "debug: it failed\ndebug: RuntimeError: because\n"


def test_nothing_is_formatted_beyond_the_limit() -> None:
    def pieces() -> Iterator[str]:
        yield "ab"
        yield "cd"
        raise AssertionError

    assert raised._first(pieces(), 3) == "abc"
