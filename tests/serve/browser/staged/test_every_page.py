"""Every page: nothing that people with disabilities could not use, nothing cut off, and nothing that it must not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

Visit = Callable[..., Page]
NPM = Path(__file__).parents[1] / "npm"
PHONE: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1280, "height": 900}
PAGES = {
    "webhooks": ("/", 200),
    "webhooks, nothing matches": ("/?q=zzz", 200),
    "webhook": ("/webhooks/SIEM", 200),
    "webhook, held": ("/webhooks/Data%20warehouse", 200),
    "webhook, circuit open": ("/webhooks/Incident%20responders", 200),
    "webhook, inactive and without deliveries": ("/webhooks/Audit%20archive", 200),
    "webhook, not found": ("/webhooks/zzz", 404),
    "deliveries": ("/deliveries?since=1h", 200),
    "deliveries, nothing matches": ("/deliveries?webhook=zzz", 200),
    "deliveries, a filter is not valid": ("/deliveries?since=x&status=y", 400),
    "undelivered": ("/undelivered", 200),
    "undelivered, nothing matches": ("/undelivered?webhook=zzz", 200),
    "history": ("/history", 200),
    "history, nothing matches": ("/history?q=zzz", 200),
    "history, a filter is not valid": ("/history?since=x", 200),
    "apply": ("/history/2", 200),
    "apply, not found": ("/history/99", 404),
    "confirm a replay": ("/actions/replay?status=dead", 200),
    "confirm a cancellation": ("/actions/cancel?status=undelivered", 200),
    "confirm a hold": ("/actions/hold?webhook=SIEM", 200),
    "confirm the end of a hold": ("/actions/resume?webhook=Data%20warehouse", 200),
    "confirm, nothing to do": ("/actions/replay?webhook=zzz", 200),
    "confirm, not clear": ("/actions/replay", 400),
    "no such address": ("/zzz", 404),
}
"""Each kind of page and each of its states, with its path and the status of the answer."""
EMPTY = {
    "No webhooks are applied yet": "/",
    "No deliveries yet": "/deliveries",
    "What cannot be delivered appears here": "/undelivered",
}
RUN = """
async ([isWhole]) => {
  const only = isWhole ? {} : { runOnly: ["color-contrast"] };
  const found = await axe.run(document, { resultTypes: ["violations"], ...only });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`));
}
"""


@pytest.fixture(scope="session")
def axe(npm_install: Callable[[Path], Path]) -> str:
    return (npm_install(NPM) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def check(axe: str, is_too_wide: Callable[[Page], bool]) -> Callable[[Page], list[str]]:
    """``check(page)``: everything that is wrong with a page, in light and dark mode, on a desk and on a phone."""

    def look(page: Page) -> list[str]:
        page.evaluate(axe)  # as the developer tools run it, which no policy of the page prevents
        wrong = list(page.evaluate(RUN, [True]))
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {one}" for one in page.evaluate(RUN, [False])]
        page.set_viewport_size(PHONE)
        if is_too_wide(page):
            wrong.append("scrolls to the side on a phone")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
        return [f"{page.url}: {one}" for one in wrong]

    return look


def test_every_page_can_be_used_by_everyone(visit: Visit, staged: Any, check: Callable[[Page], list[str]]) -> None:
    page = visit(staged)
    wrong = []
    for name, (path, status) in PAGES.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status, name
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        wrong += check(page)
    page.goto("/deliveries?status=dead&webhook=Chat+alerts")
    row = page.locator("tbody tr").first
    event = row.locator("td.id a").get_attribute("href") or ""
    row.locator("th a").click()
    page.locator("details").first.evaluate("one => { one.open = true; }")
    wrong += check(page)
    page.goto(event)
    wrong += check(page)
    assert wrong == []


def test_every_result_of_a_test_can_be_read_by_everyone(
    visit: Visit, staged: Any, check: Callable[[Page], list[str]]
) -> None:
    page = visit(staged)
    wrong = []
    for name, result in {"SIEM": "Test successful", "Chat%20alerts": "Test failed"}.items():
        page.goto(f"/webhooks/{name}")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text(result)).to_be_visible()
        wrong += check(page)
    assert wrong == []


def test_pages_before_the_first_event(visit: Visit, empty: Any, check: Callable[[Page], list[str]]) -> None:
    page = visit(empty)
    wrong = []
    for text, path in EMPTY.items():
        page.goto(path)
        expect(page.get_by_text(text)).to_be_visible()
        wrong += check(page)
    assert wrong == []


def test_sign_in_and_what_a_reader_sees(visit: Visit, staged: Any, check: Callable[[Page], list[str]]) -> None:
    page = visit(staged, signed_in=False)
    page.goto("/deliveries?status=dead")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    wrong = check(page)
    page.get_by_label("Token").fill("hookctl_0123456789ab_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not accepted")
    wrong += check(page)
    page.get_by_label("Token").fill(staged.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deliveries")
    assert page.url.endswith("/deliveries?status=dead")
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("link", name="Replay")).to_have_count(0)
    page.goto("/webhooks/SIEM")
    expect(page.get_by_role("button", name="Test", exact=True)).to_have_count(0)
    wrong += check(page)
    answer = page.goto("/actions/replay?status=dead")
    assert answer is not None
    assert answer.status == 403
    wrong += check(page)
    assert wrong == []
    page.goto("/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_axe_finds_what_is_wrong(visit: Visit, staged: Any, check: Callable[[Page], list[str]]) -> None:
    page = visit(staged)
    page.goto("/history")
    page.evaluate("""
        document.querySelector("h1").style.color = "#777";
        document.querySelector("label").remove();
        document.querySelector("main").append(document.createElement("button"));
        document.querySelector("main").style.width = "400px";
    """)
    found = "\n".join(check(page))
    for rule in ("color-contrast", "button-name", "label", "dark: color-contrast", "scrolls to the side"):
        assert rule in found
