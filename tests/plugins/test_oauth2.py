from __future__ import annotations

import logging
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator
from requests import PreparedRequest
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from hookctl.errors import AddressBlockedError, SecretError, TokenError
from hookctl.model import Json, Request, Secret
from hookctl.network import Network
from hookctl.plugin import AuthContext, Refreshable, Settings
from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver
from hookctl_plugins.auth.oauth2 import FAILURE_SECONDS, SHORTEST_USE, UNKNOWN_LIFETIME, ClientCredentials

TOKEN_PATH = "/oauth/token"
TOKEN_URL = "https://login.example.com/oauth/token"
SECRET = "canary-secret+/=%"


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["requests", "curl"])
def adapter(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[BaseAdapter]:
    built = load_plugins().transports[request.param].build({}, receiver.network())
    yield built
    built.close()


@pytest.fixture
def make(adapter: BaseAdapter, receiver: Receiver, clock: Clock) -> Callable[..., ClientCredentials]:
    """An oauth2 auth as the plugin builds it, with a clock that stands still."""
    receiver.tokens.client_id, receiver.tokens.client_secret = "client", SECRET

    def made(*, timeout: float = 5.0, **changed: Any) -> ClientCredentials:
        settings = {"client_id": "client", "client_secret": Secret(SECRET), "token_url": TOKEN_URL, **changed}
        return ClientCredentials(cast("Settings", settings), AuthContext(adapter, timeout), clock)

    return made


def authorization(auth: Any) -> str:
    request = PreparedRequest()
    request.headers = CaseInsensitiveDict({"X-Source": "hookctl"})
    headers = auth(request).headers
    assert headers["X-Source"] == "hookctl"
    return str(headers["Authorization"])


def sent_with(token: str) -> Request:
    return Request("POST", "https://siem.example.com/", (("X-Source", "hookctl"), ("authorization", token)), b"{}")


def form(request: ReceivedRequest) -> set[str]:
    return set(request.body.decode().split("&"))


# -- the request -------------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_as_rfc_6749_has_it(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    assert authorization(make(scopes=["ingest.write", "ingest.read"])) == "Bearer token-1"
    (request,) = receiver.requests
    assert (request.method, request.path, request.header("Host")) == ("POST", TOKEN_PATH, "login.example.com")
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert (request.header("User-Agent") or "").startswith("hookctl/")
    assert form(request) == {"grant_type=client_credentials", "scope=ingest.write+ingest.read"}
    assert receiver.tokens.scopes == ["ingest.write ingest.read"]


def test_credentials_in_the_form(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    assert (
        authorization(make(token_endpoint_auth_method="client_secret_post", audience="https://siem.example.com/"))
        == "Bearer token-1"
    )
    (request,) = receiver.requests
    assert request.header("Authorization") is None
    assert form(request) >= {"client_id=client", "audience=https%3A%2F%2Fsiem.example.com%2F"}
    assert not any(pair.startswith("scope=") for pair in form(request))


def test_parameters_beyond_the_standard_are_sent_as_written(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    auth = make(
        audience="https://siem.example.com/",
        resource=["https://a.example.com/x?y=1", Secret("urn:b")],
        endpoint_params={"organization": "org & 1", "assertion_hint": Secret("hint-canary")},
    )
    assert authorization(auth) == "Bearer token-1"
    assert parse_qsl(receiver.requests[0].body.decode()) == [
        ("grant_type", "client_credentials"),
        ("audience", "https://siem.example.com/"),
        ("resource", "https://a.example.com/x?y=1"),
        ("resource", "urn:b"),
        ("organization", "org & 1"),
        ("assertion_hint", "hint-canary"),
    ]


def test_one_resource_is_one_parameter(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    assert authorization(make(resource="https://a.example.com/")) == "Bearer token-1"
    assert form(receiver.requests[0]) == {"grant_type=client_credentials", "resource=https%3A%2F%2Fa.example.com%2F"}


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [
        ({"resource": "https://a.example.com/"}, True),
        ({"resource": "urn:example:siem"}, True),
        ({"resource": "${env:API}"}, True),
        ({"resource": ["https://a.example.com/", "https://b.example.com/"]}, True),
        ({"resource": "siem"}, False),
        ({"resource": "https://a.example.com/#part"}, False),
        ({"resource": []}, False),
        ({"endpoint_params": {"organization": "org-1"}}, True),
        ({"endpoint_params": {"scope": "x"}}, False),
        ({"endpoint_params": {"": "x"}}, False),
        ({"endpoint_params": {"n": 1}}, False),
    ],
)
def test_settings_of_further_parameters(settings: dict[str, Json], accepted: bool) -> None:
    schema = load_plugins().auth["oauth2"].schema
    block = {"client_id": "a", "client_secret": "${env:S}", "token_url": TOKEN_URL, **settings}
    assert Draft202012Validator(schema).is_valid(block) is accepted


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_credentials_of_any_characters_arrive(
    make: Callable[..., ClientCredentials], receiver: Receiver, method: str
) -> None:
    client_id, client_secret = "id:with colon&ünïcode", "s€cret: &=+%41/\\\"'\U0001f600"
    receiver.tokens.client_id, receiver.tokens.client_secret = client_id, client_secret
    auth = make(client_id=Secret(client_id), client_secret=Secret(client_secret), token_endpoint_auth_method=method)
    assert authorization(auth) == "Bearer token-1"


def test_nothing_of_the_machine_gets_in(
    make: Callable[..., ClientCredentials], receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine login.example.com login intruder password intruder\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
    for name in ("OAUTHLIB_INSECURE_TRANSPORT", "OAUTHLIB_STRICT_TOKEN_TYPE"):
        monkeypatch.setenv(name, "1")
    receiver.answer(TOKEN_PATH, Answer.json({"access_token": "t", "expires_in": 60}))  # without token_type
    assert authorization(make(token_endpoint_auth_method="client_secret_post")) == "Bearer t"
    assert receiver.requests[0].header("Authorization") is None


def test_no_cookie_is_kept(make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock) -> None:
    headers = (("Content-Type", "application/json"), ("Set-Cookie", "session=1; Path=/"))
    receiver.answer(
        TOKEN_PATH, Answer(headers=headers, body=b'{"access_token":"t","token_type":"Bearer","expires_in":0}')
    )
    auth = make()
    authorization(auth)
    clock.now += 10
    authorization(auth)
    assert [request.header("Cookie") for request in receiver.requests] == [None, None]


def test_other_scopes_than_asked_for_are_taken(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    receiver.answer(
        TOKEN_PATH, Answer.json({"access_token": "t", "token_type": "bearer", "scope": "ingest.read other"})
    )
    assert authorization(make(scopes=["ingest.write"])) == "Bearer t"


@pytest.mark.parametrize(
    ("code", "settings", "hint"),
    [
        ("invalid_scope", {"scopes": ["a", "b"]}, "Check scopes: a, b."),
        ("invalid_scope", {}, "Check scopes: none are set."),
        ("invalid_target", {"resource": "urn:a", "audience": "b"}, "Check audience and resource."),
        ("invalid_target", {}, "Set audience or resource as the server requires."),
        ("unsupported_grant_type", {}, "Ask the server's operator to allow the grant client_credentials."),
        ("unauthorized_client", {}, "to allow this client the grant client_credentials."),
        ("invalid_client", {}, "Some servers need token_endpoint_auth_method: client_secret_post."),
        (
            "invalid_client",
            {"token_endpoint_auth_method": "client_secret_post"},
            "Some servers need token_endpoint_auth_method: client_secret_basic.",
        ),
    ],
)
def test_the_hint_names_what_is_set(
    make: Callable[..., ClientCredentials], receiver: Receiver, code: str, settings: dict[str, Any], hint: str
) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"error": code}, 400))
    with pytest.raises(TokenError) as raised:
        authorization(make(**settings))
    assert hint in raised.value.hint


# -- keeping a token ---------------------------------------------------------------------------------------------------


def test_a_token_is_kept_until_shortly_before_it_expires(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock
) -> None:
    receiver.tokens.expires_in = 3600
    auth = make()
    assert authorization(auth) == "Bearer token-1"
    clock.now += 3600 - 61
    assert authorization(auth) == "Bearer token-1"
    clock.now += 2
    assert authorization(auth) == "Bearer token-2"
    assert receiver.tokens.issued == 2


def test_a_short_lived_token_is_used_for_most_of_its_life(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock
) -> None:
    receiver.tokens.expires_in = 10
    auth = make()
    assert [authorization(auth), authorization(auth)] == ["Bearer token-1"] * 2
    clock.now += 7.9
    assert authorization(auth) == "Bearer token-1"
    clock.now += 0.2
    assert authorization(auth) == "Bearer token-2"


@pytest.mark.parametrize("expires_in", [None, "soon", "", "1h", "nan", "Infinity", [], {}, True, 10**400])
def test_a_token_without_a_usable_lifetime_is_kept_for_a_while(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock, expires_in: Any
) -> None:
    receiver.answer(
        TOKEN_PATH,
        *(Answer.json({"access_token": f"t{n}", "token_type": "Bearer", "expires_in": expires_in}) for n in (1, 2)),
    )
    auth = make()
    assert authorization(auth) == "Bearer t1"
    clock.now += UNKNOWN_LIFETIME * 0.7
    assert authorization(auth) == "Bearer t1"
    clock.now += UNKNOWN_LIFETIME * 0.3
    assert authorization(auth) == "Bearer t2"


@pytest.mark.parametrize("expires_in", ["3600", 3600.0, "3600.5"])
def test_a_lifetime_may_be_written_as_text_or_fraction(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock, expires_in: Any
) -> None:
    receiver.answer(
        TOKEN_PATH,
        *(Answer.json({"access_token": f"t{n}", "token_type": "Bearer", "expires_in": expires_in}) for n in (1, 2)),
    )
    auth = make()
    authorization(auth)
    clock.now += 3600 - 62
    assert authorization(auth) == "Bearer t1"
    clock.now += 5
    assert authorization(auth) == "Bearer t2"


@pytest.mark.parametrize("expires_in", [0, "0", -5, "-1", -0.5, 0.5, -(10**300)])
def test_a_token_that_has_expired_already_is_used_for_a_second(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock, expires_in: Any
) -> None:
    receiver.answer(
        TOKEN_PATH,
        *(Answer.json({"access_token": f"t{n}", "token_type": "Bearer", "expires_in": expires_in}) for n in (1, 2)),
    )
    auth = make()
    assert [authorization(auth), authorization(auth)] == ["Bearer t1"] * 2
    clock.now += SHORTEST_USE - 0.01
    assert authorization(auth) == "Bearer t1"
    clock.now += 0.02
    assert authorization(auth) == "Bearer t2"


# -- many at once ------------------------------------------------------------------------------------------------------


def at_once(auth: ClientCredentials, threads: int = 50) -> list[str | Exception]:
    """What each of many threads gets that ask at the same moment."""
    start = threading.Barrier(threads)

    def ask(_: int) -> str | Exception:
        start.wait()
        try:
            return authorization(auth)
        except Exception as error:  # noqa: BLE001 - compared by the test
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, range(threads)))


def test_fifty_threads_fetch_one_token(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    receiver.answer(
        TOKEN_PATH, Answer.json({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}, delay=0.1)
    )
    assert at_once(make()) == ["Bearer t"] * 50
    assert receiver.count == 1


def test_fifty_threads_share_one_token_that_lives_no_longer_than_its_fetch(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"access_token": "t", "token_type": "Bearer", "expires_in": 0}, delay=0.5))
    assert at_once(make()) == ["Bearer t"] * 50
    assert receiver.count < 50


def test_fifty_threads_share_one_failure_and_each_has_its_own_exception(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"error": "temporarily_unavailable"}, 503, delay=0.1))
    failures = at_once(make())
    assert receiver.count == 1
    assert {str(failure) for failure in failures} == {"the token endpoint answered 503: temporarily_unavailable"}
    assert all(isinstance(failure, TokenError) for failure in failures)
    assert len({id(failure) for failure in failures}) == 50


def test_a_failure_stands_for_a_moment_and_then_it_is_tried_again(
    make: Callable[..., ClientCredentials], receiver: Receiver, clock: Clock
) -> None:
    receiver.answer(TOKEN_PATH, Answer(500), Answer.json({"access_token": "t", "token_type": "Bearer"}))
    auth = make()
    for _ in range(3):
        with pytest.raises(TokenError, match="500"):
            authorization(auth)
    assert receiver.count == 1
    clock.now += FAILURE_SECONDS
    assert authorization(auth) == "Bearer t"


def test_those_who_wait_do_not_wait_for_ever_when_the_fetching_thread_is_stopped(
    make: Callable[..., ClientCredentials], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def stopped(*_: Any) -> Any:
        fetching.set()
        go_on.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr("hookctl_plugins.auth.oauth2.fetch_token", stopped)
    auth = make()

    def fetch() -> None:
        with pytest.raises(KeyboardInterrupt):
            authorization(auth)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetch)
        fetching.wait()
        second = pool.submit(authorization, auth)
        time.sleep(0.05)  # lets the second come to wait; it must end well if it has not
        go_on.set()
        first.result()
        with pytest.raises(TokenError, match="abandoned"):
            second.result()


# -- refreshing --------------------------------------------------------------------------------------------------------


def test_a_refused_token_is_fetched_anew_once(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    auth = make()
    assert isinstance(auth, Refreshable)
    first = authorization(auth)
    for _ in range(3):  # three deliveries carried it, and all got a 401
        auth.refresh(sent_with(first))
        assert authorization(auth) == "Bearer token-2"
    assert receiver.tokens.issued == 2


def test_a_request_with_another_token_refreshes_nothing(make: Callable[..., ClientCredentials]) -> None:
    auth = make()
    authorization(auth)
    for carried in ("Bearer other", "Basic token-1", "***", ""):
        auth.refresh(sent_with(carried))
    auth.refresh(Request("GET", "https://siem.example.com/", (), None))
    assert authorization(auth) == "Bearer token-1"


def test_refreshing_before_the_first_token_is_nothing(make: Callable[..., ClientCredentials]) -> None:
    auth = make()
    auth.refresh(sent_with("Bearer "))
    assert authorization(auth) == "Bearer token-1"


def test_a_refresh_does_not_make_a_failure_be_forgotten(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    receiver.answer(TOKEN_PATH, Answer(500))
    auth = make()
    with pytest.raises(TokenError):
        authorization(auth)
    auth.refresh(sent_with("Bearer "))
    with pytest.raises(TokenError):
        authorization(auth)
    assert receiver.count == 1


# -- what a token endpoint may do --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer.json({"error": "invalid_client"}, 401), "the token endpoint answered 401: invalid_client"),
        (
            Answer.json({"error": "invalid_scope", "error_description": "No such scope\nhere"}, 400),
            "answered 400: invalid_scope, No such scope here",
        ),
        (Answer.json({"error": "invalid_client"}), "the token endpoint refused: invalid_client"),
        (Answer.json({"error": {"code": 1}}, 403), "the token endpoint answered 403"),
        (
            Answer.json({"errorCode": "E0000004", "errorSummary": "Authentication failed", "errorId": "oae"}, 401),
            "answered 401: E0000004, Authentication failed",
        ),
        (
            Answer.json(
                {"errorCode": "E0000001", "errorSummary": "Failed", "errorCauses": [{"errorSummary": "scope: bad"}]},
                400,
            ),
            "answered 400: E0000001, Failed, scope: bad",
        ),
        (
            Answer.json({"error": {"code": 403, "message": "No access", "status": "DENIED"}}, 403),
            "answered 403: 403, No access",
        ),
        (
            Answer.json({"ErrorCode": "invalid_client", "Error": "Client credentials are invalid"}, 401),
            "answered 401: invalid_client, Client credentials are invalid",
        ),
        (Answer.json({"fault": {"faultstring": "Quota exceeded"}}, 429), "answered 429: Quota exceeded"),
        (Answer.json({"title": "Forbidden", "detail": "Not you"}, 403), "answered 403: Forbidden, Not you"),
        (Answer.json({"message": "Internal\terror"}, 500), "answered 500: Internal error"),
        (Answer.json({"errors": ["first", {"message": "second"}]}, 400), "answered 400: first, second"),
        (Answer(404, body=b"<html>not here</html>"), "the token endpoint answered 404"),
        (Answer(500, body=b""), "the token endpoint answered 500"),
        (Answer(503, body=b"x" * 100_000), "the token endpoint answered 503"),
        (Answer(body=b"<html>welcome</html>"), "answered 200 without a usable access_token"),
        (Answer(body=b""), "without a usable access_token"),
        (Answer(204, body=b""), "answered 204 without a usable access_token"),
        (Answer(body=b"\xff\xfe"), "without a usable access_token"),
        (Answer(body=b"[1]"), "without a usable access_token"),
        (Answer(body=b"[" * 60_000), "without a usable access_token"),
        (Answer(body=b"access_token=t&token_type=Bearer"), "without a usable access_token"),
        (Answer.json({"token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": "", "token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": 7, "token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": "a\r\nX-Evil: 1", "token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": "schlüssel", "token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": "x" * 70_000, "token_type": "Bearer"}), "without a usable access_token"),
        (Answer.json({"access_token": "t", "token_type": "mac"}), "not of type Bearer"),
        (Answer.json({"access_token": "t", "token_type": 1}), "not of type Bearer"),
        (Answer.redirect("https://siem.example.com/elsewhere"), "a redirect (302), which is not followed"),
        (Answer.redirect("http://login.example.com/oauth/token", 307), "a redirect (307), which is not followed"),
        (Answer.redirect("/oauth/other", 308), "a redirect (308), which is not followed"),
        (Answer(misbehave=Misbehavior.CLOSE), "cannot be reached"),
        (Answer(misbehave=Misbehavior.RESET), "cannot be reached"),
        (Answer(misbehave=Misbehavior.CUT_HEADERS), "cannot be reached"),
        (Answer(misbehave=Misbehavior.NOT_HTTP), "cannot be reached"),
    ],
)
def test_a_bad_answer_is_a_token_error(
    make: Callable[..., ClientCredentials], receiver: Receiver, answer: Answer, message: str
) -> None:
    receiver.answer(TOKEN_PATH, answer)
    with pytest.raises(TokenError) as raised:
        authorization(make())
    assert message in raised.value.message
    assert raised.value.hint or "cannot be reached" in message
    assert raised.value.message.isprintable()
    assert {request.path for request in receiver.requests} == {TOKEN_PATH}


@pytest.mark.parametrize("misbehavior", [Misbehavior.NO_ANSWER, Misbehavior.TRICKLE_HEADERS, Misbehavior.TRICKLE_BODY])
def test_a_slow_endpoint_ends_with_the_deadline(
    make: Callable[..., ClientCredentials], receiver: Receiver, misbehavior: Misbehavior
) -> None:
    receiver.answer(TOKEN_PATH, Answer(misbehave=misbehavior))
    with pytest.raises(TokenError, match="cannot be reached"):
        authorization(make(timeout=0.3))


def test_a_bearer_token_by_another_name(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"access_token": "t", "token_type": "BearerToken"}))
    assert authorization(make()) == "Bearer t"


def test_an_adapter_that_raises_anything_is_a_token_error(clock: Clock) -> None:
    class Broken(BaseAdapter):
        def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Any:
            raise UnicodeError(f"cannot send {request.headers}")

    settings = {"client_id": "client", "client_secret": Secret(SECRET), "token_url": TOKEN_URL}
    with pytest.raises(TokenError, match=r"^the token request failed: UnicodeError$") as raised:
        authorization(ClientCredentials(cast("Settings", settings), AuthContext(Broken(), 5.0), clock))
    assert raised.value.__cause__ is raised.value.__context__ is None


# -- the guard ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["requests", "curl"])
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "64:ff9b::7f00:1"])
def test_a_blocked_token_endpoint_is_never_dialled(receiver: Receiver, transport: str, address: str) -> None:
    def answers(*_: Any, **__: Any) -> Any:
        return [(0, 1, 6, "", (address, 443))]

    adapter = load_plugins().transports[transport].build({}, Network(getaddrinfo=answers, ca_file=receiver.ca_file))
    settings = {"client_id": "client", "client_secret": Secret(SECRET), "token_url": TOKEN_URL}
    with pytest.raises(AddressBlockedError, match=r"token endpoint: login\.example\.com"):
        authorization(ClientCredentials(cast("Settings", settings), AuthContext(adapter, 5.0)))
    adapter.close()
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/token",
        "https://127.0.0.1/token",
        "https://login.example.com:8443/token",
        "https://u:p@login.example.com/",
    ],
)
@pytest.mark.parametrize("written", [str, Secret])
def test_a_token_url_that_breaks_the_rules_is_refused(
    make: Callable[..., ClientCredentials], url: str, written: type[str | Secret]
) -> None:
    with pytest.raises(SecretError, match="token_url breaks the rule url-") as raised:
        make(token_url=written(url))
    assert url not in raised.value.message + raised.value.hint


def test_a_token_url_may_hold_a_secret_in_its_path(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    receiver.answer("/tenant/token", Answer.json({"access_token": "t", "token_type": "Bearer"}))
    assert authorization(make(token_url=Secret("https://login.example.com/tenant/token"))) == "Bearer t"


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_neither_secret_nor_token_is_logged_or_shown(
    make: Callable[..., ClientCredentials], receiver: Receiver, caplog: pytest.LogCaptureFixture, adapter: BaseAdapter
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answer(TOKEN_PATH, Answer.json({"access_token": "canary-token", "token_type": "Bearer"}))
    auth = make(token_endpoint_auth_method="client_secret_post")
    authorization(auth)
    shown = f"{caplog.text}{auth!r}{auth._client!r}{auth._held!r}{adapter!r}"
    assert "canary" not in shown


ECHOES = {
    "raw": SECRET,
    "form": "canary-secret%2B%2F%3D%25",
    "pair": "client:canary-secret%2B%2F%3D%25",
    "HTML": "canary-secret&#43;&#x2f;&equals;%",
    "basic": b64encode(b"client:canary-secret%2B%2F%3D%25").decode(),
    "base64": b64encode(SECRET.encode()).decode(),
    "hex": SECRET.encode().hex(),
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_server_that_repeats_the_secret(
    make: Callable[..., ClientCredentials], receiver: Receiver, echo: str, method: str
) -> None:
    words: Json = {"error": "invalid_client", "error_description": f"Wrong secret {ECHOES[echo]} for client"}
    receiver.answer(TOKEN_PATH, Answer.json(words, 401))
    with pytest.raises(TokenError) as raised:
        authorization(make(token_endpoint_auth_method=method))
    assert re.fullmatch(
        r"the token endpoint answered 401: invalid_client, Wrong secret (client:)?[A-Za-z0-9]*\*\*\*=* for client",
        raised.value.message,
    )
    assert len(raised.value.message) < 100


def test_a_secret_that_the_length_of_the_message_cuts(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    words: Json = {"error": "invalid_client", "error_description": "x" * 178 + SECRET}
    receiver.answer(TOKEN_PATH, Answer.json(words, 401))
    with pytest.raises(TokenError) as raised:
        authorization(make())
    assert raised.value.message.endswith("xxx***")


def test_tokens_and_references_that_a_server_repeats(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    told = "client-canary has token-canary, refresh-canary"
    tokens: dict[str, Json] = {"access_token": "token-canary", "refresh_token": "refresh-canary"}
    receiver.answer(TOKEN_PATH, Answer.json({"error": "slow_down", "error_description": told, **tokens}, 200))
    with pytest.raises(TokenError) as raised:
        authorization(make(client_id=Secret("client-canary")))
    assert raised.value.message == "the token endpoint refused: slow_down, *** has ***, ***"


def test_a_secret_parameter_that_a_server_repeats(make: Callable[..., ClientCredentials], receiver: Receiver) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"errorSummary": "unknown key-canary, urn-canary"}, 400))
    with pytest.raises(TokenError) as raised:
        authorization(make(resource=[Secret("urn-canary")], endpoint_params={"key": Secret("key-canary")}))
    assert raised.value.message == "the token endpoint answered 400: unknown ***, ***"


def test_the_words_of_a_server_are_not_repeated_where_the_secret_is_too_short(
    make: Callable[..., ClientCredentials], receiver: Receiver
) -> None:
    receiver.answer(TOKEN_PATH, Answer.json({"error": "invalid_client", "error_description": "not a1b2c"}, 401))
    with pytest.raises(TokenError) as raised:
        authorization(make(client_secret=Secret("a1b2c")))
    assert raised.value.message == "the token endpoint answered 401"
