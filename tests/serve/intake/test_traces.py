"""The trace that comes with events over HTTP is stored with each of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

Site = Any  # of conftest.py
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
LINES, BATCH = "application/x-ndjson", "application/cloudevents-batch+json"


def traces(site: Site) -> dict[str, str | None]:
    with closing(sqlite3.connect(site.path)) as connection:
        return dict(connection.execute("SELECT id, trace FROM events"))


def cloud(site: Site, name: str, **fields: str) -> dict[str, Any]:
    kept = {"specversion": "1.0", "id": name, "source": "/shop", "type": "anomaly", "data": site.mock["data"]}
    return kept | fields


@pytest.mark.parametrize("query", ["", "?partial=true"])
@pytest.mark.parametrize("form", ["application/json", LINES])
def test_the_headers_count_for_every_event(site: Site, form: str, query: str) -> None:
    events = [site.event("e1"), site.event("e2")]
    body = json.dumps(events) if form != LINES else "\n".join(map(json.dumps, events))
    assert site.send(body.encode(), query, form, traceparent=TRACE, tracestate="a=1,b=2").status == 202
    assert traces(site) == {"e1": f"{TRACE} a=1,b=2", "e2": f"{TRACE} a=1,b=2"}


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, None),
        ({"traceparent": TRACE}, TRACE),
        ({"traceparent": TRACE, "tracestate": "=not valid="}, TRACE),
        ({"traceparent": "00-0-0-01", "tracestate": "a=1"}, None),
        ({"tracestate": "a=1"}, None),
    ],
    ids=["none", "parent", "bad state", "bad parent", "state alone"],
)
def test_one_event(site: Site, headers: dict[str, str], kept: str | None) -> None:
    assert site.send(site.event("e1"), **headers).status == 202
    assert traces(site) == {"e1": kept}


def test_a_cloud_event_may_have_a_trace_of_its_own(site: Site) -> None:
    events = [
        cloud(site, "own", traceparent=OTHER, tracestate="c=3"),
        cloud(site, "none"),
        cloud(site, "bad", traceparent="x"),
    ]
    assert site.send(events, "", BATCH, traceparent=TRACE).status == 202
    assert traces(site) == {"/shop|own": f"{OTHER} c=3", "/shop|none": TRACE, "/shop|bad": TRACE}


def test_a_cloud_event_in_binary_mode(site: Site) -> None:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/shop", "ce_type": "anomaly"}
    assert site.send(site.mock["data"], **headers, ce_traceparent=OTHER, traceparent=TRACE).status == 202
    assert traces(site) == {"/shop|1": OTHER}


def test_the_same_event_in_another_trace_is_a_duplicate(site: Site) -> None:
    assert site.send(site.event("e1"), traceparent=TRACE).json["status"] == "accepted"
    assert site.send(site.event("e1"), traceparent=OTHER).json["status"] == "duplicate"
    assert traces(site) == {"e1": TRACE}
