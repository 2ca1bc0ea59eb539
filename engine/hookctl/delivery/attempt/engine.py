"""The attempt engine: makes many attempts at the same time from one thread.

The stages of an attempt: prepare (once per delivery plan), render, authenticate, send, validate, mask. Work that may
block (secret sources, token requests, all code of third-party plugins) runs in lanes on threads; everything else runs
on the thread that calls :meth:`AttemptEngine.poll`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from hookctl.delivery.attempt.authenticate import Authenticated, authenticate, authenticate_afresh
from hookctl.delivery.attempt.envelope import Judgement, judge
from hookctl.delivery.attempt.exchange import Exchange, Finished, Job
from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to, failure_of
from hookctl.delivery.attempt.hooks import Answer, answer_hooks
from hookctl.delivery.attempt.openings import Openings
from hookctl.delivery.attempt.overdue import failure_of_overdue
from hookctl.delivery.attempt.preparations import Preparations
from hookctl.delivery.attempt.prepare import default_transport
from hookctl.delivery.attempt.prepared import Prepared
from hookctl.delivery.attempt.record import Sent, is_to_judge, record
from hookctl.delivery.attempt.threads import Call, Lanes
from hookctl.delivery.attempt.transports import Transports
from hookctl.model import CLIENT_CERTIFICATE_REFUSED, Failure, FailureKind, Request, Response, Timing
from hookctl.network import Network
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import Completion

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from hookctl.delivery.attempt.auth_adapter import AuthAdapter

GRACE = 1.0
"""Seconds after a deadline at which the engine abandons a transport or an auth."""
WATCH = 0.25
"""Seconds between two searches for attempts to abandon."""
UNAUTHORIZED, FORBIDDEN = 401, 403

T = TypeVar("T")

__all__ = ["AttemptEngine", "Finished", "Job"]


class AttemptEngine:
    """Makes attempts, all started ones at the same time. All methods except :meth:`wake` belong to one thread."""

    def __init__(
        self,
        plugins: Plugins,
        network: Network,
        user_agent: str,
        clock: Callable[[], float] = time.time,
        auth_adapter: BaseAdapter | None = None,
    ) -> None:
        """Set up the engine; it opens nothing yet.

        ``user_agent`` is sent with every request. ``clock`` returns epoch seconds. Auth plugins send with
        ``auth_adapter``; None: their requests are sent along with those of deliveries.
        """
        self._plugins = plugins
        self._clock = clock
        self._tickets = count(1)
        self._exchanges: dict[int, Exchange] = {}
        self._finished: list[Finished] = []
        self._transports = Transports(network)
        self._lanes = Lanes(self._transports.wake)
        self._openings = Openings(self._transports, self._lanes)
        self._preparations = Preparations(
            plugins, user_agent, self._lanes, prepared=self._make_request, failed=self._fail
        )
        self._given_adapter = auth_adapter
        self._auth_adapter: AuthAdapter | None = None
        self._next_watch = 0.0

    @property
    def in_flight(self) -> int:
        """The number of attempts that were started and not yet returned by :meth:`poll`."""
        return len(self._exchanges) + len(self._finished)

    def start(self, job: Job) -> None:
        """Start an attempt. Never blocks. If anything fails, :meth:`poll` returns a failed attempt."""
        now = time.monotonic()
        exchange = Exchange(job, next(self._tickets), self._clock(), now, now, job.plan.timeout_seconds)
        self._exchanges[exchange.ticket] = exchange
        prepared = self._preparations.find(job.plan)
        if prepared is not None:
            self._make_request(exchange, prepared)
            return
        try:
            self._preparations.prepare(exchange, self._adapter() if job.plan.auth else None)
        except AttemptFailedError as error:
            self._fail(exchange, error.failure)

    def poll(self, wait: float) -> list[Finished]:
        """The attempts that have finished since the last call.

        Waits up to ``wait`` seconds for progress; may return earlier with nothing.
        """
        if self._auth_adapter is not None:
            self._auth_adapter.send_asked(self._send_for_auth)
        if self._finished or self._lanes.finish():
            wait = 0
        if self._exchanges:
            for completion in self._transports.poll(min(wait, WATCH)):
                self._completed(completion)
            self._lanes.finish()
            self._give_up_overdue()
        elif not self._finished:
            for completion in self._transports.poll(wait):
                self._completed(completion)
        finished, self._finished = self._finished, []
        return finished

    def forget(self, webhook: str) -> None:
        """Prepare a webhook again for its next attempt, so that its secrets are read again."""
        self._preparations.forget(webhook)

    def wake(self) -> None:
        """Make the current or next :meth:`poll` return soon. Any thread may call it."""
        self._transports.wake()

    def close(self) -> None:
        """Abandon all attempts in flight, and close every connection and thread."""
        self._exchanges.clear()
        self._transports.close()
        if self._auth_adapter is not None:
            self._auth_adapter.close()
        self._lanes.close()

    # -- auth ------------------------------------------------------------------------------------------------------

    def _adapter(self) -> BaseAdapter:
        """The adapter that auth plugins send with."""
        if self._given_adapter is not None:
            return self._given_adapter
        if self._auth_adapter is None:
            with attributed_to("auth"):  # the import fails when no file descriptor is left
                from hookctl.delivery.attempt.auth_adapter import AuthAdapter
            self._auth_adapter = AuthAdapter(self._transports.wake)
        return self._auth_adapter

    def _send_for_auth(self, request: Request, timeout: float) -> int:
        ticket = next(self._tickets)
        self._transports.submit(default_transport(self._plugins), ticket, request, timeout, request.url)
        return ticket

    # -- request -----------------------------------------------------------------------------------------------------

    def _make_request(self, exchange: Exchange, prepared: Prepared) -> None:
        if exchange.ticket not in self._exchanges:
            return  # abandoned while its plan was prepared
        exchange.prepared = prepared
        if prepared.blocking:
            exchange.enter(FailureKind.TOKEN, exchange.job.plan.timeout_seconds)
            function = partial(self._signed, exchange, prepared)
            self._in_lane(exchange, "auth", function, partial(self._send, exchange))
            return
        try:
            self._send(exchange, self._signed(exchange, prepared))
        except (AttemptFailedError, MemoryError) as error:
            self._fail(exchange, failure_of(error, "hookctl"))

    @staticmethod
    def _signed(exchange: Exchange, prepared: Prepared) -> Authenticated:
        """The request, with auth. Blocks if ``prepared`` says so."""
        exchange.unsigned = prepared.make_request(exchange.job, exchange.started_at)
        request = exchange.unsigned.request
        return authenticate(request, prepared.auths) if prepared.auths else Authenticated(request)

    def _in_lane(self, exchange: Exchange, who: str, function: Callable[[], T], done: Callable[[T], None]) -> None:
        """Pass the result of ``function`` to ``done``, unless the attempt ends earlier."""

        def call() -> tuple[T] | None:
            return (function(),) if exchange.ticket in self._exchanges else None

        def pass_on(result: tuple[T] | None) -> None:
            if result is not None:
                done(result[0])

        def failed(error: AttemptFailedError) -> None:
            self._fail(exchange, error.failure)

        self._lanes.run(exchange.job.plan.digest, Call(who, call, pass_on, failed))

    def _send(self, exchange: Exchange, authenticated: Authenticated) -> None:
        if exchange.ticket not in self._exchanges or exchange.prepared is None:
            return  # abandoned while it waited for auth
        left = exchange.job.plan.timeout_seconds - exchange.spent
        exchange.replace_sent(authenticated)
        exchange.enter(FailureKind.TIMEOUT, left)
        if exchange.prepared.opens_apart and not self._transports.has(exchange.prepared.transport):
            self._openings.open(
                exchange.prepared.transport, partial(self._submit, exchange, authenticated.request, left)
            )
        else:
            self._submit(exchange, authenticated.request, left)

    def _submit(self, exchange: Exchange, request: Request, left: float, failure: Failure | None = None) -> None:
        """Start sending, with ``left`` seconds. ``failure`` is the reason why the transport is not open, if any."""
        if exchange.ticket not in self._exchanges or exchange.prepared is None:
            return  # abandoned while the transport was opened
        if failure is not None:
            self._fail(exchange, failure)
            return
        try:
            transport, sharer = exchange.prepared.transport, exchange.job.plan.name
            self._transports.submit(transport, exchange.ticket, request, left, sharer)
        except AttemptFailedError as error:
            self._fail(exchange, error.failure)

    # -- result ------------------------------------------------------------------------------------------------------

    def _completed(self, completion: Completion) -> None:
        exchange = self._exchanges.get(completion.ticket)
        if exchange is None:
            if self._auth_adapter is not None:
                self._auth_adapter.answered(completion)
            return
        result, timing = completion.result, completion.timing
        has_auth = exchange.prepared is not None and exchange.prepared.auths
        if (
            has_auth
            and isinstance(result, Response)
            and (self._answer_hooks(exchange, result, timing) or self._refresh(exchange, result, timing))
        ):
            return
        self._judge(exchange, result, timing)

    def _answer_hooks(self, exchange: Exchange, response: Response, timing: Timing) -> bool:
        """Show the response to the auths that asked for it; False if none did."""
        prepared, unsigned = exchange.prepared, exchange.unsigned
        if prepared is None or unsigned is None or exchange.sent is None or not exchange.sent.hooked:
            return False
        left = exchange.job.plan.timeout_seconds - timing.total
        exchange.enter(FailureKind.TOKEN, left)

        def done(answer: Answer) -> None:
            exchange.replace_sent(answer.sent)
            self._judge(exchange, answer.response, answer.timing)

        timeout, adapter = max(left, 0.001), self._adapter()
        function = partial(
            answer_hooks, unsigned.request, prepared.auths, response, timing, adapter=adapter, timeout=timeout
        )
        self._in_lane(exchange, "auth", function, done)
        return True

    def _refresh(self, exchange: Exchange, response: Response, timing: Timing) -> bool:
        """After a 401 or 403, get a new token once and send again. False if there is no token, or no time left."""
        prepared, unsigned, sent = exchange.prepared, exchange.unsigned, exchange.sent
        exchange.spent += timing.total
        if (
            response.status not in {UNAUTHORIZED, FORBIDDEN}
            or exchange.refreshed
            or exchange.spent >= exchange.job.plan.timeout_seconds
            or prepared is None
            or unsigned is None
            or sent is None
        ):
            return False
        if not any(auth.refreshable for auth in prepared.auths):
            return False
        exchange.refreshed = True
        exchange.enter(FailureKind.TOKEN, exchange.job.plan.timeout_seconds)
        function = partial(authenticate_afresh, unsigned.request, prepared.auths, sent.request)
        self._in_lane(exchange, "auth", function, partial(self._send, exchange))
        return True

    def _judge(self, exchange: Exchange, result: Response | Failure, timing: Timing) -> None:
        """Finish the attempt, after third-party validators have checked the response on a thread."""
        sent = self._sent(exchange)
        if (
            sent is None
            or isinstance(result, Failure)
            or not sent.prepared.judges_apart
            or not is_to_judge(result, sent)
        ):
            self._finish(exchange, result, timing)
            return
        exchange.enter(FailureKind.PLUGIN, exchange.job.plan.timeout_seconds)
        function = partial(judge, result, sent.prepared.validators)
        self._in_lane(exchange, "validators", function, lambda judged: self._finish(exchange, result, timing, judged))

    def _give_up_overdue(self) -> None:
        now = time.monotonic()
        if now < self._next_watch:
            return
        self._next_watch = now + WATCH
        for exchange in [exchange for exchange in self._exchanges.values() if self._is_overdue(exchange, now)]:
            self._transports.cancel(exchange.ticket)
            self._fail(exchange, failure_of_overdue(exchange, self._plugins))

    def _is_overdue(self, exchange: Exchange, now: float) -> bool:
        allowed = exchange.seconds + GRACE
        if now <= exchange.since + allowed:
            return False
        is_sent = exchange.stage is FailureKind.TIMEOUT
        began = self._transports.since(exchange.ticket) if is_sent else self._lanes.since(exchange.job.plan.digest)
        return began is not None and now > max(began, exchange.since) + allowed

    def _fail(self, exchange: Exchange, failure: Failure) -> None:
        self._finish(exchange, failure, Timing(total=time.monotonic() - exchange.started))

    @staticmethod
    def _sent(exchange: Exchange) -> Sent | None:
        prepared = exchange.prepared
        if prepared and exchange.unsigned and exchange.sent:
            return Sent(prepared, exchange.unsigned, exchange.sent, exchange.earlier)
        return None

    def _finish(
        self, exchange: Exchange, result: Response | Failure, timing: Timing, judged: Judgement | None = None
    ) -> None:
        """``judged``: what validators have found, if they were called already."""
        if self._exchanges.pop(exchange.ticket, None) is None:
            return
        exchange.has_ended = True
        job, prepared = exchange.job, exchange.prepared
        sent = self._sent(exchange)
        if (
            sent is None and prepared and isinstance(result, Failure)
        ):  # the failure is from auth, whose message may repeat a response
            result = prepared.redactor_for(exchange.earlier).failure(prepared.redactor.failure(result))
        digest = prepared.digest if prepared else job.plan.digest
        if prepared and _refused(result):
            self._preparations.forget_old(prepared)
        try:
            attempt = record(job, digest, exchange.started_at, sent=sent, result=result, timing=timing, judged=judged)
        except MemoryError as error:
            failure = failure_of(error, "hookctl")
            attempt = record(job, digest, exchange.started_at, sent=None, result=failure, timing=timing)
        self._finished.append(Finished(job, attempt, prepared.secrets if prepared else b""))


def _refused(result: Response | Failure) -> bool:
    """Whether the target or a token endpoint rejected the credentials."""
    if isinstance(result, Failure):
        return result.kind is FailureKind.TOKEN or result.cause == CLIENT_CERTIFICATE_REFUSED
    return result.status in {UNAUTHORIZED, FORBIDDEN}
