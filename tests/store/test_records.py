"""Attempts on disk: what was recorded is what is read, whatever a target or a plugin put into it."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.model import CAUSES, Attempt, Failure, FailureKind, Mismatch, Request, Response, Timing, Verdict
from hookctl.store.texts import attempt_from_text, attempt_to_text

TEXT = st.text(st.characters(codec=None), max_size=20)
HEADERS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
SECONDS = st.none() | st.floats(0, 1e6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=5,
)
ATTEMPTS = st.builds(
    Attempt,
    plan_digest=TEXT,
    number=st.integers(1, 10),
    started_at=st.floats(0, 1e10),
    request=st.none() | st.builds(Request, TEXT, TEXT, HEADERS, st.none() | st.binary(max_size=50)),
    response=st.none()
    | st.builds(Response, st.integers(100, 599), TEXT, HEADERS, st.binary(max_size=50), st.booleans(), st.booleans()),
    failure=st.none() | st.builds(Failure, st.sampled_from(FailureKind), TEXT, st.sampled_from(["", *sorted(CAUSES)])),
    timing=st.builds(Timing, SECONDS, SECONDS, SECONDS, SECONDS, st.floats(0, 1e6)),
    verdicts=st.lists(
        st.builds(Verdict, TEXT, st.lists(st.builds(Mismatch, TEXT, TEXT, TEXT, JSON, JSON), max_size=2).map(tuple)),
        max_size=2,
    ).map(tuple),
)


@given(ATTEMPTS)
def test_what_is_written_is_what_is_read(attempt: Attempt) -> None:
    text = attempt_to_text(attempt)
    assert "\n" not in text
    assert attempt_from_text(text.encode().decode()) == attempt


@pytest.mark.parametrize(("stored", "cause"), [({}, ""), ({"cause": "url"}, "url"), ({"cause": ["url"]}, "")])
def test_a_failure_may_have_no_cause_or_an_unknown_one(stored: dict[str, Any], cause: str) -> None:
    document = json.loads(attempt_to_text(mismatched(None)))
    document["failure"] = {"kind": "tls", "message": "why", **stored}
    assert attempt_from_text(json.dumps(document)).failure == Failure(FailureKind.TLS, "why", cause)


def mismatched(got: Any) -> Attempt:
    verdict = Verdict("v", (Mismatch("v", "no", "$.a", expected=1, got=got),))
    return Attempt(
        plan_digest="d",
        number=1,
        started_at=1.0,
        request=None,
        response=None,
        failure=None,
        timing=Timing(),
        verdicts=(verdict,),
    )


def deep() -> Any:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("got", [Decimal(1), {1j: 2}, deep()], ids=["no JSON", "no key", "deep"])
def test_what_json_cannot_hold_is_left_out(got: Any) -> None:
    (verdict,) = attempt_from_text(attempt_to_text(mismatched(got))).verdicts
    assert verdict.mismatches == (Mismatch("v", "no", "$.a", None, None),)


def test_not_a_number_is_kept() -> None:
    (verdict,) = attempt_from_text(attempt_to_text(mismatched(math.nan))).verdicts
    assert isinstance(verdict.mismatches[0].got, float)
