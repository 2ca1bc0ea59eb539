"""A real server on a real store, with the webhooks Siem (every anomaly) and Never (none), and nothing that delivers."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hookctl.config.diff import make_plan as make_change
from hookctl.delivery.metrics.counters import Metrics
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.model import DeliveryPlan, Json
from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.plugin.host import load_plugins
from hookctl.report.metrics.exposition import Exposition
from hookctl.serve.access import Access
from hookctl.serve.application import make_application
from hookctl.serve.context import Context
from hookctl.serve.intake import Intake
from hookctl.serve.openapi.document import make_document
from hookctl.serve.operations import Operations
from hookctl.serve.server import serving
from hookctl.serve.stores import Stores
from hookctl.serve.writer import EventWriter
from hookctl.store.interface import Store
from hookctl.store.sqlite.store import SqliteStore


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def problem(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        assert self.json["status"] == self.status
        assert self.json["title"]
        return str(self.json["type"].removeprefix("urn:hookctl:problem:"))

    @property
    def statuses(self) -> list[str]:
        return [one["status"] for one in self.json["events"]]


@dataclass
class Site:
    path: Path
    store: Store
    mock: Mapping[str, Json]
    access: Access
    intake: Intake
    writer: EventWriter
    port: int
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str = "app", *scopes: Scope, event_types: Sequence[str] | None = None) -> str:
        if name not in self.tokens:
            self.tokens[name] = text = new_token()
            allowed = frozenset(event_types) if event_types is not None else None
            values: dict[str, Any] = {"created_at": time.time(), "created_by": "ada@laptop", "event_types": allowed}
            scopes = scopes or (Scope.INTAKE, Scope.READ)
            self.store.add_token(
                Token(id=token_id(text), name=name, digest=token_digest(text), scopes=frozenset(scopes), **values)
            )
            self.access.tokens._read_at = float("-inf")  # read them again before the next request
        return self.tokens[name]

    def event(self, name: str, **data: Json) -> dict[str, Any]:
        return {**self.mock, "id": name, "data": {**self.mock["data"], **data}}  # type: ignore[dict-item]

    def send(
        self,
        content: object,
        query: str = "",
        content_type: str = "application/json",
        *,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """Post bytes as they are, or anything else as JSON. Underscores in names of headers become hyphens."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"Authorization": f"Bearer {token or self.token()}"}
        if content_type:
            given["Content-Type"] = content_type
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", f"/v1/events{query}", body, given)

    def lines(self, events: Sequence[object], query: str = "", **headers: str) -> Answer:
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        return self.send(body, query, "application/x-ndjson", **headers)

    def get(self, path: str, token: str | None = None) -> Answer:
        return self.request("GET", path, None, {"Authorization": f"Bearer {token or self.token()}"})

    def request(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, lowered, json.loads(response.read()))
            check_described(method, path, answer)
            return answer
        finally:
            connection.close()

    def stored(self) -> set[str]:
        return {event.id for event in self.store.events(limit=100_000).events}

    def clear(self) -> None:
        """Delete what a test has stored."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for table in ("attempts", "deliveries", "events", "known_ids", "new_ids", "request_keys"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  # names from above


DOCUMENT: Any = make_document({name: one.schema for name, one in load_plugins().event_types.items()})
NAMED = ("location", "retry-after", "www-authenticate", "allow")
"""Headers that the document has to name where they come."""


def check_described(method: str, path: str, answer: Answer) -> None:
    """Compare an answer of the API with the OpenAPI document: its status, media type, headers and JSON."""
    path = path.partition("?")[0]
    for template, operations in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{.*\}", "[^/]+", template), path) and method.lower() in operations:
            response = operations[method.lower()]["responses"][str(answer.status)]
            headers = {name.lower(): one for name, one in response.get("headers", {}).items()}
            assert {name for name, one in headers.items() if one.get("required")} <= answer.headers.keys()
            assert {name for name in NAMED if name in answer.headers} <= headers.keys()
            validator(template, method.lower(), answer.status, answer.headers["content-type"]).validate(answer.json)
            return


@cache
def validator(path: str, method: str, status: int, media_type: str) -> jsonschema_rs.Validator:
    schema = DOCUMENT["paths"][path][method]["responses"][str(status)]["content"][media_type]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]})


@contextmanager
def serve(
    directory: Path, plans: Sequence[DeliveryPlan], limits: StoreLimits | None = None, rate: float | None = None
) -> Iterator[Site]:
    path, plugins = directory / "hookctl.db", load_plugins()
    store = SqliteStore(path)
    store.apply(make_change(store.read_state(), {plan.name: plan for plan in plans}, {}))
    stores = Stores(lambda: SqliteStore(path))
    writer = EventWriter(lambda: SqliteStore(path), limits or StoreLimits())
    access = Access(stores, hosts=[], operator="ada@laptop")
    intake = Intake(plugins.event_types, writer, rate)
    metrics = Metrics()
    operations = Operations(metrics, Exposition(metrics, [], lambda: SqliteStore(path)), lambda: "", is_open=True)
    context = Context(
        plugins=plugins,
        stores=stores,
        writer=writer,
        directory=directory,
        access=access,
        intake=intake,
        operations=operations,
    )
    writer.start()
    with serving(make_application(context), "127.0.0.1", 0) as (_, port):
        made = Site(path, store, plugins.event_types["anomaly"].mock, access, intake, writer, port)
        made.token()
        yield made
    writer.close()
    stores.close()
    operations.close()
    store.close()


@pytest.fixture(scope="module")
def plans(delivery_plan: Callable[..., DeliveryPlan]) -> Sequence[DeliveryPlan]:
    return (
        delivery_plan("Siem", body_template='{"id": "{{ id }}"}', headers={"X-Key": "${env:KEY}"}),
        delivery_plan("Never", when="data.title == 'never'"),
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, plans: Sequence[DeliveryPlan]) -> Iterator[Site]:
    with serve(tmp_path_factory.mktemp("site"), plans) as made:
        yield made


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    yield running
    running.clear()


@pytest.fixture
def limited(tmp_path: Path, plans: Sequence[DeliveryPlan]) -> Callable[..., AbstractContextManager[Site]]:
    """``limited(rate=2.0)``: a site of the test's own."""
    return lambda **options: serve(tmp_path, plans, **options)
