"""What ``hookctl listen`` answers: by path, in sequences, after a signature is verified, or with a local program."""

from __future__ import annotations

import ipaddress
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from hookctl.errors import FileError, HookctlError
from hookctl.files import read_given
from hookctl.model.moments import duration_of
from hookctl.testing.answers import Answer, Misbehavior

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.testing.answers import ReceivedRequest, Respond

    Seen = Callable[[ReceivedRequest, Answer, Sequence[str]], None]

ACCEPTED, REJECTED = b'{"status":"accepted"}', b'{"status":"rejected"}'
"""The body of an answer, with a 2xx and with another status."""
MAX_BODY = 1024 * 1024
"""The bytes of a body that a file or a local program gives."""
FORWARD_SECONDS = 30.0
"""How long a local program may take."""
_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host"}
)
"""Headers of one connection, which are not forwarded."""


def default_answer(status: int) -> Answer:
    """The answer with a status and no other settings."""
    return Answer(status, body=ACCEPTED if 200 <= status < 300 else REJECTED)


def scripts(entries: Sequence[tuple[str, str, str]]) -> dict[str, list[Answer]]:
    """The answers of each path, in their order, from the values of ``--on``. Raises click.BadParameter."""
    found: dict[str, list[Answer]] = {}
    for path, statuses, body in entries:
        if not path.startswith("/"):
            raise click.BadParameter(f"{path!r} is not a path, which begins with /.", param_hint="--on")
        given = _body(body)
        answers = [_answer(one.strip(), given) for one in statuses.split(",")]
        found.setdefault(path, []).extend(answers)
    return found


def _body(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        return read_given(text[1:], limit=MAX_BODY)
    except FileError as error:
        raise click.BadParameter(f"{text[1:]} cannot be read: {error.message}", param_hint="--on") from error


def _answer(text: str, body: bytes) -> Answer:
    """One answer: a status with settings, such as ``503;retry-after=2;delay=500ms``."""
    status, *settings = text.split(";")
    if not (status.isascii() and status.isdigit() and 200 <= int(status) <= 599):
        raise click.BadParameter(f"{status!r} is not a status from 200 to 599.", param_hint="--on")
    number = int(status)
    values: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        try:
            _set(name, value, values, headers)
        except ValueError as error:
            raise click.BadParameter(f"{setting!r}: {error}", param_hint="--on") from None
    body = body or (ACCEPTED if 200 <= number < 300 else REJECTED)
    content_type = headers.pop("Content-Type", None) or _content_type(body)
    return Answer(number, headers=(("Content-Type", content_type), *headers.items()), body=body, **values)


def _set(name: str, value: str, values: dict[str, Any], headers: dict[str, str]) -> None:
    """Take in one setting of an answer. Raises ValueError."""
    if not (value.isascii() and value.isprintable() and value):
        raise ValueError("a setting is NAME=VALUE")
    if name == "delay":
        values["delay"] = duration_of(value)
    elif name == "misbehave":
        values["misbehave"] = Misbehavior(value)
    elif name == "retry-after":
        headers["Retry-After"] = value
    elif name == "type":
        headers["Content-Type"] = value
    else:
        raise ValueError("the settings are retry-after, delay, type and misbehave")


def _content_type(body: bytes) -> str:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "text/html; charset=utf-8" if body.lstrip()[:1] == b"<" else "text/plain; charset=utf-8"
    return "application/json"


def in_order(script: Sequence[Answer]) -> Respond:
    """A function that gives the answers one after the other; the last one repeats."""
    left = deque(script)
    return lambda _request: left.popleft() if len(left) > 1 else left[0]


def forwarder(url: str, seen: Seen) -> Respond:
    """A function that answers with what a program on this machine answers. Raises click.BadParameter."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local, port = False, None
    if parts.scheme != "http" or not is_local or parts.query or parts.fragment or "@" in parts.netloc:
        raise click.BadParameter(
            f"{url!r} is not the URL of a program on this machine, such as http://127.0.0.1:3000.",
            param_hint="--forward-to",
        )
    base = f"http://{'127.0.0.1' if host == 'localhost' else f'[{host}]' if ':' in host else host}:{port or 80}"

    def respond(request: ReceivedRequest) -> Answer:
        def answer() -> Answer:
            if not request.target.startswith("/"):  # such as @host, which would lead elsewhere
                got, notes = Answer.json({"error": "not a path"}, 400), ["not forwarded: it does not ask for a path"]
                seen(request, got, notes)
                return got
            got, notes = _forward(f"{base}{parts.path.rstrip('/')}{request.target}", request)
            seen(request, got, notes)
            return got

        return Answer(source=answer)

    return respond


def _forward(url: str, request: ReceivedRequest) -> tuple[Answer, list[str]]:
    """The answer of the program at ``url`` to a request; 502 if there is none, with a note that says why."""
    import requests

    headers = {name: value for name, value in request.headers if name.lower() not in _HOP}
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.clear()
            response = session.request(
                request.method,
                url,
                data=request.body,
                headers={"Accept-Encoding": "identity", **headers},
                allow_redirects=False,
                timeout=FORWARD_SECONDS,
                stream=True,
            )
            body = response.raw.read(MAX_BODY, decode_content=False) or b""
    except (requests.RequestException, OSError, ValueError) as error:
        reason = type(error).__name__
        return Answer.json({"error": "the program does not answer"}, 502), [f"forwarded to {url}: no answer, {reason}"]
    kept = tuple((name, value) for name, value in response.headers.items() if name.lower() not in _HOP)
    return Answer(response.status_code, headers=kept, body=body), [f"forwarded to {url}"]


class Verifier:
    """Verifies the signature of each request, and answers 401 to those that do not verify."""

    def __init__(self, session: Session, secret: str, scheme: str | None, host: str) -> None:
        """Resolve the secret, a reference such as ``env:NAME``. Raises HookctlError."""
        from hookctl.cli.verifying_keys import resolved

        self._secret = resolved(session, secret)
        self._scheme = scheme
        self._host = host

    def problem(self, request: ReceivedRequest) -> str:
        """Why the signature does not verify; empty if it does."""
        from hookctl.signatures import Received
        from hookctl.signatures.diagnosis import diagnose
        from hookctl.signatures.schemes import SCHEMES, scheme_of

        headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers}
        scheme = self._scheme or scheme_of(headers)
        if not scheme:
            return "no header shows a signature"
        url = f"https://{request.header('Host') or self._host}{request.target}"
        received = Received(headers, request.body, request.method, url)
        try:
            found = diagnose(SCHEMES[scheme], [self._secret], received, now=time.time())
        except HookctlError as error:
            return error.message
        if found.verified:
            return ""
        return found.differences[0].what if found.differences else "it does not match the body and the secret"

    def guard(self, respond: Respond, seen: Seen) -> Respond:
        """``respond``, but 401 with a note for a request that does not verify."""

        def answer(request: ReceivedRequest) -> Answer:
            if problem := self.problem(request):
                refused = Answer.json({"error": "the signature does not verify"}, 401)
                notes = [f"signature does not verify: {problem}"]

                def source() -> Answer:
                    seen(request, refused, notes)
                    return refused

                return Answer(source=source)
            return respond if isinstance(respond, Answer) else respond(request)

        return answer
