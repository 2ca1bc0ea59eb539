"""Replay, cancel, hold and resume through the pages: shown, confirmed, recorded, and refused without the scope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.model import DeliveryPlan
from hookctl.model.token import Scope
from hookctl.testing.answers import Answer

Build = Callable[..., DeliveryPlan]
BODY = '{"id": {{ id }}}'


def dead(site: Any, build: Build, *ids: str, **fields: Any) -> None:
    """Deliveries that are dead after a 404; from then on, the target answers 200."""
    site.apply(build("Siem", body_template=BODY, retry_schedule=(), **fields), build("Other", when="id == 'o'"))
    site.receiver.answer("/ingest", Answer(404, body=b"no such path"))
    site.send(*ids)
    site.deliver(lambda: site.statuses() == ["dead"] * len(ids))
    site.store.count_attempts(time.time())
    site.receiver.answer("/ingest", Answer())


def logged(site: Any) -> list[tuple[str, str, str, int | None]]:
    """Who did what to how many deliveries, and why; newest first."""
    return [(one.who, f"{one.action} {one.what}".strip(), one.reason, one.deliveries) for one in site.store.log(10)][
        :-1
    ]


# -- replay


def test_a_dead_letter_is_replayed_and_delivered(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1")
    (delivery,) = site.ids()
    with site.running():
        page = browser.get(browser.get(f"/deliveries/{delivery}").content.link("Replay"))
        assert "Replay 1 delivery?" in page.text
        assert site.statuses() == ["dead"]
        page = browser.submit(page, reason="the path is\nright now")
        assert "1 delivery replayed." in page.text
        limit = time.monotonic() + 20
        while "delivered" not in browser.get(f"/deliveries/{delivery}").content.one("h1").text + str(site.statuses()):
            assert time.monotonic() < limit
            time.sleep(0.01)
    page = browser.get(f"/deliveries/{delivery}")
    assert "Attempt 1 after replay 1 200" in page.text
    assert logged(site) == [("ada@laptop", f"replay {delivery}", "the path is right now", 1)]


def test_a_group_is_replayed_by_filter(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, *(f"e{number}" for number in range(7)))
    site.receiver.answer("/ingest", Answer(404, body=b"another reason"))
    site.send("e7")
    site.deliver(lambda: site.statuses() == ["dead"] * 8)
    site.receiver.answer("/ingest", Answer())
    site.store.count_attempts(time.time())
    page = browser.get("/undelivered?webhook=Siem")
    group = next(row for row in page.content.one("tbody").all("tr") if "no such path" in row.text)
    page = browser.get(next(one.attributes["href"] for one in group.all("a") if one.text.startswith("Replay")))
    assert "Replay 7 deliveries?" in page.text
    assert "The newest 5 of 7 deliveries" in page.text
    assert len(page.content.one("tbody").all("tr")) == 5
    page = browser.submit(page, reason="fixed")
    assert "7 deliveries replayed." in page.text
    assert len(page.content.one("tbody").all("tr")) == 8
    site.deliver(lambda: site.statuses() == [*["delivered"] * 7, "dead"])
    ((who, what, reason, count),) = logged(site)
    assert (who, reason, count) == ("ada@laptop", "fixed", 7)
    assert what.startswith("replay --status dead --webhook Siem --until 20")
    assert what.endswith(" (404 no such path)")


def test_everything_that_matches_is_replayed(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1", "e2", "e3")
    page = browser.get("/deliveries?where=id+!%3D+'e2'&cause=404")
    page = browser.get(page.content.link("Replay"))
    assert "Replay 2 deliveries?" in page.text
    page = browser.submit(page, reason="fixed")
    assert "2 deliveries replayed." in page.text
    assert site.statuses() == ["waiting", "dead", "waiting"]


def test_the_plan_of_that_time(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1", "e2")
    site.apply(delivery_plan("Siem", body_template='{"new": {{ id }}}'))
    first, second = site.ids()
    browser.submit(browser.get(browser.get(f"/deliveries/{first}").content.link("Replay")), reason="now")
    then = browser.get(f"/deliveries/{second}").content.link("Replay with the plan of the last attempt")
    assert "--as-planned" in browser.get(then).text
    browser.submit(browser.get(then), reason="then")
    site.deliver(lambda: site.statuses() == ["delivered"] * 2)
    bodies = sorted(one.body for one in list(site.receiver.requests)[2:])
    assert bodies == [b'{"id": "e2"}', b'{"new": "e1"}']


def test_a_reason_is_required(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1")
    page = browser.submit(browser.get("/actions/replay?status=dead"), reason=" \n ")
    assert page.status == 422
    assert "Give a reason" in page.text
    assert site.statuses() == ["dead"]
    page = browser.submit(page, reason="now with one")
    assert "1 delivery replayed." in page.text


def test_more_than_was_confirmed_is_shown_again(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1", "e2")
    (first, _) = site.ids()
    site.store.replay([first], time.time())
    page = browser.get("/actions/replay?status=dead")
    assert "Replay 1 delivery?" in page.text
    site.receiver.answer("/ingest", Answer(404))
    site.send("e3")
    site.deliver(lambda: site.statuses() == ["dead"] * 3)
    again = browser.submit(page, reason="fixed")
    assert again.status == 409
    assert "There are more now than you have seen." in again.text
    assert "Replay 2 deliveries?" in again.text  # e3 was made after the first page
    assert again.content.one("textarea").text == "fixed"
    assert site.statuses() == ["dead"] * 3
    assert "2 deliveries replayed." in browser.submit(again, reason="fixed").text
    assert site.statuses() == ["waiting", "waiting", "dead"]


def test_what_has_changed_is_left_alone(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1", "e2", "e3")
    first, second, _ = site.ids()
    by_filter = browser.get("/actions/replay?status=dead")
    by_id = browser.get(f"/actions/replay?id={first}&id={second}")
    site.store.cancel([first], time.time(), "no")
    site.store.replay([first], time.time())
    page = browser.submit(by_filter, reason="fixed")
    assert "2 deliveries replayed. 1 delivery has changed in the meantime" in page.text
    before = site.store.deliveries()
    page = browser.submit(by_id, reason="again")
    assert "Nothing was replayed. 2 deliveries have changed in the meantime" in page.text
    assert site.store.deliveries() == before
    assert len(logged(site)) == 1


def test_a_replay_of_a_held_webhook_warns_and_waits(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1")
    site.store.hold(delivery_plan("Siem", body_template=BODY, retry_schedule=()), "their release", time.time())
    page = browser.get("/actions/replay?status=dead")
    assert "Siem is held: their release." in page.text
    browser.submit(page, reason="fixed")
    assert site.statuses() == ["held"]
    webhook = browser.get("/webhooks/Siem").text
    assert "1 delivery is held and not tried until the webhook is resumed." in webhook


# -- cancel, hold and resume


def test_cancel(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1")
    site.send("e2", "e3")
    page = browser.get("/actions/cancel?webhook=Siem")
    assert "Cancel 2 deliveries?" in page.text
    page = browser.submit(page, reason="test data")
    assert "2 deliveries cancelled." in page.text
    assert site.statuses() == ["dead", "cancelled", "cancelled"]
    assert site.store.deliveries()[0].reason == "cancelled by ada@laptop: test data"
    page = browser.get(f"/actions/cancel?id={site.ids()[0]}")
    assert "Nothing to cancel" in page.text
    assert [(who, reason, count) for who, _, reason, count in logged(site)] == [("ada@laptop", "test data", 2)]


def test_hold_and_resume(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(delivery_plan("Siem", body_template=BODY), delivery_plan("Other", when="id == 'o'"))
    site.send("e1")
    path = f"/deliveries/{site.ids()[0]}"
    page = browser.get(browser.get(path).content.link("Hold the webhook"))
    assert "Hold 1 webhook?" in page.text
    browser.submit(page, reason="their release")
    site.send("e2")
    assert site.statuses() == ["held", "held"]
    assert site.store.holds()["Siem"].reason == "by ada@laptop: their release"
    page = browser.get(path)
    assert "The webhook has been held since" in page.text
    assert "The hold also ends with an apply that changes the webhook." in page.text
    with site.running():
        browser.submit(browser.get(page.content.link("Resume the webhook")), reason="they are done")
        limit = time.monotonic() + 20
        while site.statuses() != ["delivered"] * 2:
            assert time.monotonic() < limit
            time.sleep(0.01)
    assert logged(site) == [
        ("ada@laptop", "resume Siem", "they are done", 2),
        ("ada@laptop", "hold Siem", "their release", 1),
    ]


def test_every_webhook_of_what_matches_is_held_and_resumed(site: Any, browser: Any, delivery_plan: Build) -> None:
    site.apply(*(delivery_plan(name) for name in ("A", "B", "C")))
    site.store.hold(delivery_plan("C"), "already", time.time())
    site.send("e1")
    page = browser.get("/actions/hold?event-id=e1")
    assert "Hold 3 webhooks?" in page.text
    page = browser.submit(page, reason="incident")
    assert "2 webhooks held. 1 webhook has changed in the meantime" in page.text
    assert {name: hold.reason for name, hold in site.store.holds().items()} == {
        "A": "by ada@laptop: incident",
        "B": "by ada@laptop: incident",
        "C": "already",
    }
    browser.submit(browser.get("/actions/resume?status=held"), reason="over")
    assert site.store.holds() == {}
    assert site.statuses() == ["waiting"] * 3


# -- refusals


@pytest.mark.parametrize("action", ["replay", "cancel", "hold", "resume"])
def test_only_operators_act(site: Any, browser: Any, delivery_plan: Build, action: str) -> None:
    site.apply(delivery_plan("Siem"))
    site.send("e1")
    before = site.store.deliveries(), site.store.holds()
    fields = [("webhook", "Siem"), ("status", "waiting"), ("reason", "x"), ("count", "9")]
    for scope in (Scope.READ, Scope.INTAKE):
        reader = site.reader(scope)
        assert reader.get(f"/actions/{action}?webhook=Siem").status == 403
        assert reader.post(f"/actions/{action}", fields).status == 403
    assert browser.post(f"/actions/{action}", fields).status == 403  # without the token of the form
    assert (site.store.deliveries(), site.store.holds()) == before
    if action == "cancel":  # a program that shows a token needs no form
        assert "1 delivery cancelled." in site.reader(Scope.OPERATE).post(f"/actions/{action}", fields).text
        assert site.statuses() == ["cancelled"]
        assert logged(site)[0][0] == "token-operate"


def test_what_is_not_clear(site: Any, browser: Any, delivery_plan: Build) -> None:
    dead(site, delivery_plan, "e1")
    operator = site.reader(Scope.OPERATE)
    for address in ("/actions/replay", "/actions/replay?status=lost", "/actions/cancel?since=never", "/actions/hold"):
        page = browser.get(address)
        assert page.status == 400
        assert "It is not clear what to" in page.text
        path, _, query = address.partition("?")
        name, _, value = query.partition("=")
        assert operator.post(path, [(name or "x", value), ("reason", "x"), ("count", "9")]).status == 400
    assert browser.get("/actions/delete?status=dead").status == 404
    assert operator.post("/actions/delete", [("status", "dead"), ("reason", "x")]).status == 404
    assert browser.get("/actions/replay?id=unknown").status == 200
    assert operator.post("/actions/replay", [("status", "dead"), ("reason", "x")]).status == 409  # nothing was shown
    assert site.statuses() == ["dead"]
    assert browser.get("/deliveries?did=delete&changed=1&left=0").content.all("div", class_="notice good") == []
    assert "Nothing was replayed." in browser.get("/deliveries?did=replay&changed=0&left=0").text
