"""What people do in a browser: with and without JavaScript, in light and dark mode, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from hookctl.testing.answers import Answer

Visit = Callable[..., Page]
ON_A_DESK = {"color_scheme": "light"}
ON_A_PHONE = {
    "color_scheme": "dark",
    "java_script_enabled": False,
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
}
"""Together, each has every feature once. Pages of both are compared with the same texts."""


@pytest.fixture(params=[ON_A_DESK, ON_A_PHONE], ids=["desk", "phone"])
def page(
    request: pytest.FixtureRequest, visit: Visit, site: Any, is_too_wide: Callable[[Page], bool]
) -> Iterator[Page]:
    site.receiver.reset()
    page = visit(site, **request.param)
    yield page
    assert not is_too_wide(page)


def name_of(page: Page, text: str) -> str:
    """An id of an event that no other test uses."""
    return f"evt_{text}_{'phone' if page.viewport_size == ON_A_PHONE['viewport'] else 'desk'}"


def until(page: Page, shown: Locator) -> None:
    """Load the page again until it shows something, as someone without JavaScript does."""
    for _ in range(300):
        if shown.count():
            return
        page.wait_for_timeout(50)
        page.reload()
    raise AssertionError(page.inner_text("main"))


def test_the_table_has_a_dot_for_each_webhook(page: Page) -> None:
    page.goto("/")
    names = {"Archive": "inactive", "Billing": "active", "Ledger": "active"}
    fills = {}
    for name, state in names.items():
        row = page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True))
        dot = row.get_by_role("img", name=state, exact=True)
        expect(dot).to_be_visible()
        fills[name] = dot.evaluate("one => getComputedStyle(one).fill")
        expect(row).to_contain_text("hooks.example.com")
    assert fills["Archive"] == "rgb(255, 255, 255)"  # white
    red, green, blue = (int(part) for part in re.findall(r"\d+", fills["Billing"]))
    assert green > 1.5 * max(red, blue)
    assert fills["Billing"] == fills["Ledger"]


def test_filters_are_in_the_url(page: Page, path_of: Callable[[Page], str]) -> None:
    page.goto("/")
    page.get_by_label("State").select_option(label="Inactive")
    page.get_by_role("button", name="Filter").click()
    assert "state=inactive" in path_of(page)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Archive")
    address = path_of(page)
    page.goto("/deliveries")
    page.goto(address)  # anyone who gets the link sees the same
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("no such webhook")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No webhook matches")).to_be_visible()
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert path_of(page) == "/"


def test_a_test_that_succeeds_and_one_that_fails(page: Page, site: Any) -> None:
    page.goto("/")
    page.get_by_role("link", name="Billing", exact=True).click()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("Test successful")).to_be_visible()
    sent = page.get_by_role("group", name="Request", exact=True)
    expect(sent).to_contain_text("POST https://hooks.example.com/billing")
    expect(sent).to_contain_text("Authorization: Bearer ***")
    expect(sent).to_contain_text("High-risk request for production data")
    expect(page.get_by_role("group", name="Response", exact=True)).to_contain_text("accepted")
    assert dict(site.receiver.requests[-1].headers)["Authorization"] == "Bearer canary-of-billing"
    assert "canary" not in page.content()

    site.receiver.answer("/billing", Answer.json({"error": "invalid token"}, 401))
    page.get_by_role("button", name="Test again").click()
    expect(page.get_by_text("Test failed")).to_be_visible()
    expect(page.get_by_role("group", name="Response", exact=True)).to_contain_text("invalid token")
    tips = page.get_by_role("region", name="What to check next")
    expect(tips.get_by_role("listitem").first).to_be_visible()
    expect(tips).to_contain_text("check the secret")


def test_a_dead_letter_is_replayed_and_delivered(page: Page, site: Any, mock: Mapping[str, Any]) -> None:
    event = name_of(page, "single")
    site.receiver.answer("/billing", Answer.json({"error": "no such customer"}, 404))
    site.send(mock, event, severity="High")
    site.wait_for("dead", event)
    page.goto(f"/deliveries?status=dead&event-id={event}")
    page.locator("tbody tr").get_by_role("link").first.click()
    expect(page.locator(".heading .badge")).to_contain_text("dead")
    expect(page.get_by_role("group", name=re.compile("^Response to attempt 1"))).to_contain_text("no such customer")

    site.receiver.answer("/billing", Answer())
    page.get_by_role("link", name="Replay", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 1 delivery?")
    page.get_by_label("Reason").fill("The customer exists now")
    page.get_by_role("button", name="Replay 1 delivery").click()
    expect(page.get_by_role("status").first).to_contain_text("1 delivery replayed.")
    until(page, page.locator(".heading .badge", has_text="delivered"))
    page.goto("/history")
    row = page.locator("tbody tr", has_text="The customer exists now").first
    expect(row).to_contain_text("replay")


def test_a_group_is_replayed_by_filter(page: Page, site: Any, mock: Mapping[str, Any]) -> None:
    events = [f"{name_of(page, 'group')}_{number}" for number in range(7)]
    site.receiver.answer("/ledger", Answer.json({"error": "the period is closed"}, 409))
    site.send(mock, *events, severity="Low")
    site.wait_for("dead", *events)
    page.goto("/undelivered")
    group = page.locator("tbody tr", has_text="the period is closed")
    until(page, group)  # causes are counted a moment later
    expect(group).to_contain_text("7")
    group.get_by_role("link", name="7", exact=True).click()
    page.get_by_label("Webhook").fill("Ledger")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(7)
    page.locator(".chosen").get_by_role("link", name="Replay", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 7 deliveries?")
    expect(page.locator("caption")).to_have_text("The newest 5 of 7 deliveries")
    expect(page.locator("tbody tr")).to_have_count(5)
    confirm = page.get_by_role("button", name="Replay 7 deliveries")
    confirm.click()  # without a reason, the browser asks for one
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 7 deliveries?")
    site.wait_for("dead", *events)
    site.receiver.answer("/ledger", Answer())
    page.get_by_label("Reason").fill("The period is open again")
    confirm.click()
    expect(page.get_by_role("status").first).to_contain_text("7 deliveries replayed.")
    site.wait_for("delivered", *events)
    page.reload()
    rows = page.locator("tbody tr", has_text=name_of(page, "group"))
    expect(rows.locator(".badge.good")).to_have_count(7)


def test_why_an_event_did_not_match(page: Page, site: Any, mock: Mapping[str, Any]) -> None:
    event = name_of(page, "why")
    site.send(mock, event, severity="High")
    page.goto(f"/events/{event}")
    expect(page.get_by_role("region", name="Matched 1 webhook")).to_contain_text("Billing")
    missed = page.get_by_role("region", name="Why other webhooks did not match")
    expect(missed.locator("tr", has_text="Archive")).to_contain_text("inactive")
    why = missed.locator("tr", has_text="Ledger")
    expect(why).to_contain_text("data.severity == 'Low'")
    expect(why).to_contain_text("High")


def test_a_webhook_is_held_and_resumed(page: Page) -> None:
    page.goto("/webhooks/Archive")
    page.get_by_role("link", name="Hold", exact=True).click()
    page.get_by_label("Reason").fill("The archive moves")
    page.get_by_role("button", name="Hold 1 webhook").click()
    expect(page.get_by_role("status").first).to_contain_text("The webhook is held")
    expect(page.get_by_text("The archive moves").first).to_be_visible()
    page.get_by_role("link", name="Resume", exact=True).click()
    page.get_by_label("Reason").fill("It has moved")
    page.get_by_role("button", name="Resume 1 webhook").click()
    expect(page.get_by_role("status").first).to_contain_text("The webhook is resumed")
