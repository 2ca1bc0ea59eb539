"""A real server with a few routes of its own, besides those of the application."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.serve import application
from hookctl.serve.access import Access, form_of, requires
from hookctl.serve.context import Context
from hookctl.serve.server import serving
from hookctl.serve.stores import Stores
from hookctl.store.interface import Store
from hookctl.store.sqlite.store import SqliteStore


@requires(Scope.READ)
async def show(request: Request) -> Response:
    return PlainTextResponse(f"{request.state.identity.name} sees\n{request.state.csrf_token}")


@requires(Scope.OPERATE)
async def act(request: Request) -> Response:
    return PlainTextResponse(f"{request.state.identity.name} did {form_of(request).get('what')}")


@requires(Scope.INTAKE)
async def take(request: Request) -> Response:
    return PlainTextResponse(f"{request.state.identity.name} sent {len(await request.body())}")


ROUTES: Sequence[BaseRoute] = (
    Route("/show", show),
    Route("/act", act, methods=["POST"]),
    Route("/v1/take", take, methods=["POST"]),
)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def cookie(self) -> str:
        return self.headers.get("set-cookie", "").partition(";")[0]


@dataclass
class Server:
    access: Access
    store: Store
    port: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, lowered, response.read().decode())
        finally:
            connection.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *scopes: Scope, name: str = "", **fields: Any) -> str:
        text = new_token()
        name = name or f"token-{len(self.tokens)}"
        values = {"created_at": time.time(), "created_by": "ada@laptop"} | fields
        token = Token(id=token_id(text), name=name, digest=token_digest(text), scopes=frozenset(scopes), **values)
        self.store.add_token(token)
        self.tokens[name] = text
        self.forget()
        return text

    def forget(self) -> None:
        """Have the server read the tokens again before the next request."""
        self.access.tokens._read_at = float("-inf")

    def sign_in(self) -> str:
        """The cookie of a session from the one-time link."""
        return self.request("GET", self.access.new_link()).cookie

    def csrf(self, cookie: str) -> str:
        return self.request("GET", "/show", Cookie=cookie).body.partition("\n")[2]

    def post(self, path: str, cookie: str, fields: dict[str, str], **headers: str) -> Answer:
        headers = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self.origin} | headers
        return self.request("POST", path, urlencode(fields), Cookie=cookie, **headers)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(application, "pages", SimpleNamespace(ROUTES=(*application.pages.ROUTES, *ROUTES)))
    open_one: Callable[[], Store] = lambda: SqliteStore(tmp_path / "hookctl.db")  # noqa: E731
    stores = Stores(open_one)
    access = Access(stores, hosts=["hooks.example.com"], operator="ada@laptop")
    context: Any = SimpleNamespace(access=access, stores=stores)
    store = open_one()
    made: Context = context
    with serving(application.make_application(made), "127.0.0.1", 0) as (_, port):
        yield Server(access, store, port)
    stores.close()
    store.close()
