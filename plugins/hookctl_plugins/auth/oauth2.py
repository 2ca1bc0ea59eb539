"""``oauth2``: a token by client credentials (RFC 6749, section 4.4), shared by all deliveries of a delivery plan.

When a token is first needed, one thread requests it while the others wait for the result. The token is kept until
shortly before it expires, and dropped when a target answers 401 or 403 to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from requests.auth import AuthBase

from hookctl.errors import HookctlError, SecretError, TokenError, TransportError
from hookctl.model import Secret, reveal
from hookctl.model.rules.urls import URL_CHARACTER
from hookctl.network import check_url
from hookctl_plugins.auth.token_request import Client, fetch_token

if TYPE_CHECKING:
    from requests import PreparedRequest

    from hookctl.model import Request, Resolved
    from hookctl.plugin import AuthContext, Settings

LONGEST_MARGIN = 60.0
"""Seconds before its expiry from which a token is not used: the request must still arrive, and clocks differ."""
MARGIN_SHARE = 0.2
"""The same margin as a share of the lifetime, for short lifetimes."""
UNKNOWN_LIFETIME = 300.0
"""Seconds to keep a token whose server states no lifetime, or one that is not a number."""
SHORTEST_USE = 1.0
"""Seconds for which every token is used, even one with a lifetime of 0 or less. Some servers write 0 for "unlimited",
others for "expires now". This is right for both: the endpoint gets at most one request per second, and a target that no
longer accepts the token answers 401, after which hookctl gets a new one.
"""
FAILURE_SECONDS = 1.0
"""Seconds for which all callers get the same failure, so that waiting deliveries do not overload an endpoint that is
down.
"""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token, or the failure to get one."""

    until: float
    """The reading of the clock until which it is used."""
    token: str = field(default="", repr=False)
    failure: HookctlError | None = None


class ClientCredentials(AuthBase):
    """Sets ``Authorization: Bearer <token>``. A call may block while the token is requested.

    Safe for use by many threads.
    """

    def __init__(self, settings: Settings, context: AuthContext, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = _client(settings)
        self._context = context
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: Future[_Held] | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header. Raises TokenError, AddressBlockedError or ProxyError if there is no token."""
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request

    def refresh(self, request: Request) -> None:
        """Drop the token that ``request`` carried, unless a newer token has replaced it already."""
        carried = {value for name, value in request.headers if name.lower() == "authorization"}
        with self._lock:
            if self._held and not self._held.failure and f"Bearer {self._held.token}" in carried:
                self._held = None

    def _next_client(self) -> Client:
        """The client for the next token request. Only one thread at a time asks for it."""
        return self._client

    def _token(self) -> str:
        with self._lock:
            if self._held and self._clock() < self._held.until:
                return _outcome(self._held)
            flight, mine = self._flight, self._flight is None
            if flight is None:
                flight = self._flight = Future()
        if mine:
            self._fly(flight)
        return _outcome(flight.result())

    def _fly(self, flight: Future[_Held]) -> None:
        held = _Held(self._clock(), failure=TokenError("the token request was abandoned"))
        try:
            held = self._fetch()
        finally:  # release the waiting threads, whatever happens
            with self._lock:
                self._held, self._flight = held, None
            flight.set_result(held)

    def _fetch(self) -> _Held:
        started = self._clock()
        try:
            grant = fetch_token(self._next_client(), self._context.adapter, self._context.timeout)
        except HookctlError as error:
            return _Held(self._clock() + FAILURE_SECONDS, failure=error)
        lifetime = UNKNOWN_LIFETIME if grant.lifetime is None else grant.lifetime
        until = started + lifetime - min(LONGEST_MARGIN, lifetime * MARGIN_SHARE)
        return _Held(max(until, self._clock() + SHORTEST_USE), grant.token)


def _outcome(held: _Held) -> str:
    failure = held.failure
    if failure is not None:  # a copy for each thread, because raising an exception changes it
        if isinstance(failure, TransportError):
            raise type(failure)(failure.message, hint=failure.hint, cause=failure.cause)
        raise type(failure)(failure.message, hint=failure.hint)
    return held.token


def _client(settings: Settings) -> Client:
    token_url = reveal(settings["token_url"])
    problems = check_url(token_url)
    if problems or "${" in token_url:
        what = "with its secret inserted, " if isinstance(settings["token_url"], Secret) else ""
        raise SecretError(
            f"{what}token_url breaks the rule {problems[0].rule if problems else URL_CHARACTER.id}",
            hint="Write https://host.example/path.",
        )
    return Client(
        client_id=reveal(settings["client_id"]),
        client_secret=reveal(settings["client_secret"]),
        token_url=token_url,
        scopes=tuple(reveal(scope) for scope in cast("list[str]", settings.get("scopes") or [])),
        parameters=tuple(_parameters(settings)),
        secrets=tuple(_secrets(settings)),
        secret_in_form=settings.get("token_endpoint_auth_method") == "client_secret_post",
    )


def _parameters(settings: Settings) -> Iterator[tuple[str, str]]:
    """The parameters of the form that neither the grant nor the client's credentials set."""
    if "audience" in settings:
        yield "audience", reveal(settings["audience"])
    resources = settings.get("resource", [])
    for resource in resources if isinstance(resources, list) else [resources]:
        yield "resource", reveal(resource)
    for name, value in cast("Mapping[str, Resolved]", settings.get("endpoint_params", {})).items():
        yield name, reveal(value)


def _secrets(value: Resolved | Settings) -> Iterator[str]:
    """The secrets in a setting, at any depth."""
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)
