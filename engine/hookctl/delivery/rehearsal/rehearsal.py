"""Attempts without a target: the delivery engine with stand-ins for secrets, tokens and transports.

A rehearsal therefore renders, authenticates, validates and masks as a delivery does, but needs neither a network nor a
secret.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import requests
from msgspec import structs
from requests.adapters import BaseAdapter

from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.delivery.rehearsal.render import USER_AGENT
from hookctl.errors import TransportError
from hookctl.model import Attempt, DeliveryPlan, Failure, FailureKind, Json, Request, Response, Timing
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import Completion
from hookctl.plugin.responses import to_requests

DELIVERY_ID = "rehearsal"
STAND_IN = "5ec7e7" * 8
"""The stand-in for every secret. It is valid in a header, in a URL, and as the base64 or hexadecimal text of a key."""
TOKEN = b'{"access_token": "StandInForATokenThatIsNotNeeded", "token_type": "Bearer", "expires_in": 3600}'
POLL_SECONDS = 1.0

Answer = Callable[[Request], tuple[Response | Failure, Timing]]
"""Returns the target's response to a request, and the seconds that it took."""


class Rehearsal:
    """Makes attempts of one webhook. It must be closed."""

    def __init__(self, plan: DeliveryPlan, plugins: Plugins, answer: Answer) -> None:
        self._digest = plan.digest
        self._plan = plan
        self._at = 0.0
        transport = InMemoryTransport(answer)
        stand_ins, nowhere = _with_stand_ins(plugins, transport), Network(getaddrinfo=_nowhere)
        self._engine = AttemptEngine(stand_ins, nowhere, USER_AGENT, clock=lambda: self._at, auth_adapter=transport)
        self.without_auth = ""
        """Why auth was left out: it cannot work with a stand-in for its secret. Empty if it was applied."""

    def attempt(self, document: Mapping[str, Json], number: int, at: float) -> Attempt:
        """Make the attempt with that number at ``at`` (epoch seconds)."""
        attempt = self._attempt(document, number, at)
        failure = attempt.failure
        if (
            attempt.request is None
            and failure is not None
            and failure.kind is not FailureKind.RENDER
            and self._plan.auth
        ):
            self._plan = replace(self._plan, auth=())
            unsigned = self._attempt(document, number, at)
            if unsigned.request is not None:
                self.without_auth = failure.message
                return unsigned
        return attempt

    def close(self) -> None:
        """End the threads."""
        self._engine.close()

    def _attempt(self, document: Mapping[str, Json], number: int, at: float) -> Attempt:
        self._at = at
        self._engine.start(Job(DELIVERY_ID, self._plan, document, number))
        while True:
            for finished in self._engine.poll(POLL_SECONDS):
                return structs.replace(finished.attempt, plan_digest=self._digest)


class InMemoryTransport(BaseAdapter):
    """A transport that calls ``answer`` instead of a target. Requests of an auth to other hosts get a token."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer
        self._url = ""
        self._completions: deque[Completion] = deque()

    def submit(self, ticket: int, request: Request, timeout: float) -> None:  # noqa: ARG002 - the contract of ConcurrentTransport
        """Answer the request at once."""
        self._url = request.url
        self._completions.append(Completion(ticket, *self._answer(request)))

    def poll(self, wait: float) -> Sequence[Completion]:  # noqa: ARG002 - as above
        """The responses since the last call."""
        completions = tuple(self._completions)
        self._completions.clear()
        return completions

    def wake(self) -> None:
        """Do nothing: no poll waits."""

    def cancel(self, ticket: int) -> None:
        """Do nothing: every request was answered at once."""

    def send(  # noqa: PLR0917  # the parameters are those of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Answer a request of an auth: the webhook's own request sent again, or a request for a token."""
        del stream, timeout, verify, cert, proxies
        result, timing = self._answered(request)
        if isinstance(result, Failure):
            raise TransportError(result.message)
        return to_requests(result, timing, request, self)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _answered(self, request: requests.PreparedRequest) -> tuple[Response | Failure, Timing]:
        if self._url and request.url == self._url:
            headers = tuple((str(name), str(value)) for name, value in request.headers.items())
            body = request.body.encode() if isinstance(request.body, str) else request.body
            return self._answer(Request(request.method or "", self._url, headers, body))
        return Response(200, "OK", (("Content-Type", "application/json"),), TOKEN), Timing()


def _with_stand_ins(plugins: Plugins, transport: InMemoryTransport) -> Plugins:
    return replace(
        plugins,
        transports={
            name: replace(kind, build=lambda _settings, _network: transport)
            for name, kind in plugins.transports.items()
        },
        secret_sources={
            scheme: replace(source, resolve=lambda _key: STAND_IN, blocking=False)
            for scheme, source in plugins.secret_sources.items()
        },
    )


def _nowhere(*_: object, **__: object) -> NoReturn:
    raise OSError("a rehearsal resolves no names")
