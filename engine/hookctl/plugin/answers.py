"""Checks and copies what third-party transports return: responses, failures and timings.

Functions raise BrokenContractError for unusable values.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from hookctl.model import MAX_RESPONSE_BYTES, Failure, FailureKind, Response, Timing, known_cause
from hookctl.plugin import given
from hookctl.plugin.contain import BrokenContractError
from hookctl.plugin.interfaces import Completion

FIRST_STATUS, LAST_STATUS = 100, 999


def completions(ended: Any) -> tuple[Completion, ...]:
    """The requests of a concurrent transport that have ended."""
    return tuple(
        Completion(given.whole(one.ticket), _result(one.result), timing(one.timing))
        for one in given.instances(ended, Completion)
    )


def _result(value: object) -> Response | Failure:
    if isinstance(value, Failure):
        is_known = type(value.kind) is FailureKind
        return Failure(
            value.kind if is_known else FailureKind.TRANSPORT, given.line(value.message), known_cause(value.cause)
        )
    if not isinstance(value, Response):
        raise BrokenContractError(f"a completion with {given.kind(value)}, not a Response or a Failure")
    return response(value)


def response(answered: Response) -> Response:
    """A response of a transport, with fields of the right types."""
    status = given.whole(answered.status)
    if not FIRST_STATUS <= status <= LAST_STATUS:
        raise BrokenContractError(f"the status {status}, which HTTP does not have")
    if type(answered.body) is not bytes:
        raise BrokenContractError(f"a response whose body is {given.kind(answered.body)}, not bytes")
    if not isinstance(answered.headers, tuple | list):
        raise BrokenContractError(f"a response whose headers are {given.kind(answered.headers)}, not pairs")
    pairs = tuple((given.line(name), given.text(value)) for name, value in islice(answered.headers, given.MAX_HEADERS))
    cut = len(answered.body) > MAX_RESPONSE_BYTES
    body = answered.body[:MAX_RESPONSE_BYTES]
    return Response(
        status, given.line(answered.reason), pairs, body, cut or bool(answered.truncated), bool(answered.framed)
    )


def timing(value: object) -> Timing:
    """The timing of a request."""
    if not isinstance(value, Timing):
        raise BrokenContractError(f"a completion with {given.kind(value)}, not a Timing")
    phases = [
        None if phase is None else _seconds(phase)
        for phase in (value.resolved, value.connected, value.tls, value.first_byte)
    ]
    return Timing(phases[0], phases[1], phases[2], phases[3], _seconds(value.total))


def _seconds(value: object) -> float:
    if (type(value) is not float and type(value) is not int) or not 0 <= value < float("inf"):
        raise BrokenContractError("a time that is not a number of seconds")
    return float(value)
