"""`make site`: the website has every page, its links lead somewhere, and it works in a browser without a network."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "docs/site/build.py"
CACHE = BUILD.with_name("__pycache__")
LOADING = {"script": "src", "img": "src", "source": "srcset", "iframe": "src"}
"""The attributes that a browser loads by itself. Of ``link``, it depends on ``rel``."""
WITHOUT_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]
Json = Any


def load() -> Any:
    spec = spec_from_file_location("site_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def navigation() -> list[str]:
    """The pages that zensical.toml lists."""
    config = tomllib.loads(BUILD.with_name("zensical.toml").read_text(encoding="utf-8"))
    return [page for sections in config["project"]["nav"] for pages in sections.values() for page in _pages(pages)]


def _pages(entries: list[dict[str, Json]]) -> Iterator[str]:
    for entry in entries:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else _pages(target)


def can_cut_the_network() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The website beside that of an older version, built from a copy of the pages and, if possible, without network."""
    copy = tmp_path_factory.mktemp("checkout")
    module = load()
    pages = [ROOT / source for source in module.sources()]
    linked = [ROOT / found for page in pages for found in module.linked(_name(page), page.read_text(encoding="utf-8"))]
    for path in {*pages, *linked, *BUILD.parent.iterdir(), ROOT / "engine/hookctl/_version.py"} - {CACHE}:
        target = copy / _name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    output = copy / "out"
    (output / "0.0").mkdir(parents=True)
    prefix = WITHOUT_NETWORK if can_cut_the_network() else []
    done = subprocess.run(
        [*prefix, sys.executable, str(copy / _name(BUILD)), str(output)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr
    return output


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


class Tags(HTMLParser):
    """What a page loads and links to, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.text = ""
        self._code = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._code += tag in ("code", "pre", "script")
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loads.append(given["href"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "id" in given:
            self.anchors.add(given["id"])

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "pre", "script")

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.text += data


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Tags]:
    """Each page of the version, by its path."""
    folder = site / load().version()
    return {path.relative_to(folder).as_posix(): Tags(path) for path in folder.rglob("*.html")}


def test_every_page_is_in_the_navigation_once() -> None:
    module = load()
    listed = navigation()
    missing = sorted({module.place(source) for source in module.sources()} - {*listed})
    assert missing == [], f"add them to `nav` of {_name(BUILD.with_name('zensical.toml'))}"
    assert sorted(listed) == sorted({*listed})
    assert {*listed} <= {module.place(source) for source in module.sources()}, "these pages do not exist"


def test_every_page_of_the_navigation_is_built(pages: dict[str, Tags]) -> None:
    built = {re.sub(r"(index|README)\.md$|\.md$", "", page).rstrip("/") for page in navigation()}
    assert {f"{name}/index.html".lstrip("/") for name in built} == set(pages) - {"404.html"}


def test_nothing_is_loaded_from_another_host(pages: dict[str, Tags], site: Path) -> None:
    loaded = {target for page in pages.values() for target in page.loads}
    assert len(loaded) > 5
    assert [target for target in loaded if urlsplit(target).netloc] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*", styles) == []


def test_links_and_anchors_of_the_built_pages_exist(pages: dict[str, Tags], site: Path) -> None:
    """Zensical checks those of the Markdown; this also finds what becomes of them, and links in HTML."""
    folder = site / load().version()
    broken = []
    for name, page in pages.items():
        if name == "404.html":
            continue  # its links begin at the root of a host
        for target in [*page.links, *page.loads]:
            if urlsplit(target).scheme or urlsplit(target).netloc:
                continue
            url, anchor = urldefrag(urljoin(f"/{name}", target))
            path = folder / unquote(url).lstrip("/")
            path = path / "index.html" if path.is_dir() else path
            anchors = pages[path.relative_to(folder).as_posix()].anchors if path.suffix == ".html" else set()
            if not path.is_file() or (anchor and unquote(anchor) not in anchors):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_tables_and_blocks_do_not_fall_apart(pages: dict[str, Tags]) -> None:
    """Python's Markdown reads some of what GitHub accepts in another way. Then markup is left in the text."""
    assert [
        name for name, page in pages.items() if re.search(r"```|\| ---|^\||\]\(|^#+ ", page.text, re.MULTILINE)
    ] == []


def test_a_broken_link_fails_the_build(site: Path) -> None:
    page = site.parent / "docs/apply.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text}\n[gone](cli.md#gone)\n", encoding="utf-8")
    command = [sys.executable, str(site.parent / _name(BUILD)), str(site.parent / "elsewhere")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    page.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    assert "anchor does not exist" in done.stdout + done.stderr
    assert not (site.parent / "elsewhere").exists()


def test_versions_are_listed_newest_first_and_the_index_leads_to_the_newest(site: Path) -> None:
    newest = load().version()
    assert json.loads((site / "versions.json").read_text(encoding="utf-8")) == [
        {"version": newest, "title": newest, "aliases": ["latest"]},
        {"version": "0.0", "title": "0.0", "aliases": []},
    ]
    assert f'url={newest}/"' in (site / "index.html").read_text(encoding="utf-8")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_search_versions_dark_mode_and_copying_work_in_a_browser(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(color_scheme="dark", permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        page.goto(f"{address}/")
        expect(page).to_have_url(re.compile(f"/{re.escape(load().version())}/$"))
        expect(page.locator("body[data-md-color-scheme=slate]")).to_be_visible()
        expect(page.locator(".md-version__link")).to_have_text([load().version(), "0.0"])

        page.get_by_role("button", name="Search").click()
        page.get_by_role("combobox", name="Search").fill("half-open circuit")
        page.get_by_role("option", name="The circuit").first.click()
        expect(page).to_have_url(re.compile(r"/delivery/.*#the-circuit$"))

        page.goto(f"{address}/{load().version()}/")
        block = page.locator(".highlight", has_text="hookctl init")
        block.locator("button").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert [line for line in copied.splitlines() if line] == [
            "hookctl init | head -n 1",
            "hookctl plan | tail -n 1",
        ]
        browser.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
