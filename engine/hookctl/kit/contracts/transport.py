"""The contract of a transport."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import requests
from requests.adapters import BaseAdapter

from hookctl.errors import TransportError
from hookctl.kit.contracts.conduct import THREADS, at_once
from hookctl.kit.contracts.part import ConfiguredContract
from hookctl.model import MAX_RESPONSE_BYTES, Problem, Request, Response
from hookctl.network import Network, check_url
from hookctl.plugin import ConcurrentTransport
from hookctl.plugin.responses import from_requests
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

EXPECTED = (TransportError, requests.RequestException)
"""What ``send`` may raise."""
NO_URLS = ("", " ", "\x00", "://", "https://[", "a" * 10_000, "\u00e9", "https://a.example/\nb")
"""Texts that no transport can send to, which a webhook file could contain."""
SHORT = 0.3
"""A deadline in seconds that a target which does not answer exceeds."""


class TransportContract(ConfiguredContract):
    """The tests of a transport type. Set ``name`` and, if it has any, ``settings``.

    A transport that sends HTTPS is tested with the receiver of the kit. For any other, set ``is_https`` to False and
    ``url`` to a target that exists; start the target in an autouse fixture of your class.
    """

    hook = "hookctl_transport_types"
    what = "transport"
    url: ClassVar[str] = "https://siem.example.com/ingest"
    is_https: ClassVar[bool] = True
    """Whether it sends HTTPS requests, through a Network; the receiver then tests more."""
    refused_urls: ClassVar[Sequence[str]] = ()
    """URLs that its ``check_url`` must reject."""

    def network(self, receiver: Receiver) -> Network:
        """The network that the transport is built with."""
        return receiver.network()

    def build(self, receiver: Receiver) -> BaseAdapter:
        """The transport with the settings of this suite."""
        adapter: BaseAdapter = self.part.build(self.resolved, self.network(receiver))
        return adapter

    def build_with(self, settings: Mapping[str, Any]) -> BaseAdapter:
        """The transport with other settings."""
        adapter: BaseAdapter = self.part.build(settings, Network())
        adapter.close()
        return adapter

    def request(self, body: bytes = b'{"n": 1}') -> requests.PreparedRequest:
        """A request as hookctl makes it."""
        request = requests.PreparedRequest()
        request.method, request.url, request.body = "POST", self.url, body
        request.headers = requests.structures.CaseInsensitiveDict({"Content-Type": "application/json"})
        return request

    def send(self, adapter: BaseAdapter, timeout: float = 10.0, body: bytes = b'{"n": 1}') -> Response:
        """What the target answers."""
        return from_requests(adapter.send(self.request(body), timeout=timeout))

    def test_it_sends(self, hookctl_receiver: Receiver) -> None:
        """A request arrives, and its answer has a status of HTTP."""
        adapter = self.build(hookctl_receiver)
        response = self.send(adapter)
        adapter.close()
        assert 200 <= response.status < 300, f"the target answers with the status {response.status}"
        if self.is_https:
            assert [request.body for request in hookctl_receiver.requests] == [b'{"n": 1}'], "the body arrives changed"

    def test_it_can_be_closed(self, hookctl_receiver: Receiver) -> None:
        """``close`` works without a request, and twice."""
        adapter = self.build(hookctl_receiver)
        adapter.close()
        adapter.close()

    def test_check_url_accepts_its_urls(self) -> None:
        """``check_url`` has no problem with the URL of this suite, and returns Problems about those it refuses."""
        check = self.part.check_url or check_url
        assert not list(check(self.url)), f"check_url rejects {self.url}: {list(check(self.url))}"
        for url in (*NO_URLS, *self.refused_urls):
            try:
                problems = list(check(url))
            except Exception as error:  # whatever it is, `validate` reports a failure of the plugin
                raise AssertionError(f"check_url raises {error!r} for {url[:40]!r}; return a Problem") from error
            assert problems, f"check_url accepts {url[:40]!r}"
            assert all(isinstance(one, Problem) for one in problems), f"check_url returns {problems!r}, not Problems"

    def test_secrets_are_not_shown(self, hookctl_receiver: Receiver) -> None:
        """The text of the transport contains no secret of its settings."""
        adapter = self.build(hookctl_receiver)
        shown = repr(adapter) + str(adapter)
        adapter.close()
        assert not [secret for secret in self.secrets if secret in shown], "the text of the adapter shows a secret"

    def test_threads_may_share_it(self, hookctl_receiver: Receiver) -> None:
        """Several threads send at the same time, and each gets the answer to its own request."""
        adapter = self.build(hookctl_receiver)
        if self.is_https:
            hookctl_receiver.default = Answer(body=b"")
            hookctl_receiver.answer("/ingest", lambda request: Answer(body=request.body))
        bodies = [b'{"n": %d}' % number for number in range(THREADS)]
        answers = at_once([partial(self.send, adapter, body=body) for body in bodies])
        adapter.close()
        assert {200 <= answer.status < 300 for answer in answers} == {True}, "a request of several threads fails"
        if self.is_https:
            assert [answer.body for answer in answers] == bodies, "a thread gets the answer to another's request"

    def test_the_deadline_is_total(self, hookctl_receiver: Receiver) -> None:
        """``timeout`` ends a request whose target does not answer, or answers without end."""
        if not self.is_https:
            return
        for behavior in (Misbehavior.NO_ANSWER, Misbehavior.TRICKLE_HEADERS, Misbehavior.TRICKLE_BODY):
            hookctl_receiver.answer("/ingest", Answer(misbehave=behavior))
            self._fails(hookctl_receiver, timeout=SHORT, when=f"the target behaves as {behavior.value}")

    def test_a_broken_answer_is_an_error(self, hookctl_receiver: Receiver) -> None:
        """A connection that ends, and an answer that is not HTTP, raise a TransportError or an error of requests."""
        if not self.is_https:
            return
        for behavior in (Misbehavior.CLOSE, Misbehavior.RESET, Misbehavior.NOT_HTTP, Misbehavior.CUT_HEADERS):
            hookctl_receiver.answer("/ingest", Answer(misbehave=behavior))
            self._fails(hookctl_receiver, when=f"the target behaves as {behavior.value}")

    def test_statuses_and_redirects_are_answers(self, hookctl_receiver: Receiver) -> None:
        """``send`` raises for no status, and follows no redirect."""
        if not self.is_https:
            return
        adapter = self.build(hookctl_receiver)
        for status in (200, 204, 302, 404, 500):
            hookctl_receiver.reset()
            hookctl_receiver.answer(
                "/ingest", Answer(status, headers=(("Location", f"https://{hookctl_receiver.host}/other"),))
            )
            response = self.send(adapter)
            assert response.status == status, f"a status of {status} arrives as {response.status}"
            assert hookctl_receiver.count == 1, f"it sends {hookctl_receiver.count} requests after a status of {status}"
        adapter.close()

    def test_long_answers_are_cut(self, hookctl_receiver: Receiver) -> None:
        """Of an answer without end, it reads up to the limit."""
        if not self.is_https:
            return
        hookctl_receiver.answer("/ingest", Answer(body=b"x" * (MAX_RESPONSE_BYTES + 1)))
        adapter = self.build(hookctl_receiver)
        response = self.send(adapter)
        adapter.close()
        assert (len(response.body), response.truncated) == (MAX_RESPONSE_BYTES, True), (
            f"it reads {len(response.body):,} bytes; the limit is {MAX_RESPONSE_BYTES:,}"
        )

    def test_it_asks_the_network(self, hookctl_receiver: Receiver) -> None:
        """It connects only where the Network allows, and trusts only whom the Network trusts."""
        if not self.is_https:
            return
        untrusted = Network(connect_to=hookctl_receiver.connect_to)
        forbidden = Network(connect_to={"other.example.com": (hookctl_receiver.address, hookctl_receiver.port)})
        for network, what in ((untrusted, "a certificate that nothing vouches for"), (forbidden, "a private address")):
            adapter = self.part.build(self.resolved, network)
            request = self.request()
            if network is forbidden:
                request.url = f"https://{hookctl_receiver.address}:{hookctl_receiver.port}/ingest"
            try:
                adapter.send(request, timeout=5.0)
            except EXPECTED:
                continue
            finally:
                adapter.close()
            raise AssertionError(f"it sends to a target with {what}; use the Network that build gets")

    def test_many_requests_of_one_thread(self, hookctl_receiver: Receiver) -> None:
        """A ConcurrentTransport completes each ticket once, and none that was cancelled."""
        adapter: Any = self.build(hookctl_receiver)
        if not isinstance(adapter, ConcurrentTransport):
            adapter.close()
            return
        request = Request("POST", self.url, (("Content-Type", "application/json"),), b"{}")
        for ticket in range(3):
            adapter.submit(ticket, request, 10.0)
        adapter.cancel(2)
        adapter.wake()
        completed: list[int] = []
        until = time.monotonic() + 20
        while len(completed) < 2 and time.monotonic() < until:
            completed += [one.ticket for one in adapter.poll(1.0)]
        adapter.close()
        assert sorted(completed) == [0, 1], f"of the tickets 0 and 1 and the cancelled 2, it completes {completed}"

    def _fails(self, receiver: Receiver, *, when: str, timeout: float = 10.0) -> None:
        """Send one request, which must fail in an expected way, on a thread: it may never return."""
        adapter = self.build(receiver)

        def send() -> str:
            try:
                response = self.send(adapter, timeout)
            except EXPECTED:
                return ""
            except Exception as error:  # noqa: BLE001  # whatever it is, the attempt would be a failure of the plugin
                return f"it raises {error!r} when {when}; raise a TransportError"
            return f"it returns {response.status} when {when}"

        (problem,) = at_once([send])
        adapter.close()
        assert not problem, problem
