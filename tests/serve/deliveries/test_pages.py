"""The pages of deliveries, one delivery, an event, and what was never delivered."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from hookctl.model import DeliveryPlan, PluginBlock, Status
from hookctl.model.token import Scope
from hookctl.serve.deliveries import listing
from hookctl.serve.deliveries.query import read
from hookctl.testing.answers import Answer

Build = Callable[..., DeliveryPlan]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}\u202e"


def failing(site: Any, build: Build, *ids: str, body: bytes = b"no such path\nask ops", **fields: Any) -> None:
    """Deliveries that are dead after a 404."""
    site.apply(build("Siem", body_template='{"id": {{ id }}}', retry_schedule=(), **fields))
    site.receiver.answer("/ingest", Answer(404, body=body))
    site.send(*ids)
    site.deliver(lambda: site.statuses() == ["dead"] * len(ids))


def cells(page: Any) -> list[list[str]]:
    """The rows of the page's first table, without the ticks."""
    rows = page.content.all("table")[0].one("tbody").all("tr")
    return [[one.text for one in row.children if not isinstance(one, str) and one.text] for row in rows]


# -- deliveries


def test_deliveries(site: Any, browser: Any, delivery_plan: Build) -> None:
    failing(site, delivery_plan, "e1", "e2")
    page = browser.get("/deliveries")
    status, name, webhook, event_type, event_id, attempts, _, last, _ = cells(page)[0]
    assert (status, webhook, event_type, event_id, attempts) == ("dead", "Siem", "anomaly", "e2", "1")
    assert last == "404 HTTP 404 Not Found"
    assert name in site.ids()[1]
    assert page.content.link("Siem") == "/webhooks/Siem"
    assert page.content.link("e2") == "/events/e2"


FILTERS = {
    "status=dead": 2,
    "status=undelivered&webhook=Siem": 2,
    "status=waiting": 0,
    "cause=404": 2,
    "cause=4xx": 2,
    "cause=timeout": 0,
    "event-type=anomaly&event-id=e1": 1,
    "since=1h": 2,
    "until=1h": 0,
    "since=2026-01-01&until=9999-01-01": 2,
    "where=id+%3D%3D+'e2'": 1,
    "where=id+%3D%3D+'e3'": 0,
    "plan=0000": 0,
    "attempts=1": 2,
    "attempts=2": 0,
    "due-within=1h": 0,
}
NOT_VALID = {
    "status=lost": "'lost' is not a status.",
    "cause=999": "'999' is not a cause.",
    "since=yesterday": "'yesterday' is not a time.",
    "until=99999999999999999999": "'99999999999999999999' is too far away.",
    "plan=xyz": "'xyz' is not a digest.",
    "attempts=many": "'many' is not a number of attempts.",
    "due-within=soon": "'soon' is not a duration.",
    "where=data.[": "JMESPath",
}


def test_filters(site: Any, browser: Any, delivery_plan: Build) -> None:
    failing(site, delivery_plan, "e1", "e2")
    for filters, found in FILTERS.items():
        page = browser.get(f"/deliveries?{filters}")
        assert page.status == 200
        assert len(cells(page)) == found if found else "No delivery matches" in page.text, filters
        for name, text in parse_qsl(filters):  # every filter stays in its field
            if name != "status":
                assert page.content.one("input", name=name).attributes["value"] == text
            else:
                (option,) = [one for one in page.content.all("option") if "selected" in one.attributes]
                assert option.text == text
    for filters, message in NOT_VALID.items():
        page = browser.get(f"/deliveries?{filters}")
        assert page.status == 400
        assert message in page.text
        assert "A filter is not valid" in page.text


def test_the_times_of_a_confirmation_do_not_move_on() -> None:
    now = 1_795_000_000.5
    query = read({"due-within": "10m", "since": "1h"}, now)
    again = read(query.pinned(now), now + 60)
    assert again.selection == replace(query.selection, until=now)
    assert (again.selection.due_within, again.selection.since) == (now + 600, now - 3600)


def test_a_condition_that_is_expensive_is_given_up(
    site: Any, browser: Any, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its steps are counted over all events of the page: the limit for each one does not protect the others' pages."""
    monkeypatch.setattr(listing, "MOST_STEPS", 100)
    failing(site, delivery_plan, *(f"e{number}" for number in range(20)))
    page = browser.get(f"/deliveries?{urlencode({'where': 'length(data.title) == `1` || id'})}")
    assert page.status == 400
    assert "it takes more than 100 steps" in page.text
    assert browser.get(f"/deliveries?{urlencode({'where': 'id', 'event-id': 'e1'})}").status == 200


def test_one_page_after_another(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(delivery_plan("Siem", status=Status.ACTIVE))
    site.send(*(f"e{number}" for number in range(120)))
    seen, path = [], "/deliveries?webhook=Siem"
    while path:
        page = browser.get(path)
        seen += [row[4] for row in cells(page)]
        links = page.content.all("a", rel="next")
        path = links[0].attributes["href"] if links else ""
        assert "webhook=Siem" in path or not path
    assert seen == [f"e{number}" for number in reversed(range(120))]
    assert [one.attributes.get("data-live") for one in page.content.all("section", id="rows")] == [None]


def test_empty_states(site: Any, browser: Any, delivery_plan: Build) -> None:
    assert "No deliveries yet" in browser.get("/deliveries").text
    for path in ("/deliveries", "/undelivered"):
        assert "hookctl send events.jsonl" in browser.get(path).text
        assert "hookctl tokens create NAME --scope intake" in browser.get(path).text
    assert "No deliveries yet" in browser.get("/undelivered").text
    site.apply(delivery_plan("Siem", when="data.severity == 'None'"))
    site.send("e1")
    page = browser.get("/deliveries?event-id=e1")
    assert page.content.link("See what it matched, and why other webhooks did not match") == "/events/e1"
    assert page.content.link("Clear filters") == "/deliveries"
    assert "No event with this id is stored" in browser.get("/deliveries?event-id=e2").text
    assert "Nothing matches" in browser.get("/undelivered?status=dead").text
    assert browser.get("/deliveries/unknown").status == 404
    assert browser.get("/events/un/known").status == 404
    with closing(sqlite3.connect(site.directory / "hookctl.db")) as connection:
        connection.execute("ALTER TABLE deliveries RENAME TO lost")
        page = browser.get("/deliveries")
        assert page.status == 503
        assert page.content.link("Try again") == "/deliveries"
        connection.execute("ALTER TABLE lost RENAME TO deliveries")


def test_more_to_look_at(site: Any, browser: Any, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that finds nothing for a while does not keep a page waiting."""
    site.apply(delivery_plan("Siem"))
    site.send(*(f"e{number}" for number in range(30)))
    listed = site.store.__class__.delivery_page
    monkeypatch.setattr(
        site.store.__class__, "delivery_page", lambda *args, **named: listed(*args, **(named | {"look_at": 10}))
    )
    page = browser.get("/deliveries?where=id+%3D%3D+'e3'")
    for _ in range(5):
        if "No delivery matches so far" not in page.text:
            break
        page = browser.get(page.content.one("a", rel="next").attributes["href"])
    assert [row[4] for row in cells(page)] == ["e3"]


# -- one delivery


def test_a_delivery(site: Any, browser: Any, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "canary-5521")
    auth = (PluginBlock("bearer", {"token": "${env:KEY}"}),)
    failing(site, delivery_plan, "e1", auth=auth)
    page = browser.get(f"/deliveries/{site.ids()[0]}")
    facts = dict(zip(*[[one.text for one in page.content.all(tag)] for tag in ("dt", "dd")], strict=True))
    assert facts["Webhook"] == "Siem"
    assert facts["Next"] == "none"
    assert "hookctl does not try this delivery again" in page.text
    assert {"Happened", "Received", "Stored", "Tried"} <= facts.keys()
    request = page.content.one("pre", id="request-1").children[0]
    assert "POST https://siem.example.com/ingest" in request
    assert "Authorization: Bearer ***" in request
    assert 'id": "e1"' in request
    assert "404 Not Found" in page.content.one("pre", id="response-1").text
    curl = page.content.one("pre", id="curl-1").children[0]
    assert curl.startswith("# Set KEY first: ${env:KEY}\ncurl --globoff --request POST https://siem.example.com/ingest")
    assert "--header 'Authorization: Bearer '\"$KEY\"" in curl
    assert "The host answers, but has nothing at this path" in page.text
    assert f"hookctl deliveries replay {site.ids()[0]} --as-planned" in page.text
    assert len(page.content.one("svg", class_="phases").all("rect")) >= 3
    assert "canary" not in page.html


def test_a_delivery_that_was_not_tried(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(delivery_plan("Siem"))
    site.send("e1")
    page = browser.get(f"/deliveries/{site.ids()[0]}")
    assert "Not tried yet" in page.text
    assert "hookctl does not try this delivery again" not in page.text
    undelivered = browser.get("/undelivered")
    assert (undelivered.text.count("Replay"), "Replay all" in undelivered.text) == (1, False)  # nothing is dead
    assert "Replay with the plan of the last attempt" not in page.text
    assert page.content.link("Cancel") == f"/actions/cancel?id={site.ids()[0]}"


def test_bodies_that_are_long_or_binary(site: Any, browser: Any, delivery_plan: Build) -> None:
    failing(site, delivery_plan, "e1", body=b"\xff\xfe\x00" * 500)
    page = browser.get(f"/deliveries/{site.ids()[0]}")
    assert "(1,500 bytes that are not text)" in page.content.one("pre", id="response-1").text
    site.receiver.answer("/ingest", Answer(404, body=b"line\n" * 20_000))
    site.send("e2", data={"text": "x" * 200_000})
    site.deliver(lambda: site.statuses() == ["dead", "dead"])
    page = browser.get(f"/deliveries/{site.ids()[1]}")
    assert "more lines" in page.content.one("pre", id="response-1").text
    assert len(page.html) < 100_000
    page = browser.get("/events/e2")
    assert "The rest is not shown here" in page.text
    assert len(page.html) < 100_000


# -- an event


def test_what_an_event_matched_and_why_not(site: Any, browser: Any, delivery_plan: Build) -> None:
    high = "data.severity == 'High'"
    before = (
        delivery_plan("Matches"),
        delivery_plan("Inactive", status=Status.INACTIVE),
        delivery_plan("Low", when="data.severity == 'Low'"),
        delivery_plan("Other type", event="integration_status_changed"),
    )
    site.apply(*before)
    site.send("a/b ü", data={"severity": "High"})
    site.apply(*before[:1], delivery_plan("Inactive", when=high), *before[2:], delivery_plan("New", when=high))
    page = browser.get(f"/events/{quote('a/b ü', safe='')}")
    assert "Matched 1 webhook" in page.text
    assert cells(page)[0][:2] == ["Matches", "waiting"]
    rows = page.content.all("table")[1].one("tbody").all("tr")
    why = {row.one("th").text: row.one("td").text for row in rows}
    assert why["Low"] == """this part of when was false: data.severity == 'Low' (data.severity is "High")"""
    assert why["Inactive"].startswith("inactive when the event was received It would match now: deliver it hookctl ")
    assert why["New"].startswith("not applied yet when the event was received It would match now")
    command = page.content.one("code", id="backfill-1").text
    assert command.startswith("hookctl backfill Inactive --since 20")
    assert "1 webhook receives another event type: Other type" in page.text


def test_a_backfill_command_works(site: Any, browser: Any, delivery_plan: Build, run_cli: Any) -> None:
    site.apply(delivery_plan("Siem", status=Status.INACTIVE))
    site.send("it's `e1`", "e2")
    site.apply(delivery_plan("Siem"))
    page = browser.get(f"/events/{quote(chr(39).join(['it', 's `e1`']))}")
    command = shlex.split(page.content.one("code", id="backfill-1").text)
    done = run_cli("--store", f"sqlite:///{site.directory / 'hookctl.db'}", *command[1:], "--yes", cwd=site.directory)
    assert done.stdout.startswith("1 delivery made for Siem."), done
    assert len(site.statuses()) == 1


def test_many_webhooks_that_did_not_match(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(*(delivery_plan(f"W{number:03}", when="id == 'x'") for number in range(230)))
    site.send("e1")
    seen, path = [], "/events/e1"
    while path:
        page = browser.get(path)
        seen += [one.one("th").text for one in page.content.one("tbody").all("tr")]
        links = page.content.all("a", rel="next")
        path = links[0].attributes["href"] if links else ""
    assert seen == [f"W{number:03}" for number in range(230)]


# -- never delivered


def test_groups(site: Any, browser: Any, delivery_plan: Build) -> None:
    failing(site, delivery_plan, "e1", "e2")
    site.receiver.answer("/ingest", Answer(404, body=b"another reason"))
    site.send("e3")
    site.deliver(lambda: site.statuses() == ["dead"] * 3)
    site.store.count_attempts(0.0)
    page = browser.get("/undelivered")
    rows = cells(page)
    assert [row[:3] for row in rows] == [["dead", "2", "404 no such path"], ["dead", "1", "404 another reason"]]
    assert rows[0][3] == "Siem 2"
    listed = browser.get(page.content.one("tbody").all("tr")[0].link("2"))
    assert [row[4] for row in cells(listed)] == ["e2", "e1"]
    assert "dead: 3" in page.text
    assert page.content.link("Replay all dead") == "/actions/replay?status=dead"
    assert "Nothing matches" in browser.get("/undelivered?webhook=Other").text


# -- scopes and hostile data


@pytest.mark.parametrize("path", ["/deliveries", "/undelivered", "/deliveries/x", "/events/x", "/actions/replay?id=x"])
def test_every_page_needs_a_scope(site: Any, path: str) -> None:
    assert site.reader(Scope.INTAKE).get(path).status == 403


def test_a_reader_is_offered_no_action(site: Any, delivery_plan: Build) -> None:
    failing(site, delivery_plan, "e1")
    reader = site.reader(Scope.READ)
    for path in ("/deliveries", "/undelivered", f"/deliveries/{site.ids()[0]}"):
        page = reader.get(path)
        assert page.status == 200
        assert "/actions/" not in page.html


def test_hostile_text_stays_text(site: Any, browser: Any, delivery_plan: Build) -> None:
    body = f"<svg onload=alert(3)>{HOSTILE}".encode()
    site.apply(
        delivery_plan("Siem", body_template='{"id": {{ id }}, "text": {{ data.text }}}', retry_schedule=()),
        delivery_plan("Other", when=f"data.text == '{HOSTILE.replace(chr(39), '')}x'"),
    )
    site.receiver.answer("/ingest", Answer(404, body=body, headers=(("X-Note", "<b>bold</b>"),)))
    site.send(HOSTILE, data={"text": HOSTILE, HOSTILE: HOSTILE})
    site.deliver(lambda: site.statuses() == ["dead"])
    site.store.count_attempts(0.0)
    (delivery,) = site.ids()
    paths = [
        "/deliveries",
        f"/deliveries?{urlencode({'webhook': HOSTILE, 'where': HOSTILE, 'group': HOSTILE})}",
        f"/deliveries?{urlencode({'event-id': HOSTILE})}",
        f"/deliveries/{delivery}",
        f"/events/{quote(HOSTILE, safe='')}",
        "/undelivered",
        f"/undelivered?{urlencode({'webhook': HOSTILE, 'status': HOSTILE})}",
        f"/actions/replay?id={delivery}",
        f"/actions/hold?{urlencode({'webhook': HOSTILE})}",
        f"/actions/cancel?{urlencode({'status': HOSTILE})}",
        f"/events/{quote(HOSTILE * 2, safe='')}",
    ]
    for path in paths:
        page = browser.get(path)
        assert "\u202e" not in page.text
        assert all(one.attributes["src"].startswith("/static/") for one in page.content.all("script"))
        assert page.content.all("img") == page.content.all("b") == []
        assert not any(name.startswith("on") for one in every(page.content) for name in one.attributes)
        assert all(
            one.attributes["href"].startswith(("/", "#")) for one in page.content.all("a") if "href" in one.attributes
        )
    assert (
        "<script>alert(1)</script>" in browser.get(f"/deliveries/{delivery}").content.one("pre", id="response-1").text
    )


def every(element: Any) -> list[Any]:
    """Every element below this one."""
    below = [one for one in element.children if not isinstance(one, str)]
    return below + [inner for one in below for inner in every(one)]
