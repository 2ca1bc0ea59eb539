"""What a test or a replay came to, in the one form that JUnit, Markdown and annotations are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hookctl.model import Finding, Severity
from hookctl.report.text.findings import findings_text

if TYPE_CHECKING:
    from hookctl.delivery.rehearsal.replay import Replay
    from hookctl.delivery.rehearsal.trial import Trial


class Outcome(StrEnum):
    """What it came to."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was not over at Ctrl-C."""
    ERROR = "error"
    """It was not begun: something is wrong in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one came to, in the words of the text report."""

    webhook: str
    group: str
    """What it is one of: ``test.anomaly``, ``replay.anomaly``, ``files``."""
    outcome: Outcome
    reason: str
    """Why it is not successful, in one line; empty when it is."""
    advice: tuple[str, ...]
    """What to do next, in sentences."""
    lines: tuple[str, ...]
    """What is printed of it, without colour."""
    seconds: float


def of_trials(tests: Iterable[Trial], *, show_invocation: bool) -> list[Result]:
    """Tests, each with what was sent and what came back: in short if it failed, whole if that is asked for."""
    return [_of_trial(trial, show_invocation=show_invocation) for trial in tests]


def _of_trial(trial: Trial, *, show_invocation: bool) -> Result:
    from hookctl.report.text import trials
    from hookctl.report.text.tips import tips_for

    lines = trials.result_lines([trial], color=False)
    if trial.attempt is not None and (show_invocation or not trial.succeeded):
        lines += ["", *trials.detail_lines(trial, show_invocation=show_invocation, color=False)]
    return Result(
        webhook=trial.plan.name,
        group=f"test.{trial.plan.event}",
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
    """Replays, each with what differs; they take no time."""
    from hookctl.report.text import replays

    return [
        Result(
            webhook=replay.plan.name,
            group=f"replay.{replay.plan.event}",
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
    """The errors in files that kept every test from being begun."""
    return [
        Result(
            webhook=finding.webhook or (finding.path),
            group="files",
            outcome=Outcome.ERROR,
            reason=f"{finding.rule}: {finding.message}",
            advice=(finding.hint,) if finding.hint else (),
            lines=tuple(findings_text([finding]).split("\n\n")[0].split("\n")),
            seconds=0.0,
        )
        for finding in findings
        if finding.severity is Severity.ERROR
    ]
