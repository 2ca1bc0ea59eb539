"""What stores keep as text: events, delivery plans and attempts; bodies in base64 where they are not UTF-8."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec.structs import asdict, replace

from hookctl.errors import StoreError
from hookctl.model import (
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Failure,
    FailureKind,
    Json,
    Mismatch,
    Request,
    Response,
    Timing,
    Verdict,
    known_cause,
)

MAX_NUMBER = 1_000_000
"""Attempts on one delivery, far more than a schedule has."""
Seconds = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
STATUS = {status.value: status for status in DeliveryStatus}
Headers = tuple[tuple[str, str], ...]


def to_text(document: Any) -> str:
    """JSON in one line, as it is stored. In ASCII if it contains half a surrogate pair, which UTF-8 cannot encode.

    There must be no infinite number in it. Raises TypeError, ValueError or RecursionError for what JSON cannot hold.
    """
    try:
        return msgspec.json.encode(document).decode()
    except UnicodeEncodeError:
        return _ascii(document)


def document_from_text(text: str) -> Mapping[str, Json]:
    """The document that :func:`to_text` wrote. Raises ValueError on anything else, whatever its type."""
    if not isinstance(text, str):
        raise ValueError("not text")  # noqa: TRY004  # one error for all that a damaged row may hold
    try:
        document: Mapping[str, Json] = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        try:
            document = json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # as above
    return document


def document_or_none(text: str) -> Mapping[str, Json] | None:
    """The event that is stored as this text; None where it is damaged."""
    try:
        return document_from_text(text)
    except ValueError:
        return None


def plan_from_text(text: str) -> DeliveryPlan:
    """A delivery plan that is kept. Raises StoreError when this hookctl cannot read it."""
    try:
        return DeliveryPlan.from_json(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise StoreError(
            f"a stored delivery plan cannot be read: {why}",
            hint="It was written by another version of hookctl.",
        ) from error


def attempt_to_text(attempt: Attempt) -> str:
    """The attempt as one line of JSON. What :func:`attempt_from_text` reads."""
    if all(verdict.passed for verdict in attempt.verdicts):
        return to_text(_document(attempt))
    try:
        return _ascii(_document(attempt))  # a mismatch may hold an infinite number
    except (
        TypeError,
        ValueError,
        RecursionError,
    ):  # a validator's mismatch holds what JSON cannot; the attempt must be recorded nevertheless
        verdicts = (
            Verdict(verdict.validator, tuple(replace(one, expected=None, got=None) for one in verdict.mismatches))
            for verdict in attempt.verdicts
        )
        return _ascii(_document(replace(attempt, verdicts=tuple(verdicts))))


def _document(attempt: Attempt) -> dict[str, Any]:
    request, response = attempt.request, attempt.response
    return {
        "plan_digest": attempt.plan_digest,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "request": request
        and {"method": request.method, "url": request.url, "headers": request.headers, "body": _body(request.body)},
        "response": response
        and {
            "status": response.status,
            "reason": response.reason,
            "headers": response.headers,
            "body": _body(response.body),
            "truncated": response.truncated,
            "framed": response.framed,
        },
        "failure": attempt.failure,
        "timing": attempt.timing,
        "verdicts": attempt.verdicts,
    }


def _fields_of(record: object) -> dict[str, Any]:
    if not isinstance(record, Failure | Timing | Verdict | Mismatch):
        raise TypeError(f"JSON holds no {type(record).__name__}")
    return asdict(record)


_ascii = json.JSONEncoder(separators=(",", ":"), default=_fields_of).encode


def attempt_from_text(text: str) -> Attempt:
    """The attempt that :func:`attempt_to_text` wrote.

    Raises KeyError, TypeError, ValueError or RecursionError for anything else.
    """
    document = json.loads(text)
    request, response, failure = document["request"], document["response"], document["failure"]
    attempt = Attempt(
        plan_digest=document["plan_digest"],
        number=document["number"],
        started_at=document["started_at"],
        request=Request(**_fields(request)) if request else None,
        response=Response(**_fields(response)) if response else None,
        failure=_failure(failure) if failure else None,
        timing=Timing(**document["timing"]),
        verdicts=tuple(
            Verdict(verdict["validator"], tuple(Mismatch(**mismatch) for mismatch in verdict["mismatches"]))
            for verdict in document["verdicts"]
        ),
    )
    _check_types(attempt)
    return attempt


def _failure(failure: dict[str, Any]) -> Failure:
    # Records of earlier versions have no cause.
    return Failure(FailureKind(failure["kind"]), failure["message"], known_cause(failure.get("cause")))


def _check_types(attempt: Attempt) -> None:
    """Raise ValueError unless each field has its type: a struct accepts any value, and reports rely on the types."""
    request, response = attempt.request, attempt.response
    verdicts = [
        (verdict.validator, [(one.validator, one.message, one.path) for one in verdict.mismatches])
        for verdict in attempt.verdicts
    ]
    msgspec.convert(attempt.plan_digest, str)
    msgspec.convert(attempt.number, Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)])
    msgspec.convert(attempt.started_at, Seconds)
    if request:
        msgspec.convert(
            (request.method, request.url, request.headers, request.body), tuple[str, str, Headers, bytes | None]
        )
    if response:
        said = (response.status, response.reason, response.headers, response.body, response.truncated, response.framed)
        msgspec.convert(said, tuple[int, str, Headers, bytes, bool, bool])
    if attempt.failure:
        msgspec.convert(attempt.failure.message, str)
    msgspec.convert([*asdict(attempt.timing).values()], list[Seconds | None])
    msgspec.convert(verdicts, list[tuple[str, list[tuple[str, str, str]]]])


def _body(body: bytes | None) -> str | dict[str, str] | None:
    if body is None:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _fields(message: dict[str, Any]) -> dict[str, Any]:
    body = message["body"]
    if isinstance(body, dict):
        body = b64decode(body["base64"])
    elif isinstance(body, str):
        body = body.encode()
    return message | {"headers": tuple((name, value) for name, value in message["headers"]), "body": body}
