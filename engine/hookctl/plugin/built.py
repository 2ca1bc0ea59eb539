"""Wraps what third-party descriptions build: auths with their response hooks, and transports."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from hookctl.errors import TransportError
from hookctl.model import ClientCertificate, FailureKind, Request, Timing
from hookctl.plugin import answers, given
from hookctl.plugin.contain import BrokenContractError, Hook, not_async
from hookctl.plugin.interfaces import Completion, ConcurrentTransport, Refreshable
from hookctl.plugin.part import Part
from hookctl.plugin.raised import runs_no_code
from hookctl.plugin.responses import error_of, failure_from, from_requests, timing_of, to_requests, total_seconds

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter


class _Auth:
    """A contained ``AuthBase``."""

    def __init__(self, auth: Any, part: Part) -> None:
        self._auth, self._part = auth, part

    def __call__(self, request: Any) -> Any:
        return self._part.containment.call(self._part.hook("__call__", bounded=False), self._apply, request)

    def _apply(self, request: Any) -> Any:
        applied = not_async(self._auth(request))
        if applied is None:
            applied = request
        if not hasattr(applied, "headers"):
            raise BrokenContractError(f"{given.kind(applied)}, not a request")
        certificate = getattr(applied, "cert", None)
        if certificate is not None and type(certificate) is not ClientCertificate:
            raise BrokenContractError(f"a request whose cert is {given.kind(certificate)}, not a ClientCertificate")
        if hooks := applied.hooks["response"]:
            applied.hooks = {"response": [self._response_hook(hook) for hook in hooks]}
        return applied

    def _response_hook(self, hook: Any) -> Any:
        """A response hook of the auth, contained."""
        if isinstance(hook, _ResponseHook):
            return hook  # of an auth before this one
        return _ResponseHook(self._part, hook)


class _RefreshableAuth(_Auth):
    def refresh(self, request: Request) -> None:
        self._part.containment.call(self._part.hook("refresh", bounded=False), self._auth.refresh, request)


class _ResponseHook:
    """A contained response hook (``register_hook``)."""

    def __init__(self, part: Part, hook: Callable[..., Any]) -> None:
        self._part, self._hook = part, hook

    def __call__(self, response: Any, **options: Any) -> Any:
        seconds = total_seconds(options.get("timeout"))
        place = self._part.hook("response hook", bounded=False)
        return self._part.containment.call(
            place, lambda: _sent(place, partial(self._hook, response, **options)), seconds=seconds
        )


def _sent(place: Hook, send: Callable[[], Any]) -> Any:
    """The result of third-party code that sends. Exceptions that show a failure of the target become TransportError."""
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    try:
        return not_async(send())
    except Exception as error:
        if not runs_no_code(error) or not isinstance(error, RequestException | HTTPError | OSError):
            raise
        failure = failure_from(error)
        if failure is None:
            raise
        if failure.kind is FailureKind.TRANSPORT:
            raise TransportError(f"{place.who}: {place.name} raised {failure.message}") from error
        raise error_of(failure) from error


def built_auth(built: object, part: Part) -> _Auth:
    """The result of an auth's ``build``, contained. Raises BrokenContractError."""
    if not callable(built):
        raise BrokenContractError(f"{given.kind(built)}, not an AuthBase")
    return _RefreshableAuth(built, part) if isinstance(built, Refreshable) else _Auth(built, part)


class _Adapter:
    """A contained ``BaseAdapter``, whose ``send`` returns a response that was read and checked."""

    def __init__(self, adapter: Any, part: Part) -> None:
        self._adapter, self._part = adapter, part

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        place = self._part.hook("send", bounded=False)

        def send() -> Any:
            started = time.monotonic()
            response = _sent(place, partial(self._adapter.send, request, *args, **options))
            received = answers.response(_sent(place, partial(from_requests, response)))
            measured = timing_of(response)
            spent = Timing(total=time.monotonic() - started) if measured is None else answers.timing(measured)
            return to_requests(received, spent, request, cast("BaseAdapter", self))

        return self._part.containment.call(place, send, seconds=total_seconds(options.get("timeout")))

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str, *args: Any, seconds: float = 0.0) -> Any:
        return self._part.containment.call(
            self._part.hook(name, bounded=False), getattr(self._adapter, name), *args, seconds=seconds
        )


class _ConcurrentAdapter(_Adapter):
    """A contained ``ConcurrentTransport``. All calls run on one helper thread."""

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        self._call("submit", ticket, request, timeout)

    def poll(self, wait: float) -> Sequence[Completion]:
        containment, hook, poll = self._part.containment, self._part.hook("poll", bounded=False), self._adapter.poll
        ended = containment.call(hook, lambda wait: answers.completions(not_async(poll(wait))), wait, seconds=wait)
        return cast("tuple[Completion, ...]", ended)

    def wake(self) -> None:
        self._call("wake")

    def cancel(self, ticket: int) -> None:
        self._call("cancel", ticket)


def built_transport(built: Any, part: Part) -> _Adapter:
    """The result of a transport's ``build``, contained. Raises BrokenContractError."""
    if not callable(getattr(built, "send", None)) or not callable(getattr(built, "close", None)):
        raise BrokenContractError(f"{given.kind(built)}, not a BaseAdapter")
    return _ConcurrentAdapter(built, part) if isinstance(built, ConcurrentTransport) else _Adapter(built, part)
