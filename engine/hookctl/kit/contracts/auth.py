"""The contract of an auth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from requests import PreparedRequest
from requests import Request as Unprepared
from requests.auth import AuthBase

from hookctl.errors import DeadlineError, HookctlError
from hookctl.kit.contracts.conduct import NETWORK, THREADS, WAITING, at_once, later, watched
from hookctl.kit.contracts.part import SECRET_TEXT, ConfiguredContract, at_secrets
from hookctl.model import Request, Secret
from hookctl.model.secret import mask
from hookctl.plugin import AuthContext, Refreshable
from hookctl.testing.answers import Answer
from hookctl.testing.recorded import Recorded, RecordedTransport

Applied = tuple[Mapping[str, str], str, bytes | str | None]
"""What an auth did to a request: the headers that it set, and the URL and body after it."""
HOUR = 3600.0
TOKEN = Answer.json({"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600})


def echo(status: int, request: Request) -> Answer:
    """An answer that repeats the whole request, as servers do in their error messages."""
    form = request.body.decode("utf-8", "replace") if request.body else ""
    return Answer.json({"error": "bad_request", "error_description": f"{form} {request.headers}"}, status)


FAILING: Sequence[Recorded] = (
    DeadlineError("the deadline passed"),
    partial(echo, 400),
    partial(echo, 401),
    partial(echo, 503),
    Answer(body=b"<html>"),
    Answer(body=b"null"),
    Answer.json({}),
)
"""What a server may answer to the requests of an auth."""


class AuthContract(ConfiguredContract):
    """The tests of an auth type. Set ``name`` and ``settings``."""

    hook = "hookctl_auth_types"
    what = "auth"
    method: ClassVar[str] = "POST"
    url: ClassVar[str] = "https://siem.example.com/ingest"
    body: ClassVar[bytes] = b'{"n": 1}'
    answers: ClassVar[Sequence[Recorded]] = (TOKEN,)
    """What ``context.adapter`` answers to the auth's own requests; the last one repeats."""
    timeout: ClassVar[float] = 5.0
    """The deadline of the auth's own requests, in seconds."""

    def prepare(self, auth: AuthBase) -> None:
        """Called with each auth that is built. Override it for one that must first see a challenge of the target."""

    def build(self, adapter: RecordedTransport) -> AuthBase:
        """The auth with the settings of this suite."""
        auth: AuthBase = self.part.build(self.resolved, AuthContext(adapter, self.timeout))
        self.prepare(auth)
        return auth

    def build_with(self, settings: Mapping[str, Any]) -> AuthBase:
        """The auth with other settings."""
        auth: AuthBase = self.part.build(settings, AuthContext(RecordedTransport(*self.answers), self.timeout))
        return auth

    def request(self, body: bytes | None = None) -> PreparedRequest:
        """A request without auth."""
        headers = {"Content-Type": "application/json", "webhook-id": "msg_1", "webhook-timestamp": "1760000000"}
        return Unprepared(self.method, self.url, headers, data=self.body if body is None else body).prepare()

    def apply(self, auth: AuthBase, body: bytes | None = None) -> Applied:
        """Call the auth with a new request."""
        before = self.request(body)
        after = auth(before.copy()) or before
        headers = {name: str(value) for name, value in after.headers.items() if before.headers.get(name) != value}
        return headers, after.url or "", None if after.body == before.body else after.body

    def test_it_authenticates(self) -> None:
        """``build`` returns something that can be called with a request, and returns that request."""
        auth = self.build(RecordedTransport(*self.answers))
        assert callable(auth), f"build returned {auth!r}, not an AuthBase"
        request = self.request()
        assert auth(request) is request, "the auth does not return the request that it was called with"

    def test_adds_agrees_with_what_is_added(self) -> None:
        """``adds`` names the headers that the auth sets, ``adds_query`` the parameters of the URL, and no others."""
        if self.part.adds is None and self.part.adds_query is None:
            return  # plans show the settings instead
        added, url, _ = self.apply(self.build(RecordedTransport(*self.answers)))
        before = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        after = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self._declared("adds").items()}
        _agree("adds", headers, {name.lower(): value for name, value in added.items()})
        _agree("adds_query", self._declared("adds_query"), dict(pair for pair in after if pair not in before))

    def test_adds_reads_and_sends_nothing(self) -> None:
        """``adds`` and ``adds_query`` run in every plan: they work with references, send nothing, show no secret."""
        for name in ("adds", "adds_query"):
            self._declared(name)  # what it imports is not counted
            with watched((*NETWORK, *WAITING)) as called:
                shown = str(self._declared(name))
            assert not called, f"{name} calls {called[0]}"
            assert not [secret for secret in self.secrets if secret in shown], f"{name} shows a secret"

    def _declared(self, name: str) -> Mapping[str, str]:
        """What ``adds`` or ``adds_query`` returns for the settings as written; nothing if there is none."""
        function = getattr(self.part, name)
        return {} if function is None else dict(function(self.written))

    def test_per_attempt_is_declared(self) -> None:
        """``per_attempt`` is true exactly if the result depends on the body, the time or a token."""
        adapter = RecordedTransport(*self.answers)
        auth = self.build(adapter)
        first = self.apply(auth)
        others = [self.apply(auth, b"another body: " + self.body), self.apply(auth)]
        with later(HOUR):
            others.append(self.apply(auth))
        varies = any(other[:2] != first[:2] for other in others)
        if self.part.per_attempt:
            needed = varies or adapter.requests or isinstance(auth, Refreshable) or first[2] is not None
            assert needed, "it declares per_attempt=True, but its result never changes; leave that out"
        else:
            assert not varies, "its result depends on the body or the time; declare per_attempt=True"
            assert not adapter.requests, "it sends requests of its own; declare per_attempt=True"

    def test_blocking_is_declared(self) -> None:
        """With ``blocking=False`` the auth runs on the runner's thread, so it neither sends nor waits."""
        if self.part.blocking is not False:
            return
        self.apply(self.build(RecordedTransport(*self.answers)))  # what it imports is not counted
        adapter = RecordedTransport(*self.answers)
        with watched((*NETWORK, *WAITING)) as called:
            self._tried(lambda: self.apply(self.build(adapter)))
        assert not called, f"it declares blocking=False, but calls {called[0]}"
        assert not adapter.requests, "it declares blocking=False, but sends a request of its own"

    def test_it_sends_only_through_the_adapter(self) -> None:
        """Only ``context.adapter`` enforces the rules about addresses, certificates and sizes."""
        with watched(NETWORK) as called:
            self._tried(lambda: self.apply(self.build(RecordedTransport(*self.answers))))
        assert not called, f"it calls {called[0]} instead of sending through context.adapter"

    def test_its_requests_have_the_deadline(self) -> None:
        """Each request of its own has ``timeout=context.timeout``, or less."""
        adapter = RecordedTransport(*self.answers)
        self.apply(self.build(adapter))
        for timeout in adapter.timeouts:
            is_number = isinstance(timeout, int | float)
            assert is_number, f"it sends a request with timeout={timeout!r}; pass timeout=context.timeout"
            assert timeout <= self.timeout, f"it sends a request with {timeout} s, but the deadline is {self.timeout} s"

    def test_secrets_are_not_shown(self) -> None:
        """Neither the auth's text nor the error of a failed request contains a secret; errors are hookctl's."""
        auth = self.build(RecordedTransport(*self.answers))
        assert not self._leaked(repr(auth) + str(auth)), f"the text of the auth shows a secret: {type(auth).__name__}"
        for answer in FAILING:
            adapter = RecordedTransport(answer)
            error = self._tried(lambda adapter=adapter: self.apply(self.build(adapter)))  # type: ignore[misc]
            if error is None:
                continue
            assert isinstance(error, HookctlError), (
                f"it raises {type(error).__name__} when its request fails; raise TokenError or another HookctlError"
            )
            assert not self._leaked(f"{error} {error.message} {error.hint}"), (
                f"the {type(error).__name__} contains a secret; mask a server's text with mask_secrets"
            )

    def test_unusable_secrets_are_refused(self) -> None:
        """A secret that cannot be used is a SecretError, which does not contain it."""
        if not self.secrets:
            return
        for text in (f"{SECRET_TEXT}\nX-Injected: 1", f"{SECRET_TEXT} \u00e9\u20ac", ""):
            settings = at_secrets(self.part.schema, self.settings, lambda _, text=text: Secret(text))  # type: ignore[misc]
            error = self._tried(lambda settings=settings: self.apply(self.build_with(settings)))  # type: ignore[misc]
            if error is None:
                continue
            assert isinstance(error, HookctlError), (
                f"it raises {type(error).__name__} for a secret that it cannot use; raise SecretError"
            )
            assert SECRET_TEXT not in f"{error} {error.hint}", "the error about a secret contains the secret"

    def test_threads_may_share_it(self) -> None:
        """Several threads call one auth at the same time, each with its own request."""
        auth = self.build(RecordedTransport(*self.answers))
        bodies = [b'{"n": %d}' % number for number in range(THREADS)]
        for _ in range(5):
            alone = [self.apply(auth, body) for body in bodies]
            together = at_once([partial(self.apply, auth, body) for body in bodies])
            assert [sorted(one[0]) for one in together] == [sorted(one[0]) for one in alone], (
                "it sets other headers when several threads call it at the same time"
            )
            is_stable = alone == [self.apply(auth, body) for body in bodies]  # not if a second passed meanwhile
            assert not is_stable or together == alone, (
                "threads that call it at the same time get the results of others; keep nothing of a request in it"
            )

    def test_refresh_takes_the_request_that_was_sent(self) -> None:
        """``refresh`` forgets the token of that request, so the next call asks for another."""
        adapter = RecordedTransport(*self.answers)
        auth = self.build(adapter)
        if not isinstance(auth, Refreshable):
            return
        sent = auth(self.request())
        asked = len(adapter.requests)
        auth.refresh(Request(self.method, self.url, tuple(sent.headers.items()), self.body))
        auth(self.request())
        assert not asked or len(adapter.requests) > asked, "after refresh, it still uses the token that was refused"

    def _leaked(self, text: str) -> bool:
        """Whether a secret is in a text, as it is or escaped. Shorter ones than four characters are in any text."""
        return any(
            form in text for secret in self.secrets if len(secret) >= 4 for form in (secret, json.dumps(secret)[1:-1])
        )

    @staticmethod
    def _tried(call: Callable[[], object]) -> Exception | None:
        """What a call raises; None if it returns."""
        try:
            call()
        except Exception as error:  # noqa: BLE001  # the tests look at whatever it is
            return error
        return None


def _agree(name: str, declared: Mapping[str, str], real: Mapping[str, str]) -> None:
    """Raises AssertionError if ``name`` declares something else than what the auth adds."""
    assert declared.keys() == real.keys(), f"{name} declares {sorted(declared)}, but the auth sets {sorted(real)}"
    for key, value in declared.items():
        pattern = ".*".join(map(re.escape, mask(value).split("***")))
        assert re.fullmatch(pattern, real[key], re.DOTALL), f"{name} declares {key}: {value}, but it is another"
