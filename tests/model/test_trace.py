"""Trace contexts, as W3C Trace Context defines what is valid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.model import TraceContext, read_trace
from hookctl.model.trace import MAX_MEMBERS, MAX_STATE, trace_from_text, trace_text

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_one_is_read() -> None:
    assert read_trace(VALID) == TraceContext(TRACE, SPAN, is_sampled=True)
    assert read_trace(f" {VALID}\t") == TraceContext(TRACE, SPAN, is_sampled=True)
    assert TraceContext(TRACE, SPAN, is_sampled=True).traceparent == VALID


@pytest.mark.parametrize(("flags", "is_sampled"), [("00", False), ("01", True), ("02", False), ("03", True)])
def test_only_the_sampled_flag_is_passed_on(flags: str, is_sampled: bool) -> None:
    found = read_trace(f"00-{TRACE}-{SPAN}-{flags}")
    assert found is not None
    assert found.is_sampled is is_sampled
    assert found.traceparent == f"00-{TRACE}-{SPAN}-0{int(is_sampled)}"


@pytest.mark.parametrize("text", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes"])
def test_a_later_version_is_read_as_far_as_it_is_known(text: str) -> None:
    assert read_trace(text) == TraceContext(TRACE, SPAN, is_sampled=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        VALID.upper(),
        VALID[:-1],
        f"{VALID}-more",
        f"{VALID}0",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{VALID}\n",
        f"{VALID},{VALID}",
    ],
)
def test_anything_else_is_not_one(text: str) -> None:
    assert read_trace(text) is None


@pytest.mark.parametrize(
    "state", ["a=1", "a=1,b=2", "tenant@vendor=x", "a=1 , b=with space", "a=1,,b=2", f"a={'x' * 256}"]
)
def test_a_valid_tracestate_is_passed_on(state: str) -> None:
    found = read_trace(VALID, f" {state} ")
    assert found is not None
    assert found.state == state
    assert trace_from_text(trace_text(found)) == found


@pytest.mark.parametrize(
    "state",
    [
        "a",
        "A=1",
        "a=1,a=2",
        "a=b=c",
        "a=1\r\nX-Injected: 1",
        "a=é",
        f"a={'x' * 257}",
        ",".join(f"k{number}=1" for number in range(MAX_MEMBERS + 1)),
        ",".join(f"{letter}={'x' * 200}" for letter in "abc"),
    ],
)
def test_an_invalid_or_long_tracestate_counts_as_empty(state: str) -> None:
    assert read_trace(VALID, state) == TraceContext(TRACE, SPAN, is_sampled=True)


@given(st.text() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True), st.text())
def test_whatever_is_given_no_header_is_broken(traceparent: str, tracestate: str) -> None:
    found = read_trace(traceparent, tracestate)
    if found is None:
        return
    assert len(found.traceparent) == len(VALID)
    assert len(found.state) <= MAX_STATE
    assert (found.traceparent + found.state).isprintable()
    assert (found.traceparent + found.state).isascii()
    assert trace_from_text(trace_text(found)) == found


@pytest.mark.parametrize("text", [None, 1, b"", "", "x", VALID.encode()])
def test_a_damaged_one_is_none(text: object) -> None:
    assert trace_from_text(text) is None
