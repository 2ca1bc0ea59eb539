"""A transport without a network: it returns prepared answers and records the requests."""

from __future__ import annotations

from collections import deque
from typing import Any

import requests
from requests.adapters import BaseAdapter

from hookctl.errors import TransportError
from hookctl.model import MAX_RESPONSE_BYTES, Request, Response, Timing
from hookctl.plugin.responses import to_requests
from hookctl.testing.answers import Answer


class RecordedTransport(BaseAdapter):
    """A ``requests`` adapter for tests of auth plugins, or of whatever else sends.

    ::

        transport = RecordedTransport(Answer.json({"access_token": "t"}), DeadlineError("late"))
        ...
        assert transport.requests[0].url == "https://login.example.com/oauth/token"
    """

    def __init__(self, *answers: Answer | TransportError) -> None:
        """Give each request the next of ``answers``; an error is raised, and the last one repeats.

        None: 200 and ``{"status": "accepted"}``.
        """
        super().__init__()
        self.requests: list[Request] = []
        self.timeouts: list[Any] = []
        """The timeout of each request, in seconds."""
        self._answers = deque[Answer | TransportError](answers or (Answer(),))

    def send(  # noqa: PLR0917  # the parameters are those of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The next answer, with its body cut at the limit as by a real transport.

        Raises TransportError if that is the answer.
        """
        del stream, verify, cert, proxies
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = tuple((str(name), str(value)) for name, value in request.headers.items())
        self.requests.append(Request(request.method or "", request.url or "", headers, body))
        self.timeouts.append(timeout)
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, TransportError):
            raise answer
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
