"""The record of an attempt that was sent: judged by the validators, with every secret masked."""

from __future__ import annotations

from dataclasses import replace

from hookctl.model import Attempt, Failure, Request, Response
from hookctl.run.authenticate import Authenticated
from hookctl.run.envelope import judge
from hookctl.run.failures import AttemptFailedError, blaming
from hookctl.run.prepare import Prepared
from hookctl.run.redact import Redactor


def record(attempt: Attempt, prepared: Prepared, unsigned: Request, sent: Authenticated, response: Response | None) -> Attempt:
    """``attempt`` with what was sent, and either ``response`` or the failure that it has already.

    Validators see the response as it came, and only one whose status is a success: any other has failed by itself.
    """
    attempt = replace(attempt, request=prepared.show(unsigned, sent))
    redactors = [prepared.redactor]
    if credentials := sent.credentials():
        redactors.append(prepared.redactor_for(credentials))
    if response is None:
        return replace(attempt, failure=attempt.failure and _masked_failure(attempt.failure, redactors))
    try:
        with blaming(prepared.transport.who):  # a response that is none shows itself here
            return _judged(attempt, prepared, redactors, response)
    except AttemptFailedError as error:
        return replace(attempt, failure=error.failure)


def _judged(attempt: Attempt, prepared: Prepared, redactors: list[Redactor], response: Response) -> Attempt:
    succeeded = 200 <= response.status < 300
    verdicts, failure = judge(response, prepared.validators) if succeeded and prepared.validators else ([], None)
    for redactor in redactors:
        response = redactor.response(response)
        verdicts = [redactor.verdict(verdict) for verdict in verdicts]
    return replace(attempt, response=response, failure=failure, verdicts=tuple(verdicts))


def _masked_failure(failure: Failure, redactors: list[Redactor]) -> Failure:
    message = failure.message
    for redactor in redactors:
        message = redactor.text(message)
    return Failure(failure.kind, message)
