"""The results of tests and replays, in the one form that all report formats get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hookctl.model import Finding, Severity
from hookctl.report.text.findings import finding_lines

if TYPE_CHECKING:
    from hookctl.delivery.rehearsal.replay import Replay
    from hookctl.delivery.rehearsal.trial import Trial


class Outcome(StrEnum):
    """How a test or a replay ended."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Ctrl-C stopped it before its end."""
    ERROR = "error"
    """It did not start, because of an error in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one test or replay, in the words of the text report."""

    webhook: str
    group: str
    """Its kind and event: ``test.anomaly``, ``replay.anomaly``; ``files`` for an error in a file."""
    outcome: Outcome
    reason: str
    """One line that says why it is not successful; empty if it is."""
    advice: tuple[str, ...]
    """Sentences that say what to do next."""
    lines: tuple[str, ...]
    """What the text report prints about it, without color."""
    seconds: float


def of_trials(tests: Iterable[Trial], *, show_invocation: bool) -> list[Result]:
    """The results of tests: a failed one with its exchange in short; with ``show_invocation``, each with all of it."""
    return [_of_trial(trial, show_invocation=show_invocation) for trial in tests]


def _of_trial(trial: Trial, *, show_invocation: bool) -> Result:
    from hookctl.report.text import trials
    from hookctl.report.text.tips import tips_for

    lines = trials.result_lines([trial], color=False)
    if trial.attempt is not None and (show_invocation or not trial.succeeded):
        lines += ["", *trials.detail_lines(trial, show_invocation=show_invocation, color=False)]
    return Result(
        webhook=trial.plan.name,
        group=f"test.{trial.event_type}",
        outcome=Outcome.INTERRUPTED
        if trial.attempt is None
        else Outcome.SUCCESSFUL
        if trial.succeeded
        else Outcome.FAILED,
        reason="" if trial.succeeded else trials.reason(trial),
        advice=tips_for(trial.attempt, trial.plan) if trial.attempt else (),
        lines=tuple(lines),
        seconds=trial.attempt.timing.total if trial.attempt else 0.0,
    )


def of_replays(replayed: Iterable[Replay], *, show_invocation: bool) -> list[Result]:
    """The results of replays, each with what differs. Their time is 0."""
    from hookctl.report.text import replays

    return [
        Result(
            webhook=replay.plan.name,
            group=f"replay.{replay.event_type}",
            outcome=Outcome.SUCCESSFUL if replay.succeeded else Outcome.FAILED,
            reason=replay.reason,
            advice=() if replay.succeeded else (replays.next_step(replay),),
            lines=(
                *replays.result_lines([replay], color=False),
                *(
                    f"  {line}".rstrip()
                    for line in replays.detail_lines(replay, show_invocation=show_invocation, color=False)
                ),
            ),
            seconds=0.0,
        )
        for replay in replayed
    ]


def of_findings(findings: Sequence[Finding]) -> list[Result]:
    """The errors in files that kept every test from starting."""
    return [
        Result(
            webhook=finding.webhook or finding.path,
            group="files",
            outcome=Outcome.ERROR,
            reason=f"{finding.rule}: {finding.message}",
            advice=(finding.hint,) if finding.hint else (),
            lines=tuple(finding_lines(finding, findings)),
            seconds=0.0,
        )
        for finding in findings
        if finding.severity is Severity.ERROR
    ]
