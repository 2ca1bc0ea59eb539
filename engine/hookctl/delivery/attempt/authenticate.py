"""Applies auth plugins (``requests.auth.AuthBase``) to a request, and finds their changes.

``requests`` objects are created only for auth. A webhook without auth, or with auth that never changes, needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from msgspec import Struct

from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to
from hookctl.delivery.attempt.redact import mask_header_value, without_scheme
from hookctl.model import MASK, Failure, FailureKind, Request
from hookctl.network.url import as_sent
from hookctl.plugin.client_certificates import client_certificate, set_client_certificate
from hookctl.plugin.interfaces import Refreshable

if TYPE_CHECKING:
    from requests import PreparedRequest
    from requests.auth import AuthBase

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""The bytes that HTTP allows in a header's value, as Latin-1."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Auth:
    """An auth of a delivery plan, as its plugin built it."""

    who: str
    """Its name in messages, with its plugin."""
    apply: AuthBase
    per_attempt: bool
    blocking: bool
    """Whether a call may block; also true if that is not known."""
    refreshable: bool


class Authenticated(Struct, frozen=True):
    """A request with auth applied, and the changes of auth. Contains secrets: never written, never shown."""

    request: Request
    touched: frozenset[str] = frozenset()
    """The names, in lower case, of the headers that auth added or changed, except copies of the delivery's id and
    timestamp.
    """
    added: tuple[tuple[str, str], ...] = ()
    """The names and values that auth added to the query."""
    moved: bool = False
    """Whether auth changed the URL before its query."""
    hooked: bool = False
    """Whether an auth has registered a response hook (``register_hook``)."""

    def __repr__(self) -> str:
        """Without the request, and without the values that auth added to it."""
        return f"Authenticated(touched={self.touched!r}, moved={self.moved!r}, hooked={self.hooked!r})"

    def credentials(self) -> frozenset[str]:
        """The values that auth added to headers and URL. A target that repeats them would reveal a secret."""
        if not self.touched and not self.added:
            return frozenset()
        values = {without_scheme(value) for name, value in self.request.headers if name.lower() in self.touched}
        return frozenset(values.union(value for _, value in self.added))

    def show(self, shown: Request) -> Request:
        """The request as records show it. ``shown`` is the same request before auth."""
        if not self.touched and not self.added and not self.moved and len(self.request.headers) == len(shown.headers):
            return shown
        before = {name.lower(): value for name, value in shown.headers}
        headers = tuple(
            (name, mask_header_value(value) if name.lower() in self.touched else before.get(name.lower(), value))
            for name, value in self.request.headers
        )
        return Request(shown.method, self._shown_url(shown.url), headers, shown.body)

    def _shown_url(self, before: str) -> str:
        if not self.moved and not self.added:
            return before
        parts = urlsplit(before)
        if self.moved:
            parts = parts._replace(netloc=urlsplit(self.request.url).hostname or "", path=f"/{MASK}")
        added = [f"{quote(name)}={MASK}" for name, _ in self.added]
        return parts._replace(query="&".join([parts.query, *added] if parts.query else added)).geturl()


def authenticate(request: Request, auths: Iterable[Auth]) -> Authenticated:
    """Apply ``auths`` in order. Blocks if one of them blocks. Raises AttemptFailedError."""
    prepared, who = prepared_request(request), ""
    for auth in auths:
        prepared, who = apply_auth(prepared, auth), auth.who
    with attributed_to(who):
        return compare(request, prepared)


def authenticate_afresh(request: Request, auths: Sequence[Auth], refused: Request) -> Authenticated:
    """Authenticate again after a 401, when each auth has dropped the token of the request ``refused``.

    May block. Raises AttemptFailedError.
    """
    for auth in auths:
        if isinstance(auth.apply, Refreshable):
            with attributed_to(auth.who):
                auth.apply.refresh(refused)
    return authenticate(request, auths)


def apply_auth(prepared: PreparedRequest, auth: Auth) -> PreparedRequest:
    """Apply one auth. Raises AttemptFailedError. A call that returns nothing has changed the request in place."""
    with attributed_to(auth.who):
        applied = auth.apply(prepared) or prepared
        if not hasattr(applied, "headers"):
            raise TypeError("an auth must return the request")
        certificate = client_certificate(prepared)
        if certificate and not client_certificate(applied):  # requests does not copy it along with a request
            set_client_certificate(applied, certificate)
        return applied


def prepared_request(request: Request) -> PreparedRequest:
    """``request`` as a ``requests`` object, with nothing added."""
    from requests import PreparedRequest
    from requests.structures import CaseInsensitiveDict

    prepared = PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = CaseInsensitiveDict(request.headers)
    prepared.body = request.body
    if request.certificate:
        set_client_certificate(prepared, request.certificate)
    return prepared


def request_of(prepared: PreparedRequest) -> Request:
    """A request from an auth, in the form for transports. Raises AttemptFailedError for a body that is not bytes."""
    headers = tuple((_text(name), _text(value)) for name, value in prepared.headers.items())
    return Request(
        _text(prepared.method or ""),
        _text(prepared.url or ""),
        headers,
        _body(prepared.body),
        client_certificate(prepared),
    )


def compare(before: Request, after: PreparedRequest) -> Authenticated:
    """The request that auth made from ``before``. Raises AttemptFailedError if it is not valid."""
    headers = tuple((_text(name), _text(value)) for name, value in after.headers.items())
    known = {name.lower(): value for name, value in before.headers}
    public = known.get("webhook-id"), known.get("webhook-timestamp")
    touched = frozenset(
        name.lower() for name, value in headers if known.get(name.lower()) != value and value not in public
    )
    check_headers(headers)
    url = _text(after.url or before.url)
    request = Request(before.method, url, headers, _body(after.body), client_certificate(after))
    hooked = bool(after.hooks.get("response"))
    if url == before.url:
        return Authenticated(request, touched, hooked=hooked)
    old, new = urlsplit(as_sent(before.url)), urlsplit(as_sent(url))
    pairs = parse_qsl(old.query, keep_blank_values=True)
    added = tuple(pair for pair in parse_qsl(new.query, keep_blank_values=True) if pair not in pairs)
    return Authenticated(request, touched, added, moved=old[:3] != new[:3], hooked=hooked)


def check_headers(headers: Sequence[tuple[str, str]]) -> None:
    """Raise AttemptFailedError for a header that cannot be sent. The message omits its value, which may be a secret."""
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise AttemptFailedError(
                Failure(FailureKind.SECRET, "a header's name contains a character that cannot be sent")
            )
        if not _HEADER_VALUE.fullmatch(value) or value != value.strip():
            message = f"the value of the header {name} cannot be sent: it begins or ends with a space, or it contains a"
            message = f"{message} character such as a line break"
            raise AttemptFailedError(Failure(FailureKind.SECRET, message))


def _text(value: str | bytes) -> str:
    # A plugin may have put a kind of `str` there whose methods run its code.
    return value.decode("latin-1") if isinstance(value, bytes) else str.__str__(str(value))


def _body(body: object) -> bytes | None:
    if isinstance(body, str):
        return str.encode(body)
    if body is None or type(body) is bytes:
        return body
    if isinstance(body, bytes):
        return bytes.__getitem__(body, slice(None))[:]
    raise AttemptFailedError(
        Failure(FailureKind.PLUGIN, f"an auth made the body a {type(body).__name__}; it must be bytes")
    )
