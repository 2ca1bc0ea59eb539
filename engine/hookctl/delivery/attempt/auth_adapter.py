"""The adapter that auth plugins send with. The engine's thread sends their requests along with those of deliveries.

A token endpoint that hangs therefore costs one waiting thread, but no connection pool or resolver of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import requests
from msgspec.structs import replace
from requests.adapters import BaseAdapter

from hookctl.delivery.attempt.authenticate import request_of
from hookctl.delivery.attempt.failures import AttemptFailedError
from hookctl.errors import DeadlineError, TransportError
from hookctl.model import Failure, Request, Timing
from hookctl.plugin.client_certificates import sent_with
from hookctl.plugin.interfaces import Completion
from hookctl.plugin.responses import error_of, to_requests, total_seconds

GRACE = 2.0
"""Seconds that the caller waits for the engine beyond a deadline."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request of an auth plugin, and the future of its response."""

    request: Request = field(repr=False)
    timeout: float
    answer: Future[Completion] = field(default_factory=Future)


class AuthAdapter(BaseAdapter):
    """Passes requests to the engine and waits for their responses.

    ``send`` is safe in any thread except the engine's.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake
        self._asked: deque[_Asked] = deque()
        self._under_way: dict[int, _Asked] = {}
        self._is_closed = False
        self._engine_thread = get_ident()

    def send(  # noqa: D417, PLR0917  # the parameters of requests; only two are used
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The response, with its body read up to the limit.

        Args:
            request: The request to send.
            timeout: The total deadline in seconds; a pair counts as its sum.
            cert: A ClientCertificate, or None. The certificate of a webhook never goes along by itself.

        Raises:
            TransportError: No complete response was received, or the request is not safe to send.
        """
        del stream, verify, proxies
        if get_ident() == self._engine_thread:
            raise TransportError(
                "an auth that sends requests must not be called on the runner's thread",
                hint="Declare the auth type with blocking=True.",
            )
        asked = _Asked(replace(request_of(request), certificate=sent_with(cert)), total_seconds(timeout))
        self._asked.append(asked)
        if self._is_closed:
            self.close()
        self._wake()
        try:
            completion = asked.answer.result(asked.timeout + GRACE)
        except TimeoutError as error:
            raise DeadlineError(f"no complete response within {asked.timeout:g} s") from error
        if isinstance(completion.result, Failure):
            raise error_of(completion.result)
        return to_requests(completion.result, completion.timing, request, self)

    # -- called by the engine, on its thread

    def send_asked(self, send: Callable[[Request, float], int]) -> None:
        """Send every queued request. ``send`` starts a request with a deadline in seconds, and returns its ticket."""
        self._engine_thread = get_ident()
        while self._asked:
            asked = self._asked.popleft()
            try:
                self._under_way[send(asked.request, asked.timeout)] = asked
            except AttemptFailedError as error:
                asked.answer.set_result(Completion(0, error.failure, Timing()))

    def answered(self, completion: Completion) -> None:
        """Pass the response on if it belongs to a request of an auth. Returns whether it does."""
        asked = self._under_way.pop(completion.ticket, None)
        if asked is not None:
            asked.answer.set_result(completion)

    def close(self) -> None:
        """Fail every waiting request and every later one, because nothing is sent any more."""
        self._is_closed = True
        waiting, self._under_way = [*self._under_way.values()], {}
        while self._asked:
            waiting.append(self._asked.popleft())
        for asked in waiting:
            asked.answer.set_exception(TransportError("hookctl is stopping"))
