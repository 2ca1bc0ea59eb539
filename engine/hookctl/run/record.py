"""The record of an attempt: judged by the validators, with every secret masked."""

from __future__ import annotations

from typing import NamedTuple

from hookctl.model import Attempt, Failure, Response, Timing, Verdict
from hookctl.run.authenticate import Authenticated
from hookctl.run.envelope import judge
from hookctl.run.prepare import Prepared, Unsigned
from hookctl.run.redact import Redactor


class Sent(NamedTuple):
    """What was sent, and what made it."""

    prepared: Prepared
    unsigned: Unsigned
    """Before the auth of this attempt."""
    authenticated: Authenticated


def record(number: int, digest: str, started_at: float, *, sent: Sent | None, result: Response | Failure, timing: Timing) -> Attempt:
    """The attempt with what was sent (None where nothing could be) and what came of it.

    Validators see a response as it came, and only one whose status is a success: any other has failed by itself.
    """
    response: Response | None = None
    failure: Failure | None = None
    verdicts: list[Verdict] = []
    if isinstance(result, Failure):
        failure = _masked(result, sent) if sent else result
    elif sent is not None:
        response, failure, verdicts = _judged(result, sent)
    return Attempt(
        plan_digest=digest,
        number=number,
        started_at=started_at,
        request=sent.prepared.show(sent.unsigned, sent.authenticated) if sent else None,
        response=response,
        failure=failure,
        timing=timing,
        verdicts=tuple(verdicts),
    )


def _redactors(sent: Sent) -> list[Redactor]:
    credentials = sent.authenticated.credentials()
    return [sent.prepared.redactor, sent.prepared.redactor_for(credentials)] if credentials else [sent.prepared.redactor]


def _judged(response: Response, sent: Sent) -> tuple[Response, Failure | None, list[Verdict]]:
    validators = sent.prepared.validators
    verdicts, failure = judge(response, validators) if validators and 200 <= response.status < 300 else ([], None)
    for redactor in _redactors(sent):
        response = redactor.response(response)
        verdicts = [verdict if verdict.passed else redactor.verdict(verdict) for verdict in verdicts]
    return response, failure, verdicts


def _masked(failure: Failure, sent: Sent) -> Failure:
    message = failure.message
    for redactor in _redactors(sent):
        message = redactor.text(message)
    return Failure(failure.kind, message)
