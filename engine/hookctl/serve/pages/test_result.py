"""The result of a test, as ``hookctl test --show-invocation`` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hookctl.errors import HookctlError
from hookctl.report.text.invocation import request_lines, response_lines, timing_line, verdict_lines
from hookctl.report.text.printable import printable
from hookctl.report.text.tips import tips_for
from hookctl.report.text.trials import notes, result_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookctl.model import Attempt
    from hookctl.serve.pages.tests_now import Test


def found(test: Test) -> dict[str, Any]:
    """What the template shows."""
    values: dict[str, Any] = {
        "test": test,
        "plan": test.plan,
        "trial": None,
        "result": "",
        "notes": (),
        "tips": (),
        "parts": (),
        "error": "",
    }
    try:
        trial = test.trial
    except HookctlError as error:
        return values | {"error": f"{error.message}. {error.hint}".strip()}
    if trial is None or trial.attempt is None:
        return values
    return values | {
        "trial": trial,
        "result": result_text(trial),
        "notes": [*notes(trial)],
        "tips": [printable(tip) for tip in tips_for(trial.attempt, test.plan)],
        "parts": invocation(trial.attempt),
    }


def invocation(attempt: Attempt) -> Sequence[tuple[str, str]]:
    """Request, response and details of an attempt, each with its heading; secrets are masked in the attempt."""
    request = _text(request_lines(attempt.request)) if attempt.request else "none: the request could not be made"
    failure = attempt.failure
    response = _text(response_lines(attempt.response)) if attempt.response else ""
    if failure:
        reason = printable(f"{failure.kind.value}: {failure.message}")
        response = f"{response}\n{reason}" if response else f"none: {reason}"
    details = [timing_line(attempt.timing, failure)]
    for verdict in attempt.verdicts:
        details += verdict_lines(verdict, color=False)
    return (("Request", request), ("Response", response), ("Details", "\n".join(details)))


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.removeprefix("  ") for line in lines)
