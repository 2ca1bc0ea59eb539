"""A real server with a few routes of its own, besides those of the application."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from hookctl.errors import SecretError
from hookctl.model.secret import SecretReference
from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.serve import application, pages
from hookctl.serve.access import Access, AccessControl, form_of, public, requires
from hookctl.serve.access.guessing import Failures
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


@requires(Scope.READ)
async def slow(_: Request) -> Response:
    await asyncio.sleep(0.5)
    return PlainTextResponse("at last")


@public
async def large(_: Request) -> Response:
    return PlainTextResponse("x" * 20_000_000)


@requires(Scope.INTAKE)
async def take(request: Request) -> Response:
    return PlainTextResponse(f"{request.state.identity.name} sent {len(await request.body())}")


ROUTES: Sequence[BaseRoute] = (
    Route("/show", show),
    Route("/slow", slow, methods=["GET", "POST"]),
    Route("/large", large),
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
    application: Starlette
    directory: Path
    secrets: dict[str, str]
    """What the references of signatures stand for, by their keys."""
    troubles: list[str]
    """Why access could not be checked."""
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

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, data: bytes, *, chunk: int = 1_000_000) -> bytes:
        """What the server answers to these bytes, until it closes the connection."""
        with self.connect() as client:
            with suppress(ConnectionError):  # it may have refused already
                for start in range(0, len(data), chunk):
                    client.sendall(data[start : start + chunk])
            answer = b""
            with suppress(ConnectionError):
                while received := client.recv(65536):
                    answer += received
            return answer

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *scopes: Scope, name: str = "", **fields: Any) -> str:
        text = new_token()
        name = name or f"token-{len(self.tokens)}"
        values: dict[str, Any] = {"created_at": time.time(), "created_by": "ada@laptop"} | fields
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


async def events(request: Request) -> Response:
    """What intake would get."""
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    identity = request.state.identity
    types = sorted(identity.event_types or ())
    body = (await request.body()).decode()
    return JSONResponse({"who": identity.name, "types": types, "headers": headers, "body": body})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a module: stopping one takes a moment."""
    directory = tmp_path_factory.mktemp("serve")
    open_one: Callable[[], Store] = lambda: SqliteStore(directory / "hookctl.db")  # noqa: E731
    stores, store = Stores(open_one), open_one()
    secrets: dict[str, str] = {}
    troubles: list[str] = []
    access = Access(
        stores,
        hosts=["hooks.example.com"],
        operator="ada@laptop",
        read_secret=lambda reference: secret_of(secrets, reference),
        trouble=troubles.append,
    )
    unused: dict[str, Any] = {"directory": Path("webhooks.d"), "plugins": None, "network": None}
    context: Any = SimpleNamespace(access=access, stores=stores, **unused)
    made: Context = context
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "ROUTES", (*pages.ROUTES, *ROUTES))
        served = application.make_application(made)
    with serving(served, "127.0.0.1", 0) as (_, port):
        yield Server(access, store, served, directory, secrets, troubles, port)
    stores.close()
    store.close()


def secret_of(secrets: dict[str, str], reference: SecretReference) -> str:
    if reference.key not in secrets:
        raise SecretError(f"{reference} is not set", hint="Set it.")
    return secrets[reference.key]


@pytest.fixture(scope="module")
def intake(running: Server) -> Iterator[Server]:
    """A server with the same tokens, whose only route is that of intake."""
    routes = [Route("/v1/events", requires(Scope.INTAKE)(events), methods=["POST"])]
    served = Starlette(routes=routes, middleware=[Middleware(AccessControl, access=running.access)])
    with serving(served, "127.0.0.1", 0) as (_, port):
        yield replace(running, application=served, port=port)


@pytest.fixture
def server(running: Server) -> Server:
    running.access.failures = Failures()
    running.access._reported_at = float("-inf")
    running.troubles.clear()
    return running
