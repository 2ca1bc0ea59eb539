"""Guesses are limited, and those who have a token are not held up by others' guesses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hookctl.model.token import Scope
from hookctl.serve.access import guessing


def test_guesses_are_limited_but_known_tokens_are_not(server: Any) -> None:
    known, unknown = server.token(Scope.READ), server.token(Scope.READ)
    assert server.request("GET", "/show", Authorization=f"Bearer {known}").status == 200
    for _ in range(guessing.FAILURES_OF_ADDRESS):
        assert server.request("GET", "/show", Authorization="Bearer hookctl_a_b").status == 401
    limited = server.request("GET", "/show", Authorization=f"Bearer {unknown}")
    assert limited.status == 429
    assert 1 <= int(limited.headers["retry-after"]) <= guessing.WINDOW_SECONDS
    assert server.request("GET", "/show", Authorization=f"Bearer {known}").status == 200
    link = server.request("GET", server.access.new_link())
    assert (link.status, link.cookie) == (429, "")
    assert server.request("GET", "/healthz").status == 200


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(guessing, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_addresses_are_counted_apart_and_in_total(clock: list[float]) -> None:
    failures = guessing.Failures()
    for _ in range(guessing.FAILURES_OF_ADDRESS):
        failures.note("192.0.2.1")
        failures.note("2001:db8::1")
    assert failures.wait("192.0.2.1") == guessing.WINDOW_SECONDS
    assert failures.wait("2001:db8::2") > 0  # the same network
    assert failures.wait("2001:db8:0:1::2") == failures.wait("192.0.2.2") == failures.wait("unix") == 0
    for number in range(guessing.FAILURES):
        failures.note(f"198.51.100.{number}")
    assert failures.wait("203.0.113.9") > 0
    clock[0] += guessing.WINDOW_SECONDS
    assert failures.wait("192.0.2.1") == failures.wait("203.0.113.9") == 0


def test_the_memory_is_bounded(clock: list[float]) -> None:
    failures = guessing.Failures()
    for number in range(guessing.MOST_ADDRESSES + 500):
        failures.note(f"10.0.{number // 256}.{number % 256}")
    assert len(failures._by_address) == guessing.MOST_ADDRESSES
    clock[0] += guessing.WINDOW_SECONDS
    assert failures.wait("10.0.0.0") == 0
    assert not failures._by_address
