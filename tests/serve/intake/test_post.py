"""``POST /v1/events``: forms, results, all or nothing, and errors, on a real server and a real store."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.errors import StoreError
from hookctl.model.token import Scope
from hookctl.serve.intake import intake as limits_of_intake
from hookctl.serve.intake.forms import Form
from hookctl.store.records import Filter

Site = Any  # of conftest.py


def test_one_event_is_stored_and_names_the_webhooks_that_it_matched(site: Site) -> None:
    answer = site.send(site.event("e/1"))
    assert (answer.status, answer.json) == (202, {"id": "e/1", "status": "accepted", "webhooks": ["Siem"]})
    assert answer.headers["location"] == "/v1/events/e%2F1"
    assert site.stored() == {"e/1"}
    again = site.send(site.event("e/1"))
    assert (again.status, again.json) == (202, {"id": "e/1", "status": "duplicate", "webhooks": ["Siem"]})
    shown = site.get(answer.headers["location"])
    assert shown.json["matched"][0] | {"delivery": "?"} == {
        "webhook": "Siem",
        "delivery": "?",
        "status": "waiting",
        "attempts": 0,
        "due_at": site.store.deliveries(Filter(event_id="e/1"))[0].due_at,
        "reason": "",
    }
    (other,) = shown.json["unmatched"]
    assert (other["webhook"], other["why"]) == ("Never", "when_was_false")
    assert other["detail"].startswith("data.title == 'never'")


def test_an_event_shows_why_its_delivery_is_held(site: Site) -> None:
    plan = site.store.read_state().plans["Siem"]
    assert site.store.hold(plan, "by ada@laptop: it floods them", 1.0)
    assert site.send(site.event("e1")).status == 202
    (held,) = site.get("/v1/events/e1").json["matched"]
    site.store.resume("Siem")
    reason = "the webhook is held: by ada@laptop: it floods them"
    assert (held["status"], held["due_at"], held["reason"]) == ("held", None, reason)


def test_each_refusal_is_counted_once(site: Site) -> None:
    counts = site.intake.refusals
    site.send(site.event("e1"))
    counts.clear()
    site.send(site.event("e1", title="never"))
    site.send([site.event("e2"), {"id": "bad"}, {"id": "bad"}])
    site.send(b"", content_type="text/plain")
    assert counts == {"event-changed": 1, "event-type-unknown": 2, "unsupported-media-type": 1}


def test_an_event_may_take_several_lines(site: Site) -> None:
    assert site.send(b"\xef\xbb\xbf \n" + json.dumps(site.event("e1"), indent=2).encode()).status == 202


@pytest.mark.parametrize("form", ["array", "lines"])
def test_a_batch_has_one_result_for_each_event(site: Site, form: str) -> None:
    site.send(site.event("e1"))
    events = [site.event("e0"), site.event("e1"), site.event("e2", title="never")]
    answer = site.send(events) if form == "array" else site.lines(events)
    assert answer.status == 202
    assert answer.json == {
        "events": [
            {"id": "e0", "status": "accepted", "webhooks": ["Siem"]},
            {"id": "e1", "status": "duplicate", "webhooks": ["Siem"]},
            {"id": "e2", "status": "accepted", "webhooks": ["Never", "Siem"]},
        ],
        "accepted": 2,
        "duplicate": 1,
        "rejected": 0,
    }


@pytest.mark.parametrize("form", ["array", "lines"])
def test_a_batch_with_a_bad_event_is_not_stored_at_all(site: Site, form: str) -> None:
    bad = {**site.event("e1"), "event_type": "anomly"}
    events = [site.event("e0"), bad, site.event("e2")]
    answer = site.send(events) if form == "array" else site.lines(events)
    assert (answer.status, answer.problem) == (422, "event-invalid")
    (error,) = answer.json["errors"]
    assert (error["index"], error["place"]) == (1, "item 2" if form == "array" else "line 2")
    assert error["rule"] == "event-type-unknown"
    assert error["detail"] == "unknown event type 'anomly'; did you mean 'anomaly'?"
    assert site.stored() == set()


@pytest.mark.parametrize("form", ["array", "lines"])
def test_partial_stores_the_good_events_of_a_batch(site: Site, form: str) -> None:
    site.send(site.event("e3"))
    events = [site.event("e0"), {"id": "bad"}, site.event("e2"), site.event("e3", title="changed")]
    send = site.send if form == "array" else site.lines
    answer = send(events, "?partial=true")
    assert (answer.status, answer.statuses) == (207, ["accepted", "rejected", "accepted", "rejected"])
    assert [one["index"] for one in answer.json["events"] if one["status"] == "rejected"] == [1, 3]
    assert [one["rule"] for one in answer.json["events"] if "rule" in one] == ["event-type-unknown", "event-changed"]
    assert (answer.json["accepted"], answer.json["duplicate"], answer.json["rejected"]) == (2, 0, 2)
    assert site.stored() == {"e0", "e2", "e3"}
    assert send([{"id": "bad"}], "?partial=true").status == 422  # nothing of it is on disk


def test_a_stream_of_any_length_is_stored_while_it_arrives(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_of_intake, "MAX_BUFFERED_BYTES", 1 << 20)
    events = [site.event(f"e{number}") for number in range(2500)]  # 2.5 MB
    answer = site.lines(events, "?partial=true")
    assert (answer.status, answer.json["accepted"]) == (202, 2500)
    assert [one["id"] for one in answer.json["events"]] == [event["id"] for event in events]
    assert len(site.stored()) == 2500


def test_what_arrived_of_a_stream_is_stored_although_its_client_leaves(site: Site) -> None:
    head = (
        f"POST /v1/events?partial=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {site.token()}\r\n"
        "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    line = json.dumps(site.event("e1")).encode() + b"\n"
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(line), line))
        while site.stored() != {"e1"}:
            pass
    assert site.send(site.event("e1")).json["status"] == "duplicate"


def test_a_stream_ends_when_its_token_is_revoked(site: Site) -> None:
    token = site.token("leaving", Scope.INTAKE)
    head = (
        f"POST /v1/events?partial=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    lines = [json.dumps(site.event(name)).encode() + b"\n" for name in ("e1", "e2")]
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(lines[0]), lines[0]))
        while site.stored() != {"e1"}:
            pass
        site.store.revoke_token("leaving", time.time(), "ada@laptop")
        site.access.tokens._read_at = float("-inf")  # as after a second
        client.sendall(b"%x\r\n%b\r\n" % (len(lines[1]), lines[1]))
        answer = b""
        while received := client.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 401")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["stored"] == 1
    assert site.stored() == {"e1"}


def test_a_stream_with_too_many_bad_events_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their results are much larger than they are, and nothing else limits them."""
    monkeypatch.setattr("hookctl.serve.intake.post.MAX_REJECTED", 600)
    answer = site.lines([site.event("e1"), *([1] * 2000), site.event("e2")], "?partial=true")
    assert (answer.status, answer.problem, answer.json["stored"]) == (413, "too-large", 1)
    assert site.stored() == {"e1"}


def test_a_dry_run_stores_nothing_and_shows_what_would_be_sent(site: Site) -> None:
    site.send(site.event("e0"))
    answer = site.send([site.event("e0"), site.event("e1"), {"id": "bad"}], "?dry_run=true")
    assert (answer.status, answer.statuses) == (200, ["duplicate", "accepted", "rejected"])
    (request,) = answer.json["events"][1]["requests"]
    assert (request["webhook"], request["method"], request["host"]) == ("Siem", "POST", "siem.example.com")
    assert (request["body"], request["headers"]["X-Key"]) == ('{"id": "e1"}', "***")
    assert site.stored() == {"e0"}
    only_intake = site.token("only", Scope.INTAKE)
    (shown,) = site.send(site.event("e1"), "?dry_run=true", token=only_intake).json["requests"]
    assert shown == {"webhook": "Siem", "method": "POST", "host": "siem.example.com"}


def test_scopes_and_event_types_of_tokens(site: Site) -> None:
    assert site.request("POST", "/v1/events", b"{}", {"Content-Type": "application/json"}).status == 401
    assert site.send(site.event("e1"), token=site.token("reader", Scope.READ)).status == 403
    assert site.get("/v1/events/e1", token=site.token("only", Scope.INTAKE)).status == 403
    other = site.token("other", Scope.INTAKE, event_types=["invoice"])
    answer = site.send(site.event("e1"), token=other)
    assert (answer.status, answer.problem) == (403, "event-type-forbidden")
    assert site.send([site.event("e1")], "?partial=true", token=other).statuses == ["rejected"]
    assert site.stored() == set()


def test_the_event_is_unknown(site: Site) -> None:
    answer = site.get("/v1/events/e1")
    assert (answer.status, answer.problem) == (404, "event-unknown")


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("", {}),
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/json; charset=latin-1", {}),
        ("application/cloudevents+avro", {}),
        ("application/json", {"Content_Encoding": "gzip"}),
    ],
)
def test_other_forms_are_not_supported(site: Site, content_type: str, headers: dict[str, str]) -> None:
    answer = site.send(site.event("e1"), "", content_type, **headers)
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "event-not-json"),
        (b'{"id": "e1"', "event-not-json"),
        (b'{"id": "\xff"}', "event-not-json"),
        (b'{"id": "e1", "id": "e2"}', "event-ambiguous"),
        (b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "event-ambiguous"),
        (b'{"id": 1e999}', "event-ambiguous"),
        (b'{"id": ' + b"9" * 10_000 + b"}", "event-ambiguous"),
        (b"3", "event-not-object"),
        (b'{"id": "e1", "event_type": "anomaly"}', "event-schema"),
    ],
)
def test_what_is_not_an_event(site: Site, body: bytes, rule: str) -> None:
    answer = site.send(body)
    assert (answer.status, answer.problem) == (422, "event-invalid")
    assert {error["rule"] for error in answer.json["errors"]} == {rule}
    assert site.send(site.event("e1")).status == 202


def test_everything_that_the_schema_finds_in_one_event_is_reported(site: Site) -> None:
    answer = site.send({"id": "e1", "event_type": "anomaly", "event_time": "now"})
    details = [error["detail"] for error in answer.json["errors"]]
    assert len(details) > 1
    assert any("event_time" in detail for detail in details)


def test_a_body_that_is_too_large_is_refused_whether_or_not_its_length_is_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookctl.serve.intake.post.MAX_BATCH_BYTES", 1 << 20)
    large = json.dumps([site.event("e1", title="x" * (1 << 20))]).encode()
    answer = site.send(large)
    assert (answer.status, answer.problem) == (413, "too-large")
    assert "partial=true" in answer.json["hint"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {site.token()}"}
    pieces = iter([large[:1000], large[1000:]])
    assert site.request("POST", "/v1/events", pieces, headers).status == 413
    monkeypatch.setattr("hookctl.serve.intake.post.MAX_BATCH_EVENTS", 2)
    assert site.send([site.event("a"), site.event("b"), site.event("c")]).status == 413
    assert site.stored() == set()


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (Form.JSON, b"[1" + b",1" * 1000 + b"]"),
        (Form.LINES, b"1\n" * 1000),
        (Form.BATCH, b"[1" + b",1" * 1000 + b"]"),
    ],
)
def test_of_a_body_with_too_many_events_only_some_are_read(site: Site, form: Form, body: bytes) -> None:
    """Each one costs a thousand times the memory of its two bytes."""
    assert len(site.intake.reading.whole(form, {}, body, 10).items) == 10


def test_large_bodies_that_are_still_arriving_are_limited_together(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_of_intake, "MAX_BUFFERED_BYTES", 1 << 20)
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {site.token()}\r\n"
        "Content-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(head.encode() + b" " * 1_000_000)
        while site.intake._buffered < 900_000:
            pass
        answer = site.send([site.event(f"e{number}", title="x" * 100_000) for number in range(3)])
        assert (answer.status, answer.problem) == (503, "server-busy")
        assert site.send(site.event("small")).status == 202  # whoever sends slowly does not keep out the others
    while site.intake._buffered:
        pass
    assert site.stored() == {"small"}


def test_one_event_that_is_too_large(site: Site) -> None:
    answer = site.send(site.event("e1", title="x" * (1 << 20)))
    assert (answer.status, answer.problem) == (413, "too-large")


@pytest.mark.parametrize("query", ["?partial=yes", "?dryrun=true", "?dry_run", "?dry_run=true&dry_run=false"])
def test_a_parameter_that_is_not_known_is_refused(site: Site, query: str) -> None:
    answer = site.send(site.event("e1"), query)
    assert (answer.status, answer.problem) == (400, "parameter-invalid")
    assert site.stored() == set()


def test_a_full_store_refuses_and_says_when_to_try_again(limited: Callable[..., Any]) -> None:
    with limited(limits=StoreLimits(max_waiting=2)) as site:
        assert site.send([site.event("e1"), site.event("e2")]).status == 202
        answer = site.send(site.event("e3"))
        assert (answer.status, answer.problem) == (503, "store-full")
        assert int(answer.headers["retry-after"]) > 0
        assert site.lines([site.event("e1"), site.event("e4")], "?partial=true").status == 503
        assert site.stored() == {"e1", "e2"}
        assert site.send(site.event("e1")).json["status"] == "duplicate"


def test_a_token_that_has_used_up_its_rate_waits(limited: Callable[..., Any]) -> None:
    with limited(rate=2.0) as site:
        assert site.send([site.event(f"e{number}") for number in range(100)]).status == 202
        answer = site.send(site.event("next"))
        assert (answer.status, answer.problem) == (429, "rate-limited")
        assert 40 < int(answer.headers["retry-after"]) <= 50
        assert site.send(site.event("next"), token=site.token("other", Scope.INTAKE)).status == 202


def test_the_writer_is_failing_until_events_are_stored_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that /readyz tells a proxy: on a full disk, nothing but intake may fail."""

    def fail(*_: object) -> None:
        raise StoreError("the disk is full", hint="Delete something.")

    with monkeypatch.context() as patch:
        patch.setattr(Producer, "take_in", fail)
        answer = site.send(site.event("e1"))
        assert (answer.status, answer.problem) == (503, "store-unavailable")
        assert site.writer.is_failing
    assert site.send(site.event("e1")).status == 202
    assert not site.writer.is_failing
