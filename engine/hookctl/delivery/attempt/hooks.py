"""Auth plugins with response hooks: challenge and response schemes such as Digest, NTLM and Kerberos.

They register a response hook on the ``PreparedRequest`` and send again through ``response.connection``. That blocks, so
it runs in the webhook's lane. Their requests go through the adapter of auth plugins, guarded like every request.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from hookctl.delivery.attempt.authenticate import Auth, Authenticated, apply_auth, compare, prepared_request
from hookctl.delivery.attempt.failures import AttemptFailedError, failure_of
from hookctl.model import Request, Response, Timing
from hookctl.plugin.answers import response as checked_response
from hookctl.plugin.client_certificates import client_certificate
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import runs_no_code
from hookctl.plugin.responses import failure_from, from_requests, to_requests

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter


@dataclass(frozen=True, slots=True)
class Answer:
    """The last request and its response."""

    sent: Authenticated
    response: Response
    timing: Timing


def answer_hooks(
    unsigned: Request,
    auths: Iterable[Auth],
    response: Response,
    timing: Timing,
    *,
    adapter: BaseAdapter,
    timeout: float,
) -> Answer:
    """Show ``response`` to the auths, which may send again, with ``timeout`` seconds each time.

    Blocks. Raises AttemptFailedError.

    The auths are called again first, on this thread: some keep what they know per thread.
    """
    started = time.monotonic()
    prepared = prepared_request(unsigned)
    who = "auth"
    for auth in auths:
        hooks = len(prepared.hooks["response"])
        prepared = apply_auth(prepared, auth)
        who = auth.who if len(prepared.hooks["response"]) > hooks else who
    answer = to_requests(response, timing, prepared, adapter)
    answer.raw = _empty_stream(response)
    arguments: dict[str, object] = {"timeout": timeout}
    if certificate := client_certificate(prepared):
        arguments["cert"] = certificate  # requests passes it to hooks in the same way
    try:
        for hook in list(prepared.hooks["response"]):
            answer = hook(answer, **arguments) or answer
        sent = compare(unsigned, answer.request)
        return Answer(
            sent, checked_response(from_requests(answer)), Timing(total=timing.total + time.monotonic() - started)
        )
    except BaseException as error:  # any exception of third-party code must become a failure
        if is_interrupt(error):
            raise
        failure = None
        if runs_no_code(error) and isinstance(error, Exception) and not isinstance(error, AttemptFailedError):
            failure = failure_from(error)
        raise AttemptFailedError(failure or failure_of(error, f"{who}: its response hook")) from error


def _empty_stream(response: Response) -> object:
    """A body that was read already: hooks release its connection, and look for cookies in it."""
    from urllib3 import HTTPResponse

    return HTTPResponse(BytesIO(), status=response.status, preload_content=False)
