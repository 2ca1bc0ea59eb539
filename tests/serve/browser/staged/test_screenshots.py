"""docs/images/: pictures of the pages for README.md and docs/serve.md.

``make screenshots`` makes them again. Their data is the same each time, and so are the times, but for ids that contain
the time of an event.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[4]
IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 150_000
NOW = "2026-11-28T14:03:00Z"
"""What is now in the pictures."""
SHIFT = """
(now) => {
  const by = Date.parse(now) - Date.now();
  const written = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  for (const time of document.querySelectorAll("time:not([data-age])")) {
    time.textContent = written.format(Date.parse(time.dateTime) + by);
  }
}
"""
NAMES = (
    "webhooks-light.png",
    "webhooks-dark.png",
    "undelivered.png",
    "delivery.png",
    "event.png",
    "test-failed.png",
    "phone.png",
)


def test_pictures_exist_and_are_shown() -> None:
    assert sorted(path.name for path in IMAGES.iterdir()) == sorted(NAMES)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    assert "docs/images/webhooks-light.png" in readme
    assert "docs/images/webhooks-dark.png" in readme
    for name in NAMES:
        content = (IMAGES / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < MAX_BYTES, name
        assert f"images/{name}" in page or f"docs/images/{name}" in readme, name


def test_pictures_can_be_made(visit: Callable[..., Page], staged: Any, tmp_path: Path) -> None:
    folder = IMAGES if "UPDATE_SCREENSHOTS" in os.environ else tmp_path
    folder.mkdir(exist_ok=True)
    page = visit(staged, signed_in=False)

    def picture(name: str, height: int, width: int = 1280) -> None:
        """Write what is above the fold, with times that are the same each time."""
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SHIFT, NOW)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=folder / name)
        assert (folder / name).stat().st_size < MAX_BYTES, name

    page.goto("/sign-in")
    page.get_by_label("Token").fill(staged.operator)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Webhooks")

    picture("webhooks-light.png", 740)
    page.emulate_media(color_scheme="dark")
    picture("webhooks-dark.png", 740)
    page.emulate_media(color_scheme="light")
    page.goto("/undelivered")
    picture("undelivered.png", 470)
    page.goto("/deliveries?status=dead&webhook=Chat+alerts")
    row = page.locator("tbody tr").first
    event = row.locator("td.id a").get_attribute("href") or ""
    row.locator("th a").click()
    picture("delivery.png", 900)
    page.goto(event)
    picture("event.png", 600)
    page.goto("/webhooks/Chat%20alerts")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("Test failed")).to_be_visible()
    picture("test-failed.png", 670)
    page.goto("/undelivered")
    page.emulate_media(color_scheme="dark")
    picture("phone.png", 780, width=390)
    assert {path.name for path in folder.iterdir()} == set(NAMES)
