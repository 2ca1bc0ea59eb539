"""What schemathesis cannot know from the OpenAPI document. Loaded by its command, see test_schemathesis.py."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import category

import schemathesis
from hypothesis import strategies as st

from hookctl.model.api_problems import PREFIX
from hookctl.plugin.host import load_plugins

LINES = "application/x-ndjson"
REJECTED, ACCEPTED = "ST202", "ST201"
"""Codes of failures: a request was rejected although it is valid, or accepted although it is not."""
KEY_WITH_PARTIAL = "Idempotency-Key cannot be used with ?partial=true"
MOCK = load_plugins().event_types["anomaly"].mock


def line(number: int) -> bytes:
    return json.dumps({**MOCK, "id": f"line-{number}"}).encode() + b"\n"


schemathesis.openapi.media_type(LINES, st.lists(st.integers(0, 99).map(line), min_size=1, max_size=3).map(b"".join))


@schemathesis.serializer(LINES)
def serialize(_: object, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def has_new_character(body: Any) -> bool:
    """Whether an id has a character that schemathesis knows to be printable, and this version of Python does not."""
    ids = [one["id"] for one in (body if isinstance(body, list) else [body])]
    return any(category(character) == "Cn" for name in ids for character in name)


@schemathesis.hook
def filter_failure(_: object, failure: Any, case: Any, response: Any) -> bool:
    """Drops what OpenAPI has no words for: what depends on two parts of a request, or on what is stored."""
    flags = {name for name, value in (case.query or {}).items() if str(value).lower() == "true"}
    answer = response.json() if "json" in response.headers.get("content-type", [""])[0] else {}
    if failure.code == REJECTED:
        details = [one.get("detail", "") for one in (answer, *answer.get("events", []))]
        if any("must be printable text" in detail for detail in details) and has_new_character(case.body):
            return False
        if "partial" in flags and answer.get("detail") == KEY_WITH_PARTIAL:
            return False
        if answer.get("type") == f"{PREFIX}idempotency-key-reused":
            return False
        rules = {one["rule"] for one in answer.get("errors", answer.get("events", [])) if "rule" in one}
        return rules != {"event-changed"}
    if failure.code == ACCEPTED and flags & {"partial", "dry_run"}:
        results = answer.get("events", [answer])  # the request is accepted, and reports the events that are not
        return not any(one["status"] == "rejected" for one in results)
    return True
