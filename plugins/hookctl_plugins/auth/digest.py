"""HTTP Digest (RFC 7616): ``digest``. requests computes the header; its state is shared here by all attempts.

The target answers the first request with 401 and a challenge, and the same attempt sends the request again with an
answer. Later attempts use the same nonce, so usually each of them is one request.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.request import parse_http_list

from requests.auth import AuthBase, HTTPDigestAuth
from requests.utils import parse_dict_header

from hookctl.errors import SecretError
from hookctl.model import reveal
from hookctl.network.url import as_sent

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from hookctl.plugin import Settings

UNAUTHORIZED = 401
MAX_ANSWERS = 2
"""Answers within one attempt. Only a stale nonce gets a second one: any other 401 refuses the credentials."""
MAX_NONCES = 64
"""The number of nonces whose use is counted. Requests in flight may be answers to different challenges."""
_USERNAME = re.compile(r"[ !#-\[\]-~]+")


class Digest(AuthBase):
    """Answers challenges, and sends an answer at once where the nonce is known. Safe for use by many threads."""

    def __init__(self, settings: Settings) -> None:
        """Raises SecretError for a user name that does not fit into the header."""
        username = reveal(settings["username"])
        if not _USERNAME.fullmatch(username):
            raise SecretError(
                "the username of auth digest contains a character that is not supported",
                hint="Use printable ASCII characters without quotation marks and backslashes.",
            )
        self._lock = threading.Lock()
        # requests keeps its state for each thread, but attempts of one webhook run on any thread
        self._state = SimpleNamespace()
        self._digest = cast("Any", HTTPDigestAuth(username, reveal(settings["password"])))  # the stubs lack the state
        self._digest._thread_local = self._state  # noqa: SLF001
        self._challenge: Mapping[str, str] = {}
        """The last challenge whose answer was accepted."""
        self._counts: dict[str, int] = {}
        """How often each nonce was used."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the header if a challenge is known, and answer one if the target sends it."""
        request.url = as_sent(request.url or "")  # the answer contains it
        with self._lock:
            header = self._header(self._challenge, request) if self._challenge else None
        if header:
            request.headers["Authorization"] = header
        request.register_hook("response", self._answer)  # type: ignore[no-untyped-call]
        return request

    def _answer(self, response: Response, **arguments: Any) -> Response:
        """The response to the request with an answer; ``response`` itself if it is not a challenge."""
        until = time.monotonic() + float(arguments["timeout"])
        for _ in range(MAX_ANSWERS):
            answer = self._answer_to(response)
            if answer is None:
                break
            challenge, header = answer
            request = response.request.copy()
            request.headers["Authorization"] = header
            arguments["timeout"] = max(until - time.monotonic(), 0.001)
            answered: Response = response.connection.send(request, **arguments)
            answered.history, answered.request = [*response.history, response], request
            response = answered
            if response.status_code != UNAUTHORIZED:
                # Only now: a target may demand rising counts, and another attempt could arrive before this answer.
                with self._lock:
                    self._challenge = challenge
            if not _is_stale(response):
                break
        return response

    def _answer_to(self, response: Response) -> tuple[Mapping[str, str], str] | None:
        """The first challenge that can be answered, and the answer; None if there is none."""
        if response.status_code != UNAUTHORIZED:
            return None
        with self._lock:
            for challenge in challenges(response):
                header = self._header(challenge, response.request)
                if header is not None:
                    return challenge, header
        return None

    def _header(self, challenge: Mapping[str, str], request: PreparedRequest) -> str | None:
        """The answer to a challenge; None if requests does not support its algorithm or its ``qop``."""
        state, nonce = self._state, challenge["nonce"]
        count = self._counts.pop(nonce, 0)
        state.chal, state.last_nonce, state.nonce_count = dict(challenge), nonce, count
        header: str | None = self._digest.build_digest_header(request.method or "", request.url or "")
        if header is not None:
            self._counts[nonce] = count + 1
            while len(self._counts) > MAX_NONCES:
                del self._counts[next(iter(self._counts))]
        return header


def challenges(response: Response) -> Iterator[Mapping[str, str]]:
    """The parameters of each Digest challenge of a response, in the target's order of preference."""
    found: list[tuple[str, list[str]]] = []
    for item in parse_http_list(response.headers.get("www-authenticate", "")):
        scheme, _, rest = item.partition(" ")
        if "=" not in scheme:
            found.append((scheme.lower(), [rest] if rest else []))
        elif found:
            found[-1][1].append(item)
    for parameters in [parameters for scheme, parameters in found if scheme == "digest"]:
        pairs = parse_dict_header(", ".join(parameters)).items()  # type: ignore[no-untyped-call]
        challenge = {name.strip().lower(): value for name, value in pairs if value is not None}
        if "auth" in [one.strip().lower() for one in challenge.get("qop", "").split(",")]:
            challenge["qop"] = "auth"  # requests does not find it after a space
        if challenge.keys() >= {"realm", "nonce"}:
            yield challenge


def _is_stale(response: Response) -> bool:
    """Whether the target refuses only the nonce, and not the credentials."""
    if response.status_code != UNAUTHORIZED:
        return False
    return any(challenge.get("stale", "").lower() == "true" for challenge in challenges(response))
