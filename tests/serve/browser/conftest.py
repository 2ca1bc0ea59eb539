"""A browser, and ``hookctl serve`` as a process with a real store, whose webhooks a receiver on loopback answers."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from hookctl.kit.project import run_command
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

PATIENCE = 30.0
LAUNCH = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STARTED = re.compile(r"Serving http://[\d.]+:(\d+)\n.*(/sign-in\?code=[\w-]+)\n", re.DOTALL)
WIDE = {"width": 1280, "height": 900}
BILLING = """\
name: Billing
description: Every access that someone should look at, as an item on the invoice
event: anomaly
url: https://hooks.example.com/billing
when: data.severity == 'High'
headers: {Authorization: "Bearer ${env:BILLING_TOKEN}"}
body_template: '{"id": "{{ id }}", "title": "{{ data.title }}"}'
"""
LEDGER = """\
name: Ledger
event: anomaly
url: https://hooks.example.com/ledger
when: data.severity == 'Low'
body_template: '{"id": "{{ id }}"}'
"""
ARCHIVE = "name: Archive\nevent: anomaly\nstatus: inactive\nurl: https://hooks.example.com/archive\n"


@dataclass
class Served:
    """A process, and the cookie of a session with the role operate."""

    port: int
    receiver: Receiver
    root: Path
    cookie: tuple[str, str] = ("", "")
    token: str = ""
    """It may send events and read."""
    operator: str = ""
    """A token of someone who may do everything."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, Mapping[str, str], str]:
        """What the server answers to a program, with the token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            connection.request(method, path, body, headers | ({"Content-Type": "application/json"} if body else {}))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def send(self, mock: Mapping[str, Any], *ids: str, **data: str) -> None:
        """Take in events with these ids, and with these values in their data."""
        events = [{**mock, "id": name, "data": {**mock["data"], **data}} for name in ids]
        status, _, text = self.ask("POST", "/v1/events", json.dumps(events))
        assert status == 202, text

    def wait_for(self, status: str, *ids: str) -> None:
        """Return once the only delivery of each of these events has a status."""
        limit = time.monotonic() + PATIENCE
        for name in ids:
            found: list[str] = []
            while found != [status]:
                assert time.monotonic() < limit, (name, found)
                time.sleep(0.02)
                found = [one["status"] for one in json.loads(self.ask("GET", f"/v1/events/{name}")[2])["matched"]]


@dataclass
class Seen:
    """What pages did that no page may do."""

    origin: str
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        # An error page is reported as a resource that failed to load; the tests look at its status themselves.
        page.on("console", lambda one: None if "the server responded with" in one.text else self.wrong.append(one.text))

    def _request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.origin}/"):
            self.foreign.append(request.url)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., Served]]:
    """``serve(root, receiver, TOKEN="...")`` starts a process in a project, with these variables."""
    started: list[subprocess.Popen[str]] = []
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}

    def start(root: Path, receiver: Receiver, **variables: str) -> Served:
        command = [sys.executable, "-m", "hookctl", "serve", "--listen", "127.0.0.1:0", "--cacert", receiver.ca_file]
        for host, (address, port) in receiver.connect_to.items():
            command += ["--connect-to", f"{host}:443:{address}:{port}"]
        process = subprocess.Popen(
            command, cwd=root, env=plain | variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        found = _printed(process)
        served = Served(int(found[1]), receiver, root)
        name, _, value = served.ask("GET", found[2])[1]["set-cookie"].partition(";")[0].partition("=")
        served.cookie = (name, value)
        return served

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _printed(process: subprocess.Popen[str]) -> re.Match[str]:
    """What the server prints once it serves."""
    limit, text = time.monotonic() + PATIENCE, ""
    assert process.stderr is not None
    while time.monotonic() < limit:
        ready, _, _ = select.select([process.stderr], [], [], 1.0)
        if ready:
            piece = os.read(process.stderr.fileno(), 65536).decode()
            text += piece
            if found := STARTED.search(text):
                return found
            assert piece, text
    raise AssertionError(text)


@pytest.fixture(scope="session")
def in_project() -> Callable[..., str]:
    """``in_project(root, "apply", "--auto-approve")``: what a command prints there."""

    def run(root: Path, *arguments: str) -> str:
        done = run_command(*arguments, cwd=root)
        assert done.exit_code == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Served], in_project: Callable[..., str]
) -> Iterator[Served]:
    """Three webhooks, one of them inactive, and no events yet."""
    root = tmp_path_factory.mktemp("browser")
    (root / "webhooks.d").mkdir()
    for name, text in {"billing": BILLING, "ledger": LEDGER, "archive": ARCHIVE}.items():
        (root / f"webhooks.d/{name}.yaml").write_text(text, encoding="utf-8")
    in_project(root, "apply", "--auto-approve")
    token = in_project(root, "tokens", "create", "shop", "--scope", "intake", "--scope", "read")
    with Receiver(hosts=("hooks.example.com",)) as receiver:
        served = serve(root, receiver, BILLING_TOKEN="canary-of-billing")
        served.token = token
        yield served


@pytest.fixture(scope="session")
def mock() -> Mapping[str, Any]:
    """The mock event of the type of all webhooks here."""
    return load_plugins().event_types["anomaly"].mock


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. It is not for a session: while it runs, asyncio has a loop in this thread."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*LAUNCH])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``visit(served, java_script_enabled=False)``: a new page of someone who has signed in.

    At the end, no page has asked another host, violated its policy, or written to the console.
    """
    ending: list[Callable[[], None]] = []
    watched: list[Seen] = []

    def open_page(served: Served, *, signed_in: bool = True, **options: Any) -> Page:
        values: dict[str, Any] = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Europe/Berlin"}
        context = chromium.new_context(base_url=served.origin, **(values | options))
        ending.append(context.close)
        context.set_default_timeout(PATIENCE * 1000)
        if signed_in:
            name, value = served.cookie
            context.add_cookies([{"name": name, "value": value, "url": served.origin}])
        page = context.new_page()
        seen = Seen(served.origin)
        seen.watch(page)
        watched.append(seen)
        return page

    yield open_page
    for end in ending:
        end()
    for seen in watched:
        assert seen.foreign == []
        assert seen.wrong == []


@pytest.fixture(scope="session")
def is_too_wide() -> Callable[[Page], bool]:
    """Whether a page scrolls to the side."""
    return lambda page: bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


@pytest.fixture(scope="session")
def path_of() -> Callable[[Page], str]:
    """The path and the query of the page's address."""

    def read(page: Page) -> str:
        parts = urlsplit(page.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    return read
