"""A real server with a real runner, a receiver that can refuse, and a browser without JavaScript."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from tinyhtml5.parser import HTMLParser as MarkupParser

from hookctl.config.diff import make_plan
from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.metrics.counters import Metrics
from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.sending import run
from hookctl.errors import HookctlError
from hookctl.model import DeliveryPlan, Event, Json
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
from hookctl.serve.writer import EventWriter
from hookctl.store.records import Filter
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.receiver import Receiver

PATIENCE = 20.0
VOID = frozenset({"input", "link", "meta", "br", "img", "hr", "rect", "path", "circle"})


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        whole = "".join(one if isinstance(one, str) else f"{one.text} " for one in self.children)
        return " ".join(whole.split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a kind below this one, with these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        found: list[Element] = []
        for one in self.children:
            if isinstance(one, Element):
                if one.tag == tag and all(one.attributes.get(name) == value for name, value in wanted.items()):
                    found.append(one)
                found += one.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    def link(self, text: str) -> str:
        """Where the first link with this text leads."""
        return next(one.attributes["href"] for one in self.all("a") if one.text == text)


class _Parser(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("root", {})
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], f"not closed: {[one.tag for one in self._open[1:]]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def check_markup(text: str) -> None:
    """A browser finds no error in the page, no script or style in it, and a label for each field."""
    parser = MarkupParser(namespace_html_elements=False)
    root = parser.parse(text)
    assert parser.errors == []
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in root.iter():
        assert not [name for name in one.keys() if name.startswith("on") or name == "style"], one.tag  # noqa: SIM118
        for name in ("aria-labelledby", "aria-describedby", "for", "list"):
            assert set(one.get(name, "").split()) <= set(ids), (one.tag, name, one.get(name))
        if one.tag in {"input", "select", "textarea"}:
            is_labelled = one.get("id") in {label.get("for") for label in root.iter("label")} or one.get("aria-label")
            assert one.get("type") == "hidden" or is_labelled, one.attrib
        assert one.tag != "table" or one.find("caption") is not None


@dataclass
class Page:
    """What the server answered."""

    status: int
    location: str
    html: str
    content: Element

    @property
    def text(self) -> str:
        return self.content.one("main").text


@dataclass
class Browser:
    """Keeps the cookie of a session, or shows a token."""

    port: int
    headers: Mapping[str, str]

    def get(self, path: str) -> Page:
        return self._ask("GET", path)

    def submit(self, page: Page, **values: str) -> Page:
        """Send the page's form with these values, and follow the redirect."""
        form = next(one for one in page.content.all("form", method="post") if one.attributes["action"] != "/sign-out")
        fields = [
            (one.attributes["name"], one.attributes["value"])
            for one in form.all("input")
            if one.attributes["type"] == "hidden" or "checked" in one.attributes
        ]
        named = {name.replace("_", "-"): value for name, value in values.items()}
        fields = [(name, value) for name, value in fields if name not in named] + [*named.items()]
        return self.post(form.attributes["action"], fields)

    def post(self, path: str, fields: list[tuple[str, str]]) -> Page:
        answer = self._ask("POST", path, urlencode(fields))
        return self.get(answer.location) if answer.status == 303 else answer

    def _ask(self, method: str, path: str, body: str | None = None) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        more = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        origin = {"Origin": f"http://127.0.0.1:{self.port}", "Accept": "text/html"}
        try:
            connection.request(method, path, body, {**origin, **more, **self.headers})
            response = connection.getresponse()
            text = response.read().decode()
            is_page = (response.getheader("content-type") or "").startswith("text/html")
            content = _Parser(text).root if is_page else Element("root", {})
            if is_page:
                check_markup(text)
            return Page(response.status, response.getheader("location") or "", text, content)
        finally:
            connection.close()


@dataclass
class Site:
    """A store with a server, and the target of its webhooks."""

    directory: Path
    receiver: Receiver
    plugins: Plugins
    access: Access
    store: SqliteStore
    port: int = 0

    def apply(self, *plans: DeliveryPlan) -> None:
        self.store.apply(make_plan(self.store.read_state(), {plan.name: plan for plan in plans}, {"hookctl": "1"}))
        self.store.reconcile(self.store.read_state())

    def send(self, *ids: str, event_type: str = "anomaly", **fields: Json) -> None:
        """Accept events with these ids and fields, as a producer does; a runner delivers them."""
        mock = self.plugins.event_types["anomaly"].mock
        events = [
            Event(name, event_type, 1.0, {**mock, "id": name, "event_type": event_type, **fields}) for name in ids
        ]
        assert all(Producer(self.store, StoreLimits()).accept(events))

    def deliver(self, until: Callable[[], bool]) -> None:
        """Run a runner until something holds."""
        limit = time.monotonic() + PATIENCE
        with self.running():
            while not until():
                assert time.monotonic() < limit
                time.sleep(0.01)

    def running(self) -> _Running:
        return _Running(self)

    def statuses(self, webhook: str | None = None) -> list[str]:
        """The statuses of all deliveries, oldest first."""
        return [one.status.value for one in reversed(self.store.deliveries(Filter(webhook=webhook)))]

    def ids(self) -> list[str]:
        """The ids of all deliveries, oldest first."""
        return [one.id for one in reversed(self.store.deliveries())]

    def signed_in(self) -> Browser:
        """A browser that used the one-time link."""
        answer = Browser(self.port, {})
        connection = http.client.HTTPConnection("127.0.0.1", answer.port, timeout=20)
        connection.request("GET", self.access.new_link())
        cookie = (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]
        connection.close()
        return Browser(self.port, {"Cookie": cookie})

    def reader(self, *scopes: Scope) -> Browser:
        """A client with a token with these scopes."""
        text = new_token()
        token = Token(
            id=token_id(text),
            name=f"token-{'-'.join(scopes)}",
            digest=token_digest(text),
            scopes=frozenset(scopes),
            created_at=time.time(),
            created_by="ada@laptop",
        )
        self.store.add_token(token)
        self.access.tokens._read_at = float("-inf")
        return Browser(self.port, {"Authorization": f"Bearer {text}"})


def _fail(error: HookctlError) -> None:
    raise AssertionError(error.message)


class _Running:
    """A runner on a thread of its own, which other processes and threads can wake."""

    def __init__(self, site: Site) -> None:
        self._site, self._ended = site, Flag()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        site = self._site
        store = SqliteStore(site.directory / "hookctl.db")
        engine = AttemptEngine(site.plugins, site.receiver.network(), "hookctl/test")
        runner = Runner(queue=store, engine=engine, plugins=site.plugins, read_state=store.read_state)
        with store.announce_runner(runner.wakeup.ask):
            run(runner, stopping=self._ended.is_set, failed=_fail, recovered=lambda _: None)
        runner.stop(0.0)
        store.close()


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def session_receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(session_receiver: Receiver) -> Receiver:
    session_receiver.reset()
    return session_receiver


@pytest.fixture
def site(tmp_path: Path, plugins: Plugins, receiver: Receiver) -> Iterator[Site]:
    def open_one() -> SqliteStore:
        return SqliteStore(tmp_path / "hookctl.db")

    stores = Stores(open_one)
    access = Access(stores, operator="ada@laptop")
    store = open_one()
    writer = EventWriter(open_one, StoreLimits())
    values: dict[str, Any] = {"plugins": plugins, "stores": stores, "directory": tmp_path, "access": access}
    metrics = Metrics()
    operations = Operations(metrics, Exposition(metrics, [], open_one), lambda: "", is_open=True)
    context = Context(writer=writer, intake=Intake(plugins.event_types, writer), operations=operations, **values)
    with serving(make_application(context), "127.0.0.1", 0) as (_, port):
        yield Site(tmp_path, receiver, plugins, access, store, port)
    operations.close()
    stores.close()
    store.close()


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.signed_in()
