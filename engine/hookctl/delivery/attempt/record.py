"""The record of an attempt, with the validators' verdicts, and with every secret masked."""

from __future__ import annotations

from msgspec import Struct

from hookctl.delivery.attempt.authenticate import Authenticated
from hookctl.delivery.attempt.envelope import Judged, Judgement, judge
from hookctl.delivery.attempt.exchange import Job
from hookctl.delivery.attempt.prepared import Prepared, Unsigned
from hookctl.delivery.attempt.redact import Redactor
from hookctl.model import Attempt, Failure, Response, Timing, Verdict


class Sent(Struct, frozen=True):
    """The request that was sent, and the inputs that it was made from."""

    prepared: Prepared
    unsigned: Unsigned
    """The request before the auth of this attempt."""
    authenticated: Authenticated
    earlier: frozenset[str] = frozenset()
    """Credentials of earlier requests of this attempt, such as a token that was refused."""


def record(
    job: Job,
    digest: str,
    started_at: float,
    *,
    sent: Sent | None,
    result: Response | Failure,
    timing: Timing,
    judged: Judgement | None = None,
) -> Attempt:
    """The attempt of a job, with the sent request (None if none could be made) and its result.

    ``judged`` is the result of the validators, if they were called already: see :func:`is_to_judge`. Validators see the
    response unmasked, and only if its status is a success; any other status has failed already.
    """
    response: Response | None = None
    failure: Failure | None = None
    verdicts: tuple[Verdict, ...] = ()
    if isinstance(result, Failure):
        failure = _masked(result, sent) if sent else result
    elif sent is not None:
        response, failure, verdicts = _judged(result, sent, judged)
    return Attempt(
        plan_digest=digest,
        number=job.number,
        started_at=started_at,
        request=sent.prepared.show(sent.unsigned, sent.authenticated) if sent else None,
        response=response,
        failure=failure,
        timing=timing,
        verdicts=verdicts,
        trace=job.trace,
    )


def is_to_judge(response: Response, sent: Sent) -> bool:
    """Whether the validators must be called for a response: it is a success, and not the one that passed last."""
    last, has_credentials = sent.prepared.last_passed, sent.earlier or sent.authenticated.credentials()
    is_known = not has_credentials and last.judged is not None and last.response == response
    return bool(sent.prepared.validators) and 200 <= response.status < 300 and not is_known


def _redactors(sent: Sent) -> list[Redactor]:
    credentials = sent.authenticated.credentials() | sent.earlier
    return (
        [sent.prepared.redactor, sent.prepared.redactor_for(credentials)] if credentials else [sent.prepared.redactor]
    )


def _judged(response: Response, sent: Sent, judged: Judgement | None) -> Judged:
    """The response as records show it, and the verdicts.

    A response that equals the last one that passed is not validated again.
    """
    prepared, redactors = sent.prepared, _redactors(sent)
    last = prepared.last_passed
    is_plain = len(redactors) == 1  # otherwise it may contain another credential
    if is_plain and last.judged is not None and last.response == response:
        return last.judged
    is_success = 200 <= response.status < 300
    if judged is None:
        judged = judge(response, prepared.validators) if prepared.validators and is_success else ([], None)
    verdicts, failure = judged
    shown = response
    for redactor in redactors:
        shown = redactor.response(shown)
        verdicts = [verdict if verdict.passed else redactor.verdict(verdict) for verdict in verdicts]
    result = Judged(shown, failure, tuple(verdicts))
    if is_plain and is_success and failure is None and all(verdict.passed for verdict in verdicts):
        last.response, last.judged = response, result
    return result


def _masked(failure: Failure, sent: Sent) -> Failure:
    for redactor in _redactors(sent):
        failure = redactor.failure(failure)
    return failure
