"""A real server with webhooks that were applied twice, and with deliveries of every status."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import pytest
from tinyhtml5.parser import HTMLParser

from hookctl.config.diff import make_plan
from hookctl.config.directory import check_directory
from hookctl.delivery.metrics.counters import Metrics
from hookctl.model import (
    Attempt,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Response,
    Timing,
)
from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.report.metrics.exposition import Exposition
from hookctl.serve.access import Access
from hookctl.serve.application import make_application
from hookctl.serve.context import Context
from hookctl.serve.intake import Intake
from hookctl.serve.operations import Operations
from hookctl.serve.server import serving
from hookctl.serve.stores import Stores
from hookctl.store.interface import Store
from hookctl.store.records import NewDelivery, Outcome, Result, Routed
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.receiver import Receiver

COMMIT = "4be61b0f53d1c0a84be61b0f53d1c0a84be61b0f"
HOSTILE = "<script>alert(1)</script>\"'&amp;\u202e<img src=x onerror=alert(1)>"
"""What would be markup, and would reorder text, if it were not escaped."""
SIEM = """\
name: Siem
description: Every anomaly to the SIEM
event: anomaly
status: active
url: https://siem.example.com/ingest
labels: {team: security, stage: production}
auth: {type: bearer, token: "${env:SIEM_TOKEN}"}
body_template: |
  {"severity": {{ data.severity }}, "who": {{ data.requester.email }}}
"""
QUIET = "name: Quiet one\nevent: anomaly\nstatus: inactive\nmethod: PUT\nurl: https://quiet.example.com/in\n"
HOSTILE_FILE = f"""\
name: Hostile
description: {json.dumps(HOSTILE)}
event: anomaly
url: https://hostile.example.com/in
labels: {{team: {json.dumps(HOSTILE)}}}
when: data.severity == '<script>alert(2)</script>'
headers: {{X-Odd: "<b>bold</b>"}}
body_template: |
  {{"title": "<script>alert(3)</script> {{{{ data.title }}}}"}}
"""


@dataclass
class Page:
    """A page that was parsed without any error."""

    status: int
    headers: Mapping[str, str]
    html: str
    root: Element

    def texts(self, path: str) -> list[str]:
        """The text of each element that an ElementTree path finds, with its spaces as a browser shows them."""
        return [" ".join("".join(one.itertext()).split()) for one in self.root.findall(path)]

    @property
    def text(self) -> str:
        return " ".join(self.texts(".//main"))


@dataclass
class Site:
    """A server, and a browser that has signed in to it."""

    store: Store
    directory: Path
    receiver: Receiver
    access: Access
    port: int = 0
    cookies: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def cookie(self, scope: Scope) -> str:
        """The cookie of a session with a scope."""
        if scope not in self.cookies:
            if scope is Scope.OPERATE:
                answer = self.request("GET", self.access.new_link())
            else:
                text = new_token()
                values: Any = {"created_at": time.time(), "created_by": "ada@laptop"}
                self.store.add_token(
                    Token(
                        id=token_id(text), name="reader", digest=token_digest(text), scopes=frozenset({scope}), **values
                    )
                )
                self.access.tokens._read_at = float("-inf")
                form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
                answer = self.request("POST", "/sign-in", urlencode({"token": text}), **form)
            self.cookies[scope] = answer[1]["set-cookie"].partition(";")[0]
        return self.cookies[scope]

    def get(self, path: str, scope: Scope = Scope.OPERATE) -> Page:
        """A page, whose markup is checked."""
        status, headers, html = self.request("GET", path, Cookie=self.cookie(scope), Accept="text/html")
        return Page(status, headers, html, checked(html))

    def post(self, path: str, scope: Scope = Scope.OPERATE, **fields: str) -> tuple[int, Any, str]:
        """Send a form of the page of webhooks, which has the token of the session."""
        token = self.get("/", scope).root.find(".//input[@name='csrf_token']")
        assert token is not None
        form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self.port}"}
        body = urlencode({"csrf_token": token.get("value"), **fields})
        return self.request("POST", path, body, Cookie=self.cookie(scope), Accept="text/html", **form)


def checked(html: str) -> Element:
    """The document. Fails on markup that is not valid, or that assistive technology could not use."""
    parser = HTMLParser(namespace_html_elements=False)
    root: Element = parser.parse(html)
    assert parser.errors == []
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in root.iter():
        assert not [name for name in one.keys() if name.startswith("on") or name == "style"], one.tag  # noqa: SIM118
        for name in ("aria-labelledby", "aria-describedby", "for", "list"):
            assert set(one.get(name, "").split()) <= set(ids), (one.tag, name, one.get(name))
    labelled = {one.get("for") for one in root.iter("label")}
    for tag in ("input", "select", "textarea"):
        for one in root.iter(tag):
            assert one.get("type") == "hidden" or one.get("id") in labelled or one.get("aria-label"), one.attrib
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(one.get("scope") in {"col", "row"} for one in table.iter("th"))
    assert [one.text for one in root.iter("script") if not one.get("src")] == []
    assert list(root.iter("style")) == []
    assert len(list(root.iter("h1"))) == len(list(root.iter("main"))) == 1
    return root


@pytest.fixture(scope="session")
def all_plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="module")
def serve(all_plugins: Plugins) -> Iterator[Callable[..., Site]]:
    """``serve(store, directory, receiver)`` starts a server, which the module's tests share."""
    ending: list[Any] = []

    def start(open_one: Callable[[], Store], directory: Path, receiver: Receiver) -> Site:
        stores = Stores(open_one)
        access = Access(stores, operator="ada@laptop")
        writer: Any = SimpleNamespace()
        metrics = Metrics()
        operations = Operations(metrics, Exposition(metrics, [], open_one), lambda: "", is_open=True)
        context = Context(
            plugins=all_plugins,
            stores=stores,
            writer=writer,
            directory=directory,
            access=access,
            intake=Intake(all_plugins.event_types, writer),
            operations=operations,
            network=receiver.network(),
        )
        server = serving(make_application(context), "127.0.0.1", 0)
        _, port = server.__enter__()
        store = open_one()
        ending.extend([store.close, stores.close, operations.close, lambda: server.__exit__(None, None, None)])
        return Site(store, directory, receiver, access, port)

    yield start
    for end in reversed(ending):
        end()


@pytest.fixture(scope="session")
def applying(all_plugins: Plugins) -> Callable[[Store, Path], None]:
    """``applying(store, directory)`` applies the files of a directory."""
    return lambda store, directory: apply_files(store, directory, all_plugins)


def apply_files(store: Store, directory: Path, plugins: Plugins, commit: str = "") -> None:
    checked_files = check_directory(directory, plugins)
    assert checked_files.valid, checked_files.findings
    plan = make_plan(store.read_state(), checked_files.plans, {})
    store.reconcile(store.apply(plan, applied_by="ada@laptop", commit=commit))


def deliver(store: Store, plugins: Plugins, webhook: str, ends: list[DeliveryStatus]) -> None:
    """One delivery for each status, the newest last; what failed got a 503 with a hostile body, or a timeout."""
    now = time.time()
    plan = store.read_state().plans[webhook]
    mock = plugins.event_types["anomaly"].mock
    for number, status in enumerate(ends):
        event_id = f"{HOSTILE}-{webhook}-{number}"
        event = Event(event_id, "anomaly", now, {**mock, "id": event_id})
        store.enqueue([Routed(event, (NewDelivery(f"dlv-{webhook}-{number}".replace(" ", ""), webhook),))], now)
        if status is DeliveryStatus.WAITING:
            continue
        (claimed,) = store.claim(now, 1, 60, {webhook: 1})
        response = Response(200, "OK", (), b"fine") if status is DeliveryStatus.DELIVERED else None
        failure = None
        if response is None and status is DeliveryStatus.DEAD:
            failure = Failure(FailureKind.TIMEOUT, HOSTILE)
        elif response is None:
            response = Response(503, HOSTILE, (("X-Odd", HOSTILE),), HOSTILE.encode())
        attempt = Attempt(
            plan_digest=plan.digest,
            number=1,
            started_at=now,
            request=None,
            response=response,
            failure=failure,
            timing=Timing(total=0.085),
        )
        reason = "" if status is DeliveryStatus.DELIVERED else HOSTILE
        due = now + 300
        outcome = Outcome(status, reason, due if status is DeliveryStatus.RETRYING else None)
        assert store.finish([Result(claimed, attempt, outcome, 1, plan)], now) == set()
    while store.count_attempts(time.time()).counted < store.progress().last:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, serve: Callable[..., Site], all_plugins: Plugins) -> Iterator[Site]:
    """Three webhooks: one with deliveries and an earlier plan, an inactive one, and one whose texts are hostile."""
    root = tmp_path_factory.mktemp("site")
    directory = root / "webhooks.d"
    directory.mkdir()
    (directory / "siem.yaml").write_text(f"# Ours.\n{SIEM}timeout_seconds: 7\n---\n{QUIET}", encoding="utf-8")
    (directory / "hostile.yaml").write_text(HOSTILE_FILE, encoding="utf-8")

    def open_one() -> Store:
        return SqliteStore(root / "hookctl.db")

    with Receiver() as receiver:
        made = serve(open_one, directory, receiver)
        apply_files(made.store, directory, all_plugins)
        (directory / "siem.yaml").write_text(f"# Ours.\n{SIEM}---\n{QUIET}", encoding="utf-8")
        apply_files(made.store, directory, all_plugins, COMMIT)
        status = DeliveryStatus
        deliver(
            made.store,
            all_plugins,
            "Siem",
            [status.DELIVERED, status.DELIVERED, status.DELIVERED, status.DEAD, status.RETRYING, status.WAITING],
        )
        deliver(made.store, all_plugins, "Hostile", [status.DEAD, status.RETRYING, status.WAITING])
        yield made
