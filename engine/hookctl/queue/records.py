"""Attempts as JSON, as they are stored: bodies as text where they are UTF-8, in base64 where they are not."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

from hookctl.model import Attempt, Failure, FailureKind, Mismatch, Request, Response, Timing, Verdict

to_text = json.JSONEncoder(separators=(",", ":")).encode
"""JSON in one line, as it is stored: all ASCII, since half a surrogate pair has no other form on disk."""


def attempt_to_text(attempt: Attempt) -> str:
    """The attempt as one line of JSON. What :func:`attempt_from_text` reads."""
    try:
        return to_text(_document(attempt))
    except (TypeError, ValueError, RecursionError):  # a validator's mismatch holds what JSON cannot; the attempt must be recorded nevertheless
        verdicts = (Verdict(verdict.validator, tuple(replace(one, expected=None, got=None) for one in verdict.mismatches)) for verdict in attempt.verdicts)
        return to_text(_document(replace(attempt, verdicts=tuple(verdicts))))


def _document(attempt: Attempt) -> dict[str, Any]:
    return {
        "plan_digest": attempt.plan_digest,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "request": _message(attempt.request),
        "response": _message(attempt.response),
        "failure": _plain(attempt.failure) if attempt.failure else None,
        "timing": _plain(attempt.timing),
        "verdicts": [{"validator": verdict.validator, "mismatches": [_plain(one) for one in verdict.mismatches]} for verdict in attempt.verdicts],
    }


def attempt_from_text(text: str) -> Attempt:
    """The attempt that :func:`attempt_to_text` wrote. Raises KeyError, TypeError or ValueError on anything else."""
    document = json.loads(text)
    request, response, failure = document["request"], document["response"], document["failure"]
    return Attempt(
        plan_digest=document["plan_digest"],
        number=document["number"],
        started_at=document["started_at"],
        request=Request(**_fields(request)) if request else None,
        response=Response(**_fields(response)) if response else None,
        failure=Failure(FailureKind(failure["kind"]), failure["message"]) if failure else None,
        timing=Timing(**document["timing"]),
        verdicts=tuple(Verdict(verdict["validator"], tuple(Mismatch(**mismatch) for mismatch in verdict["mismatches"])) for verdict in document["verdicts"]),
    )


def _message(message: Request | Response | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return _plain(message) | {"body": _body(message.body)}


def _plain(record: Request | Response | Failure | Timing | Mismatch) -> dict[str, Any]:
    """The fields as they are: unlike ``dataclasses.asdict`` without a copy of each value."""
    return {name: getattr(record, name) for name in record.__slots__}


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
