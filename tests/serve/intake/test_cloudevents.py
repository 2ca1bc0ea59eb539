"""CloudEvents in their three modes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

Site = Any  # of conftest.py
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json; charset=utf-8"


def cloud(site: Site, name: str = "1", **fields: Any) -> dict[str, Any]:
    made = {
        "specversion": "1.0",
        "id": name,
        "source": "/shop",
        "type": "anomaly",
        "time": "2026-11-28T10:30:00+01:00",
        "subject": "not kept",
        "data": site.mock["data"],
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


def test_structured(site: Site) -> None:
    answer = site.send(cloud(site), "", STRUCTURED)
    assert (answer.status, answer.json["id"], answer.json["status"]) == (202, "/shop|1", "accepted")
    assert site.store.event("/shop|1").document == {
        "id": "/shop|1",
        "event_type": "anomaly",
        "event_time": 1795858200.0,
        "data": site.mock["data"],
    }
    assert site.get(answer.headers["location"]).json["id"] == "/shop|1"


def test_binary(site: Site) -> None:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "%E2%82%AC",
        "ce_source": "/shop",
        "ce_type": '"anomaly"',
        "ce_time": "2026-11-28T09:30:00Z",
    }
    answer = site.send(site.mock["data"], **headers)
    assert (answer.status, answer.json["id"]) == (202, "/shop|€")
    same = cloud(site, "€")
    assert site.send(same, "", STRUCTURED).json["status"] == "duplicate"


def test_batch(site: Site) -> None:
    answer = site.send([cloud(site, "1"), cloud(site, "2"), cloud(site, "1", source="/stock")], "", BATCH)
    assert (answer.status, answer.statuses) == (202, ["accepted"] * 3)
    assert site.stored() == {"/shop|1", "/shop|2", "/stock|1"}
    answer = site.send([cloud(site, "3"), cloud(site, "4", type="unknown")], "?partial=true", BATCH)
    assert (answer.status, answer.statuses) == (207, ["accepted", "rejected"])


def test_data_in_base64(site: Site) -> None:
    encoded = base64.b64encode(json.dumps(site.mock["data"]).encode()).decode()
    assert site.send(cloud(site, data=None, data_base64=encoded), "", STRUCTURED).status == 202
    assert site.store.event("/shop|1").document["data"] == site.mock["data"]


def test_without_a_time_it_has_the_time_at_which_it_came_first(site: Site) -> None:
    event = cloud(site, time=None)
    assert site.send(event, "", STRUCTURED).json["status"] == "accepted"
    assert site.send(event, "", STRUCTURED).json["status"] == "duplicate"
    assert site.send([event], "?partial=true", BATCH).statuses == ["duplicate"]
    changed = cloud(site, time=None, data={**site.mock["data"], "title": "another"})
    assert site.send(changed, "", STRUCTURED).problem == "event-changed"


@pytest.mark.parametrize(
    "fields",
    [
        {"specversion": "0.3"},
        {"specversion": None},
        {"id": None},
        {"id": ""},
        {"source": "not a uri"},
        {"source": "a|b"},
        {"type": 1},
        {"time": "yesterday"},
        {"time": "2026-13-01T00:00:00Z"},
        {"time": 1795858200},
        {"data_base64": "e30="},
        {"data": None, "data_base64": "?"},
    ],
)
def test_what_is_not_a_cloud_event(site: Site, fields: dict[str, Any]) -> None:
    answer = site.send(cloud(site, **fields), "", STRUCTURED)
    assert (answer.status, answer.problem) == (422, "event-invalid")
    assert [error["rule"] for error in answer.json["errors"]] == ["event-cloudevent"]


def test_the_data_is_checked_against_the_schema_of_the_type(site: Site) -> None:
    answer = site.send(cloud(site, data={"title": 1}), "", STRUCTURED)
    assert {error["rule"] for error in answer.json["errors"]} == {"event-schema"}
    assert site.send(b"[]", "", STRUCTURED).status == 422
    assert site.send(b"{}", "", BATCH).status == 422
    assert site.send(b"[", "", BATCH).status == 422
