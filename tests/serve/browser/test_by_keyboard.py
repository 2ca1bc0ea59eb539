"""Pages without a mouse, and what the script adds to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Page, expect

from hookctl.testing.answers import Answer

Visit = Callable[..., Page]
FOCUSED = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return [one.ariaLabel || one.labels?.[0]?.innerText || one.innerText || one.id || one.tagName,
          style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


def tab_to(page: Page, text: str, most: int = 40) -> list[str]:
    """Press Tab until what has the focus begins with a text. Returns what had it on the way; each must be visible."""
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        found, is_visible = page.evaluate(FOCUSED)
        assert is_visible, found
        passed.append(" ".join(found.split()))
        if passed[-1].startswith(text):
            return passed
    raise AssertionError(passed)


def test_a_dead_letter_is_replayed_by_keyboard(visit: Visit, site: Any, mock: Mapping[str, Any]) -> None:
    site.receiver.reset()
    site.receiver.answer("/billing", Answer.json({"error": "no such customer"}, 404))
    site.send(mock, "evt_keyboard", severity="High")
    site.wait_for("dead", "evt_keyboard")
    site.receiver.answer("/billing", Answer())
    page = visit(site)
    page.goto("/")
    assert tab_to(page, "Never delivered") == [
        "Skip to the content",
        "hookctl",
        "Webhooks",
        "Deliveries",
        "Never delivered",
    ]
    page.goto("/deliveries?event-id=evt_keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skips the navigation
    assert page.url.endswith("#main")
    passed = tab_to(page, "Table of deliveries")
    order = [
        "Pause",
        "Reload",
        "Status",
        "Webhook",
        "Status code",
        "Event type",
        "Event id",
        "Since",
        "Until",
        "Plan digest",
        "JMESPath",
        "Filter",
        "Clear filters",
        "15 minutes",
    ]
    assert [one for one in passed if one.startswith(tuple(order))][: len(order)] == [
        next(one for one in passed if one.startswith(name)) for name in order
    ]
    tab_to(page, "Choose the delivery")
    tab_to(page, page.locator("tbody th a").inner_text())
    page.keyboard.press("Enter")
    expect(page.locator(".heading .badge")).to_contain_text("dead")
    tab_to(page, "Replay")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 1 delivery?")
    tab_to(page, "Reason, for the audit log")
    page.keyboard.type("By keyboard")
    tab_to(page, "Replay 1 delivery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 delivery replayed.")
    site.wait_for("delivered", "evt_keyboard")


def test_the_list_of_deliveries_is_live_and_can_be_paused(visit: Visit, site: Any, mock: Mapping[str, Any]) -> None:
    site.receiver.reset()
    page = visit(site)
    page.clock.install()
    page.goto("/deliveries")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, is_paused in (("evt_live_1", False), ("evt_live_2", True), ("evt_live_3", False)):
        pause = page.get_by_role("button", name="Pause")
        if (pause.get_attribute("aria-pressed") == "true") is not is_paused:
            pause.click()
            page.evaluate("document.activeElement.blur()")
        site.send(mock, name, severity="High")
        site.wait_for("delivered", name)
        asked.clear()
        page.clock.run_for(5_000)
        if is_paused:
            assert asked == []
            expect(page.get_by_role("link", name=name)).to_have_count(0)
        else:
            expect(page.get_by_role("link", name=name)).to_be_visible()
            assert asked == [page.url]
    expect(page.get_by_role("link", name="evt_live_2")).to_be_visible()


def test_times_are_in_the_zone_of_the_reader(visit: Visit, site: Any, mock: Mapping[str, Any]) -> None:
    event = {**mock, "event_time": 1764028800.0}  # 2025-11-25 00:00 UTC
    site.send(event, "evt_zone", severity="High")
    page = visit(site, timezone_id="Asia/Tokyo")
    page.goto("/events/evt_zone")
    happened = page.locator("dd", has=page.locator("time")).first
    expect(happened).to_contain_text("25 Nov 2025, 09:00:00")
    assert "2025-11-25 00:00:00 UTC" in (happened.locator("time").get_attribute("title") or "")
    expect(page.get_by_text("Asia/Tokyo")).to_be_visible()


def test_text_is_copied(visit: Visit, site: Any) -> None:
    page = visit(site, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/webhooks/Billing")
    digest = page.locator("#digest").inner_text()
    page.get_by_role("button", name="Copy the digest").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == digest
