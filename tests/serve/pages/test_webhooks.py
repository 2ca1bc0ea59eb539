"""The pages about webhooks: the list, one webhook, and its test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.errors import StateLockedError
from hookctl.model.token import Scope
from hookctl.serve.pages import endpoints
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.answers import Answer

NONE = "\N{EN DASH}"
SVG = "{http://www.w3.org/2000/svg}"


def names(page: Any) -> list[str]:
    found: list[str] = page.texts(".//tbody/tr/th/a")
    return found


def row_texts(row: Any) -> list[str]:
    return [" ".join("".join(cell.itertext()).split()) for cell in row]


def cells(page: Any, name: str) -> dict[str, str]:
    """The cells of a webhook's row, by their label."""
    for row in page.root.findall(".//tbody/tr"):
        if " ".join("".join(row.find("th/a").itertext()).split()) == name:
            return {cell.get("data-label"): " ".join("".join(cell.itertext()).split()) for cell in row.findall("td")}
    raise AssertionError(name)


def test_list_shows_what_is_known_of_each_webhook(site: Any) -> None:
    page = site.get("/")
    assert (page.status, names(page)) == (200, ["Hostile", "Quiet one", "Siem"])
    row = cells(page, "Siem")
    assert row["Event"] == "anomaly"
    assert row["Target"] == "siem.example.comPOST, bearer"
    assert (row["Waiting"], row["Retrying"], row["Dead"], row["Held"]) == ("1", "1", "1", "0")
    assert (row["Delivered"], row["p95"], row["Circuit"]) == ("60.0%", "100 ms", "closed")
    assert row["Applied"].startswith("serial 2, ")
    assert row["Applied"].endswith(" agoada@laptop")
    dots = [one.get("aria-label") for one in page.root.iter(f"{SVG}svg") if "dot" in one.get("class")]
    assert dots == ["active", "inactive", "active"]
    assert (
        "Last 24 hours: 3 attempts delivered, 2 failed."
        in [one.get("aria-label") for one in page.root.iter(f"{SVG}svg")][-1]
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=siem", ["Siem"]),
        ("q=PUT+quiet", ["Quiet one"]),
        ("state=inactive", ["Quiet one"]),
        ("state=dead", ["Hostile", "Siem"]),
        ("label=team%3Dsecurity", ["Siem"]),
        ("label=team", ["Hostile", "Siem"]),
        ("event=anomaly&sort=-name", ["Siem", "Quiet one", "Hostile"]),
        ("sort=host", ["Hostile", "Quiet one", "Siem"]),
        ("sort=waiting", ["Hostile", "Siem", "Quiet one"]),
        ("sort=success", ["Hostile", "Siem", "Quiet one"]),
        ("sort=nonsense&page=999999&state=nonsense", ["Hostile", "Quiet one", "Siem"]),
    ],
)
def test_list_is_filtered_and_sorted_by_the_url(site: Any, query: str, found: list[str]) -> None:
    assert names(site.get(f"/?{query}")) == found


def test_list_says_that_nothing_matches_and_offers_to_clear_the_filters(site: Any) -> None:
    page = site.get("/?q=nowhere")
    assert "No webhook matches" in page.text
    assert [one.get("href") for one in page.root.findall(".//main//a") if one.text == "Clear filters"] == ["/", "/"]


def test_list_says_what_to_run_when_nothing_is_applied(serve: Callable[..., Any], tmp_path: Path, site: Any) -> None:
    empty = serve(lambda: SqliteStore(tmp_path / "empty.db"), tmp_path, site.receiver)
    page = empty.get("/")
    assert page.texts(".//div[@class='command']/code") == ["hookctl init", "hookctl plan", "hookctl apply"]
    assert "Nothing was applied or done yet" in empty.get("/history").text


def test_list_reports_a_store_that_fails_with_a_way_to_try_again(
    serve: Callable[..., Any], tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hookctl.errors import StoreError

    def fail(*_: object) -> None:
        raise StoreError("the disk <b>burns</b>", hint="Put it out.")

    other = serve(lambda: SqliteStore(tmp_path / "other.db"), tmp_path, site.receiver)
    other.get("/")
    monkeypatch.setattr(SqliteStore, "summaries", fail)
    page = other.get("/?q=siem")
    assert page.status == 503
    assert "The disk <b>burns</b> Put it out." in page.text
    assert page.root.find(".//div[@role='alert']//a").get("href") == "/?q=siem"


def test_list_has_pages(serve: Callable[..., Any], tmp_path: Path, site: Any, applying: Callable[..., None]) -> None:
    directory = tmp_path / "webhooks.d"
    directory.mkdir()
    text = "\n---\n".join(f"name: W{number:03}\nevent: anomaly\nurl: https://a.example.com/" for number in range(120))
    (directory / "many.yaml").write_text(text, encoding="utf-8")
    many = serve(lambda: SqliteStore(tmp_path / "many.db"), directory, site.receiver)
    applying(many.store, directory)
    first = many.get("/?label=&sort=name")
    assert names(first) == [f"W{number:03}" for number in range(50)]
    assert [(one.get("rel"), one.get("href")) for one in first.root.findall(".//nav[@class='pager']/a")] == [
        ("next", "/?page=2")
    ]
    assert names(many.get("/?page=3")) == [f"W{number:03}" for number in range(100, 120)]
    assert names(many.get("/?page=2&sort=-name&q=w")) == [f"W{number:03}" for number in range(69, 19, -1)]


def test_webhook_shows_its_plan_and_how_it_came_about(site: Any) -> None:
    page = site.get("/webhooks/Siem")
    plan = site.store.read_state().plans["Siem"]
    assert page.status == 200
    facts = dict(zip(page.texts(".//dl[@class='facts']/dt"), page.texts(".//dl[@class='facts']/dd"), strict=True))
    assert facts["applied"].startswith("in serial 2 by ada@laptop, ")
    assert "commit 4be61b0f53d1" in facts["applied"]
    assert facts["digest"].startswith(plan.digest)
    assert facts["file"].startswith(f"{site.directory}/siem.yaml:2")
    assert facts["auth.token"] == "${env:SIEM_TOKEN}"
    assert facts["labels.team"] == "security"
    assert page.root.find(".//pre[@id='sample-request']").text.startswith("POST https://siem.example.com/ingest\n")
    assert "Authorization: Bearer ***" in page.root.find(".//pre[@id='sample-request']").text
    assert "To siem.example.com: data.requester.email (personal); data.severity" in page.text
    assert "~ timeout_seconds: 7 -> 15" in page.text
    assert "data.requester.email" in page.texts(".//details//th/code")


def test_webhook_shows_what_waits_and_why_attempts_failed(site: Any) -> None:
    page = site.get("/webhooks/Siem")
    tables = page.root.findall(".//table")
    waiting, failures = ([row_texts(row) for row in table.findall("tbody/tr")] for table in tables[:2])
    assert [(row[1], row[4]) for row in waiting] == [("waiting", NONE), ("retrying", "503")]
    assert "UTCin 4m" in waiting[1][2] or "UTCin 5m" in waiting[1][2]
    assert {row[0].split()[0].split("<")[0] for row in failures} == {"503", "timeout"}


def test_webhook_that_is_not_applied_is_not_found(site: Any) -> None:
    page = site.get("/webhooks/Sien")
    assert page.status == 404
    assert "Did you mean Siem?" in page.text


def test_readers_are_offered_no_actions_and_cannot_take_them(site: Any) -> None:
    page = site.get("/webhooks/Siem", Scope.READ)
    assert page.status == 200
    assert page.texts(".//main//button[@type='submit']") == []
    assert site.post("/webhooks/Siem/test", Scope.READ)[0] == 403


def test_a_write_without_the_token_of_the_session_is_refused(site: Any) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{site.port}"}
    cookie, before = site.cookie(Scope.OPERATE), len(site.receiver.requests)
    assert site.request("POST", "/webhooks/Siem/test", "csrf_token=x", Cookie=cookie, **form)[0] == 403
    assert len(site.receiver.requests) == before


def run_test(site: Any, name: str) -> Any:
    status, headers, _ = site.post(f"/webhooks/{name}/test")
    assert status == 303
    return site.get(headers["location"])


def test_a_test_that_succeeds(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIEM_TOKEN", "tok-canary")
    site.receiver.reset()
    page = run_test(site, "Siem")
    assert "Test successful: 200 in" in page.text
    assert "tok-canary" not in page.html
    assert "Authorization: Bearer ***" in page.root.find(".//pre[@id='text-1']").text
    (request,) = site.receiver.requests
    assert dict(request.headers)["Authorization"] == "Bearer tok-canary"
    logged = site.store.log(1)[0]
    assert (logged.action, logged.what, logged.who) == ("test", "Siem", "ada@laptop")
    assert site.get("/history?action=test").texts(".//tbody/tr[1]/td[@data-label='What']") == ["Siem"]


def test_the_page_of_a_delivery_names_the_file_of_its_webhook(site: Any) -> None:
    found = next(one for one in site.store.deliveries() if one.webhook == "Siem")
    assert f"Siem in {site.directory}/siem.yaml:2" in site.get(f"/deliveries/{found.id}").text


def test_a_test_that_cannot_be_logged_is_not_sent(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StateLockedError("the store is busy")

    monkeypatch.setattr("hookctl.store.sqlite.store.SqliteStore.record", fail)
    before = len(site.receiver.requests)
    for _ in range(5):  # more than may run at once: none of them counts as running
        status, _, html = site.post("/webhooks/Siem/test")
        assert (status, "The store is busy" in html) == (503, True)
    assert len(site.receiver.requests) == before


def test_a_test_that_fails_shows_the_answer_as_text_and_what_to_check_next(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIEM_TOKEN", "tok-canary")
    site.receiver.reset()
    site.receiver.answer("/ingest", Answer(404, body=b"<script>alert(4)</script>"))
    page = run_test(site, "Siem")
    assert "Test failed: HTTP 404" in page.text
    assert "<script>alert(4)</script>" in page.root.find(".//pre[@id='text-2']").text
    assert any("has nothing at this path" in tip for tip in page.texts(".//section[@aria-labelledby='tips']//li"))


def test_a_slow_test_shows_that_it_runs_and_then_its_result(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIEM_TOKEN", "tok-canary")
    monkeypatch.setattr(endpoints, "WAIT_SECONDS", 0.0)
    site.receiver.reset()
    site.receiver.answer("/ingest", Answer(200, delay=0.3))
    location = site.post("/webhooks/Siem/test")[1]["location"]
    page = site.get(location)
    assert "The test event is on its way" in page.text
    assert page.root.find(".//meta[@http-equiv='refresh']") is not None
    deadline = time.monotonic() + 20
    while "Test successful" not in site.get(location).text:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_so_many_tests_run_at_once(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookctl.serve.pages import tests_now

    monkeypatch.setattr(tests_now, "AT_ONCE", 0)
    status, _, html = site.post("/webhooks/Siem/test")
    assert (status, "Too many tests are running" in html) == (503, True)


def test_a_test_that_is_not_kept_is_not_found(site: Any) -> None:
    assert site.get("/webhooks/Siem/tests/nothing").status == 404


@pytest.mark.parametrize("status", ["inactive", "active"])
def test_a_patch_that_changes_only_the_status(site: Any, tmp_path: Path, status: str) -> None:
    name = "Siem" if status == "inactive" else "Quiet%20one"
    answer = site.request("GET", f"/webhooks/{name}/patch?status={status}", Cookie=site.cookie(Scope.READ))
    assert answer[0] == 200
    assert answer[1]["content-disposition"].startswith("attachment; ")
    copy = tmp_path / "webhooks.d"
    copy.mkdir(parents=True)
    text = (site.directory / "siem.yaml").read_text(encoding="utf-8")
    (copy / "siem.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(["git", "apply"], input=answer[2], text=True, cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    before, after = text.splitlines(), (copy / "siem.yaml").read_text(encoding="utf-8").splitlines()
    changed = [line for old, line in zip(before, after, strict=True) if old != line]
    assert changed == [f"status: {status}"]
    assert text == (site.directory / "siem.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/webhooks/Siem/patch?status=active", "/webhooks/Siem/patch?status=x", "/history/99"])
def test_what_does_not_exist_is_not_found(site: Any, path: str) -> None:
    assert site.get(path).status == 404
