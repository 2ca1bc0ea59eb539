"""Reasons of dead letters in groups."""

from __future__ import annotations

import pytest

from hookctl.report.text.causes import cause_of, causes_text


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("HTTP 404 Not Found", "HTTP 404"),
        ("HTTP 503", "HTTP 503"),
        ("HTTP 503 Service Unavailable; schedule used up after 8 attempts", "HTTP 503"),
        ("timeout: no answer within 15 s; schedule used up after 1 attempt", "timeout"),
        ("render: severity is missing", "render"),
        ("json_path $.ok: expected true, got false", "json_path $.ok: expected true, got false"),
        ("HTTP 4040", "HTTP 4040"),
        ("x" * 61, "x" * 57 + "..."),
        ("x" * 60 + "; schedule used up after 2 attempts", "x" * 60),
        ("", ""),
    ],
)
def test_what_reasons_have_in_common(reason: str, cause: str) -> None:
    assert cause_of(reason) == cause


def test_the_most_frequent_causes_come_first_and_the_others_are_counted() -> None:
    reasons = ["HTTP 404 A"] * 2 + ["HTTP 404 B"] * 3 + ["timeout: x"] * 4 + ["render: y", "render: z", "odd", "tls: a"]
    assert causes_text(reasons, 13) == "5 HTTP 404, 4 timeout, 2 render, 2 for other reasons"
    assert causes_text(reasons[:5], 5) == "5 HTTP 404"
    assert causes_text(reasons[:5], 1200) == "of the newest 5, 5 HTTP 404"
    assert causes_text([""], 1) == "1 without a reason"
