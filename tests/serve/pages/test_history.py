"""The pages about the history, and what all pages have in common."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest

from hookctl.model.token import Scope
from hookctl.store.history import AuditEntry


@pytest.fixture(scope="module")
def acted(site: Any) -> Any:
    """The site after sixty actions of operators, whose texts are hostile."""
    (held,) = [one.id for one in site.store.deliveries() if one.status == "retrying" and one.webhook == "Hostile"]
    for number in range(60):
        site.store.replay(
            [held],
            time.time(),
            audit=AuditEntry(
                id=f"audit-{number}",
                at=time.time(),
                who=f"<i>eve</i>@{'laptop' if number % 2 else 'desk'}",
                action="replay",
                what=f"--webhook <b>Hostile</b> {number}",
                reason=f"<script>alert({number})</script>",
            ),
        )
    return site


def column(page: Any, label: str) -> list[str]:
    found: list[str] = page.texts(f".//tbody/tr/td[@data-label='{label}']")
    return found


def test_history_shows_applies_and_actions_with_their_reasons(acted: Any) -> None:
    page = acted.get("/history")
    assert column(page, "Reason")[0] == "<script>alert(59)</script>"
    assert column(page, "Who")[0] == "<i>eve</i>@laptop"
    applies = acted.get("/history?action=apply")
    assert column(applies, "What") == ["serial 2: 1 updatedcommit 4be61b0f53d1", "serial 1: 3 created"]
    assert column(applies, "Who") == ["ada@laptop", "ada@laptop"]


def test_history_is_read_a_page_at_a_time(acted: Any) -> None:
    found, path = [], "/history"
    while path:
        page = acted.get(path)
        found += column(page, "What")
        links = [one.get("href") for one in page.root.findall(".//nav[@class='pager']/a") if one.get("rel") == "next"]
        path = links[0] if links else ""
    assert [text.rpartition(" ")[2] for text in found[:60]] == [str(number) for number in range(59, -1, -1)]
    assert len(found) == 62


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("who=desk", 30),
        ("q=hostile+17", 1),
        ("action=replay&q=script", 50),
        ("since=1h&action=apply", 2),
        ("until=1h", 0),
        ("q=4be61b0f", 1),
        ("before=nonsense", 50),
    ],
)
def test_history_is_filtered_by_the_url(acted: Any, query: str, count: int) -> None:
    page = acted.get(f"/history?{query}")
    assert len(column(page, "What")) == count
    assert ("Nothing matches" in page.text) == (count == 0)


def test_history_names_a_time_that_cannot_be_read(acted: Any) -> None:
    page = acted.get("/history?since=yesterday")
    assert "'yesterday' is not a duration" in page.text or "'yesterday' is not a time" in page.text
    assert page.root.find(".//input[@id='since']").get("aria-invalid") == "true"


def test_one_apply_shows_what_it_changed(acted: Any) -> None:
    page = acted.get("/history/2")
    assert page.texts(".//main//h2/a") == ["Siem"]
    assert "~ timeout_seconds: 7 -> 15" in page.text
    first = acted.get("/history/1")
    assert first.texts(".//main//h2/a") == ["Hostile", "Quiet one", "Siem"]
    assert "+ timeout_seconds: 7" in first.text


PAGES = ("/", "/?q=hostile", "/webhooks/Hostile", "/webhooks/Siem", "/history", "/history/1", "/nothing-here")


@pytest.mark.parametrize("path", PAGES)
def test_data_is_only_ever_text(acted: Any, path: str) -> None:
    """Parsed by a browser's rules: no element, attribute or invisible character comes from data."""
    page = acted.get(path)
    assert [one.get("src") for one in page.root.iter("script")] == [
        one.get("src") for one in page.root.findall("./head/script")
    ]
    tags = {one.tag for one in page.root.iter()}
    assert not tags & {"img", "i", "b", "iframe", "object", "embed", "base"}
    assert "\u202e" not in page.html


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/" + quote("<script>alert(1)</script>", safe=""),
        "/?q=" + quote('"><script>alert(1)</script>'),
        "/?label=" + quote("<b>='\""),
        "/history?q=" + quote("'\"><img src=x>") + "&since=" + quote("<b>x-y</b>"),
        "/webhooks/Siem?did=hold&changed=" + quote("<b>1</b>"),
    ],
)
def test_the_url_is_only_ever_text(site: Any, path: str) -> None:
    page = site.get(path)
    assert not {one.tag for one in page.root.iter()} & {"img", "b"}
    assert len(list(page.root.iter("script"))) == 1


@pytest.mark.parametrize(
    "path", ["/", "/webhooks/Siem", "/history", "/history/1", "/webhooks/Siem/patch?status=inactive"]
)
def test_pages_need_the_scope_read(site: Any, path: str) -> None:
    status, headers, _ = site.request("GET", path, Accept="text/html")
    assert (status, headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert site.request("GET", path, Cookie=site.cookie(Scope.READ), Accept="text/html")[0] == 200


def test_times_are_in_utc_with_a_machine_readable_form(site: Any) -> None:
    times = site.get("/webhooks/Siem").root.findall(".//time")
    assert times
    for one in times:
        assert time.strptime(one.get("datetime"), "%Y-%m-%dT%H:%M:%SZ")
        assert one.get("title").endswith(" UTC")


def test_files_are_kept_by_browsers_and_change_their_name_with_their_content(site: Any) -> None:
    page = site.get("/")
    links = [
        one.get("href") or one.get("src") for one in page.root.findall("./head/*") if one.tag in {"link", "script"}
    ]
    assert len(links) == 3
    for link in links:
        status, headers, body = site.request("GET", link)  # without a session: the sign-in page needs them
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert body
    assert "no-store" in page.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/style.css", "/static/..%2frendering.py", "/static/%2e%2e/rendering.py", "/static/"]
)
def test_only_files_with_their_whole_names_are_served(site: Any, path: str) -> None:
    assert site.request("GET", path)[0] == 404
