"""A transport without a network, which returns prepared answers and records the requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter

from hookctl.errors import TransportError
from hookctl.model import MAX_RESPONSE_BYTES, Request, Response, Timing
from hookctl.plugin.responses import to_requests
from hookctl.testing.answers import Answer

Recorded = Answer | TransportError | Callable[[Request], Answer]
"""An answer, an error to raise, or a function that returns the answer to a request."""


class RecordedTransport(BaseAdapter):
    """A ``requests`` adapter for tests of auth plugins and of other code that sends requests.

    ::

        transport = RecordedTransport(Answer.json({"access_token": "t"}), DeadlineError("late"))
        ...
        assert transport.requests[0].url == "https://login.example.com/oauth/token"
    """

    def __init__(self, *answers: Recorded) -> None:
        """Each request gets the next of ``answers``, and the last one repeats. An error is raised.

        Without ``answers``, each request gets a 200 with the body ``{"status": "accepted"}``.
        """
        super().__init__()
        self.requests: list[Request] = []
        self.timeouts: list[Any] = []
        """The timeout of each request."""
        self._answers = deque[Recorded](answers or (Answer(),))

    def send(  # noqa: PLR0917  # requests defines the parameters
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The next answer, with its body cut at ``MAX_RESPONSE_BYTES`` like that of a real transport.

        Raises:
            TransportError: the next answer is this error.
        """
        del stream, verify, cert, proxies
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = tuple((str(name), str(value)) for name, value in request.headers.items())
        self.requests.append(Request(request.method or "", request.url or "", headers, body))
        self.timeouts.append(timeout)
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, TransportError):
            raise answer
        if not isinstance(answer, Answer):
            answer = answer(self.requests[-1])
        received = Response(
            status=answer.status,
            reason=answer.reason,
            headers=answer.headers,
            body=answer.body[:MAX_RESPONSE_BYTES],
            truncated=len(answer.body) > MAX_RESPONSE_BYTES,
        )
        return to_requests(received, Timing(), request, self)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
