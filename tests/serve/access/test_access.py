"""Who may do what, on a real server."""

from __future__ import annotations

import hmac
import logging
import time
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from hookctl.errors import StoreError
from hookctl.model.token import Scope
from hookctl.serve.access import check_declared, public, required_scope, requires
from hookctl.serve.access import known_tokens as known
from hookctl.serve.access.headers import SECURITY_HEADERS
from hookctl.serve.access.requirements import every_route
from hookctl.store.sqlite.store import SqliteStore

MAY = {Scope.INTAKE: {Scope.INTAKE}, Scope.READ: {Scope.READ}, Scope.OPERATE: {Scope.READ, Scope.OPERATE}}
MAY_WRITE_IN_PUBLIC = {"/sign-in", "/sign-out"}
"""The first is how one gets a session; the second only ends one."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def undeclared(_: Request) -> Response:
    return PlainTextResponse("for anyone")


def test_every_route_asks_for_its_scope(server: Any) -> None:
    tokens = {scope: server.token(scope) for scope in Scope}
    for route in every_route(server.application.routes):
        assert isinstance(route, Route)
        required = required_scope(route)
        path = route.path.replace("{", "").replace("}", "").replace(":path", "")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            if required is None:
                assert method == "GET" or route.path in MAY_WRITE_IN_PUBLIC, route.path
                assert server.request(method, path).status != 401
                continue
            assert server.request(method, path).status == 401, path
            for scope, token in tokens.items():
                status = server.request(method, path, **bearer(token)).status
                assert (status == 403) == (required not in MAY[scope]), f"{method} {path} with {scope}: {status}"


def test_a_route_that_declares_nothing_keeps_the_server_from_starting() -> None:
    with pytest.raises(TypeError, match="/open declares neither"):
        check_declared([Route("/open", undeclared)])
    with pytest.raises(TypeError, match="/inner declares neither"):
        check_declared([Mount("/outer", routes=[Route("/inner", undeclared)])])
    with pytest.raises(TypeError, match="/files declares neither"):
        check_declared([Mount("/files", Starlette())])
    check_declared(
        [
            Mount("/files", public(Starlette())),
            Mount("/outer", routes=[Route("/inner", requires(Scope.READ)(undeclared))]),
        ]
    )


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer hookctl_x_y", "Bearer x", "bearer \xe9", "Token a_b_c"]
)
def test_what_is_not_an_accepted_token_is_refused_even_beside_a_session(server: Any, header: str) -> None:
    for cookie in ("", server.sign_in()):
        answer = server.request("GET", "/show", Authorization=header.encode("latin-1"), Cookie=cookie)
        assert (answer.status, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
        assert "urn:hookctl:problem:token-refused" in answer.body


def test_a_token_with_the_right_id_needs_the_right_secret(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(known, "compare_digest", compare)
    token = server.token(Scope.READ)
    wrong = token[:-43] + "A" * 43
    assert server.request("GET", "/show", **bearer(wrong)).status == 401
    assert server.request("GET", "/show", **bearer("hookctl_000000000000_unknown")).status == 401
    assert server.request("GET", "/show", **bearer(token)).status == 200
    assert len(compared) == 3  # in constant time, also where there is no token with the id
    assert all(len(one) == len(other) == 64 for one, other in compared)


def test_expired_and_revoked_tokens_and_their_sessions_end(server: Any) -> None:
    token = server.token(Scope.READ, name="ada")
    expired = server.token(Scope.READ, expires_at=time.time() - 1)
    signed_in = server.request(
        "POST", "/sign-in", f"token={token}", Origin=server.origin, Content_Type="application/x-www-form-urlencoded"
    )
    assert signed_in.status == 303
    assert server.request("GET", "/show", Cookie=signed_in.cookie).status == 200
    assert server.request("GET", "/show", **bearer(expired)).status == 401
    server.store.revoke_token("ada", time.time(), "bob@laptop")
    server.forget()
    assert server.request("GET", "/show", **bearer(token)).status == 401
    assert server.request("GET", "/show", Cookie=signed_in.cookie).status == 401


def test_the_last_use_is_kept(server: Any) -> None:
    server.token(Scope.READ, name="unused")
    token = server.token(Scope.READ, name="used")
    before = time.time()
    server.request("GET", "/show", **bearer(token))
    server.forget()
    server.request("GET", "/show")
    server.request("GET", "/show", **bearer(token))
    used = {token.name: token.last_used_at for token in server.store.tokens()}
    assert used["unused"] is None
    assert used["used"] == pytest.approx(before, abs=60)


def test_tokens_that_cannot_be_read_are_503(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = server.token(Scope.READ)

    def fail(_: object) -> None:
        raise StoreError("the store is on fire", hint="Call someone.")

    monkeypatch.setattr(SqliteStore, "tokens", fail)
    for _ in range(2):
        answer = server.request("GET", "/show", **bearer(token))
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "on fire" not in answer.body  # it may name files, and anyone gets this answer
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": server.origin}
    assert "on fire" not in server.request("POST", "/sign-in", f"token={token}", **form).body
    assert server.troubles == ["the store is on fire"]  # once a minute
    assert server.request("GET", "/healthz").status == 200  # needs no token


def test_tokens_are_in_no_file_and_no_log(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = server.token(Scope.READ, name="in-the-file")
    server.request("GET", "/show", **bearer(token))
    cookie = server.sign_in()
    server.request("GET", "/show", **bearer(token + "x"))
    content = (
        b"".join(path.read_bytes() for path in server.directory.iterdir() if path.is_file()) + caplog.text.encode()
    )
    for secret in (token.split("_", 2)[2], cookie.partition("=")[2]):
        assert len(secret) > 40
        assert secret.encode() not in content
    assert b"in-the-file" in content  # the search would find it


@pytest.mark.parametrize("path", ["/healthz", "/show", "/sign-in", "/missing", "/v1/take", "/static/missing.css"])
def test_every_response_has_the_security_headers(server: Any, path: str) -> None:
    answer = server.request("GET", path)
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name.lower()] == value
    assert answer.headers["cache-control"] == "no-store"
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_other_origins_are_never_let_in_by_cors(server: Any) -> None:
    asked = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
    answer = server.request("OPTIONS", "/v1/take", **asked)
    assert answer.status == 405
    assert not any(name.startswith("access-control") for name in answer.headers)
