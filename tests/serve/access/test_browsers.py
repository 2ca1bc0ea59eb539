"""Sessions of browsers, and the writes that other sites try to make with them."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from hookctl.model.token import Scope
from hookctl.serve.access import sessions
from hookctl.serve.access.identity import Identity

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of sessions, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(sessions, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_sign_in_with_the_link_act_and_sign_out(server: Any) -> None:
    cookie = server.sign_in()
    csrf = server.csrf(cookie)
    assert server.post("/act", cookie, {"csrf_token": csrf, "what": "replay"}).body == "ada@laptop did replay"
    out = server.post("/sign-out", cookie, {"csrf_token": csrf})
    assert (out.status, out.headers["location"]) == (303, "/sign-in")
    assert "hookctl-" in out.headers["set-cookie"]
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert server.request("GET", "/show", Cookie=cookie).status == 401
    assert "Your session has ended" in server.request("GET", "/sign-in", Cookie=cookie).body
    assert "Your session has ended" not in server.request("GET", "/sign-in").body


def test_a_link_works_once_and_only_the_newest(server: Any) -> None:
    first, second = server.access.new_link(), server.access.new_link()
    assert server.request("GET", first).status == 403
    assert server.request("HEAD", second).status == 200  # a preview does not use it up
    used = server.request("GET", second)
    assert (used.status, used.headers["location"]) == (303, "/")
    assert server.request("GET", second).status == 403


def test_a_link_ends_after_ten_minutes(clock: list[float]) -> None:
    link = sessions.Link()
    code = link.renew()
    clock[0] += sessions.LINK_SECONDS + 1
    assert not link.use(code)
    assert link.use(link.renew())


def test_sessions_end_when_idle_and_after_a_day_of_work(clock: list[float]) -> None:
    kept = sessions.Sessions()
    who = Identity("ada", frozenset({Scope.READ}))
    idle, busy = kept.start(who)[0], kept.start(who)[0]
    for _ in range(int(sessions.MAX_SECONDS // 3600)):
        clock[0] += 3600
        assert kept.find(busy)
    assert kept.find(idle) is None
    clock[0] += 1
    assert kept.find(busy) is None


def test_the_number_of_sessions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 2)
    kept = sessions.Sessions()
    one, two = (kept.start(Identity(name, frozenset()))[0] for name in "ab")
    assert kept.find(one)
    three = kept.start(Identity("c", frozenset()))[0]
    assert [bool(kept.find(cookie)) for cookie in (one, two, three)] == [True, False, True]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Any) -> None:
    local = server.request("GET", server.access.new_link()).headers["set-cookie"]
    assert re.fullmatch(rf"hookctl-{server.port}=[\w-]{{43}}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict", local)
    remote = server.request("GET", server.access.new_link(), Host="hooks.example.com").headers["set-cookie"]
    assert re.fullmatch(r"__Host-hookctl=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict; Secure", remote)


def test_sign_in_with_a_token_gives_its_roles_without_intake(server: Any) -> None:
    fields = {"Origin": server.origin, "Content_Type": FORM}
    every = server.token(*Scope, name="all")
    signed_in = server.request("POST", "/sign-in?next=%2Fshow", f"token={every}", **fields)
    assert (signed_in.status, signed_in.headers["location"]) == (303, "/show")
    csrf = server.csrf(signed_in.cookie)
    assert server.post("/act", signed_in.cookie, {"csrf_token": csrf, "what": "hold"}).body == "all did hold"
    assert server.post("/v1/take", signed_in.cookie, {"csrf_token": csrf}).status == 403
    reader = server.request("POST", "/sign-in", f"token={server.token(Scope.READ)}", **fields).cookie
    assert server.post("/act", reader, {"csrf_token": server.csrf(reader)}).status == 403
    again = server.post("/sign-in", reader, {"csrf_token": server.csrf(reader), "token": every})
    assert again.status == 303
    assert server.request("GET", "/show", Cookie=reader).status == 401  # the session before has ended
    assert f'value="{server.csrf(again.cookie)}"' in server.request("GET", "/sign-in", Cookie=again.cookie).body
    for refused in (server.token(Scope.INTAKE), "hookctl_a_b", ""):
        answer = server.request("POST", "/sign-in", f"token={refused}", **fields)
        assert answer.status == 403
        assert "not accepted" in answer.body
        assert not answer.cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another port of this machine
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {},
    ],
)
def test_other_sites_cannot_write(server: Any, headers: dict[str, str]) -> None:
    cookie = server.sign_in()
    csrf, body_type = server.csrf(cookie), {"Content_Type": FORM}
    if headers and "Origin" not in headers:
        headers |= {"Origin": server.origin}
    answer = server.request("POST", "/act", f"csrf_token={csrf}", Cookie=cookie, **body_type, **headers)
    assert answer.status == 403
    assert "cross-site-write" in answer.body
    token = server.token(Scope.OPERATE)
    assert server.request("POST", "/sign-in", f"token={token}", **body_type, **headers).status == 403


def test_a_write_needs_the_csrf_token_of_its_own_session(server: Any) -> None:
    mine, other = server.sign_in(), server.sign_in()
    csrf, others = server.csrf(mine), server.csrf(other)
    assert server.post("/act", mine, {"csrf_token": csrf, "what": "x"}).status == 200
    for wrong in ("", others, csrf[:-1], csrf + "x", "\xe9"):
        assert server.post("/act", mine, {"csrf_token": wrong}).status == 403
    assert server.post("/act", mine, {}).status == 403
    for body_type in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
        assert server.post("/act", mine, {"csrf_token": csrf}, Content_Type=body_type).status == 403
    twice = f"csrf_token={csrf}&csrf_token={csrf}"
    answer = server.request("POST", "/act", twice, Cookie=mine, Origin=server.origin, Content_Type=FORM)
    assert answer.status == 403


def test_forms_are_limited(server: Any) -> None:
    cookie = server.sign_in()
    csrf = server.csrf(cookie)
    assert server.post("/act", cookie, {"csrf_token": csrf, "what": "x" * 70_000}).status == 413
    assert server.post("/act", cookie, {"csrf_token": csrf} | {str(n): "" for n in range(1001)}).status == 400


def test_a_page_leads_to_the_sign_in_and_back(server: Any) -> None:
    page = {"Accept": "text/html,*/*"}
    answer = server.request("GET", "/show?a=b&c=d", **page)
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=%2Fshow%3Fa%3Db%26c%3Dd")
    form = server.request("GET", answer.headers["location"], **page)
    assert 'action="/sign-in?next=/show%3Fa%3Db%26c%3Dd"' in form.body
    # A link on another site: the browser keeps the cookie back, and the page has it ask again.
    elsewhere = server.request("GET", "/show?a=b&c=d", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate", **page)
    assert elsewhere.status == 200
    assert '<meta http-equiv="refresh" content="0; url=/show?a=b&amp;c=d">' in elsewhere.body


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "", "a", "/a\tb", "/\n"]
)
def test_the_sign_in_leads_only_to_this_server(server: Any, wanted: str) -> None:
    from urllib.parse import quote

    answer = server.request("GET", f"{server.access.new_link()}&next={quote(wanted)}")
    assert answer.headers["location"] == "/"


def test_tokens_are_not_taken_over_plain_http(server: Any) -> None:
    token = server.token(Scope.READ)
    plain = {"Origin": "http://hooks.example.com", "Host": "hooks.example.com", "Content_Type": FORM}
    answer = server.request("POST", "/sign-in", f"token={token}", **plain)
    assert (answer.status, answer.cookie) == (403, "")
    assert "plain HTTP" in answer.body
    tls = plain | {"Origin": "https://hooks.example.com"}
    assert server.request("POST", "/sign-in", f"token={token}", **tls).cookie.startswith("__Host-")
