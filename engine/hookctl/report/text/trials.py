"""The results of tested webhooks, for people with what to look at next, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hookctl.delivery.outcomes import describe
from hookctl.delivery.rehearsal.cassette import Kept, cassette_name
from hookctl.delivery.rehearsal.trial import Trial
from hookctl.model import Json, Status
from hookctl.model.quantities import counted
from hookctl.report.style import heading
from hookctl.report.text.invocation import attempt_json, body_lines, mark, render_attempt, timing_line, verdict_lines
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table
from hookctl.report.text.tips import tips_for

FORMAT_VERSION = 1
SUMMARY_LINES = 5
"""The most lines of the response's body in the summary of a failure."""


def render_text(trials: Sequence[Trial], *, show_invocation: bool, width: int = 0, color: bool) -> str:
    """A line for each trial, details of those that failed (of all, if asked for), and how many failed."""
    lines = result_lines(trials, width=width, color=color)
    for trial in trials:
        if trial.attempt is not None and (show_invocation or not trial.succeeded):
            lines += [
                "",
                heading(printable(trial.title), color),
                *detail_lines(trial, show_invocation=show_invocation, color=color),
            ]
    return "\n".join([*lines, "", trials_summary(trials)]) + "\n"


def detail_lines(trial: Trial, *, show_invocation: bool, color: bool) -> Iterator[str]:
    """The request and the response, shortened unless ``show_invocation``, and what to look at next."""
    if trial.attempt is not None:
        shown = (
            render_attempt(trial.attempt, color=color).rstrip("\n").split("\n")
            if show_invocation
            else _summary(trial, color)
        )
        yield from (f"  {line}".rstrip() for line in shown)
        yield from _tip_lines(trial, color)


NOTHING_KEPT: Mapping[str, Kept | None] = {}


def trials_json(trials: Sequence[Trial], kept: Mapping[str, Kept | None] = NOTHING_KEPT) -> str:
    """The tests as ``schemas/test.schema.json`` describes them; ``kept`` is what recording kept, by cassette."""
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "succeeded": all(trial.succeeded for trial in trials),
        "interrupted": any(trial.attempt is None for trial in trials),
        "tests": [
            _trial_json(trial, kept.get(cassette_name(trial.plan.name, trial.plan.events, trial.event_type)))
            for trial in trials
        ],
    }
    return json_text(document) + "\n"


def result_lines(trials: Sequence[Trial], *, width: int = 0, color: bool) -> list[str]:
    """A row for each trial with its result, and one for each note on its webhook.

    ``width`` is in columns; 0 for unlimited.
    """
    rows: list[tuple[Cell, Cell]] = []
    marks: list[Cell] = []
    for trial in trials:
        rows.append((printable(trial.title), result_text(trial)))
        marks.append(mark(passed=trial.succeeded) if trial.attempt else "-")
        rows += [("", note) for note in notes(trial)]
        marks += [" "] * (len(rows) - len(marks))
    return table(rows, marks=marks, width=width, color=color)


def result_text(trial: Trial) -> str:
    """The result of a test: ``Test successful`` or ``Test failed``, with status and time or with the reason."""
    if trial.attempt is None:
        return "Interrupted"
    if not trial.succeeded:
        return f"Test failed  {printable(reason(trial))}"
    status = trial.attempt.response.status if trial.attempt.response else ""
    return f"Test successful  {status} in {_milliseconds(trial)}"


def notes(trial: Trial) -> Iterator[str]:
    """What the result does not say: whether a live event like this one would be sent, and to what effect."""
    if trial.would_be_sent is False:
        yield f"Its `when` does not let this event through: {printable(trial.plan.when or '')}"
    if trial.would_be_sent is None:
        yield f"Its `when` cannot be evaluated for this event: {printable(trial.plan.when or '')}"
    if trial.attempt and trial.succeeded and not trial.attempt.succeeded:
        yield "The outcomes of this webhook count this answer as delivered."
    if trial.plan.status is Status.INACTIVE:
        yield "It is inactive: no live event is sent to it."


def _summary(trial: Trial, color: bool) -> Iterator[str]:
    attempt = trial.attempt
    if attempt is None:
        return
    request, response = attempt.request, attempt.response
    yield (
        f"{request.method} {printable(request.url)}"
        if request
        else f"{trial.plan.method} {printable(trial.plan.url)} was not sent"
    )
    if response is not None:
        yield f"{response.status} {printable(response.reason)}".rstrip() + f", {timing_line(attempt.timing)}"
        body = list(body_lines(response.body, truncated=response.truncated)) if response.body else []
        yield from body[:SUMMARY_LINES]
        if len(body) > SUMMARY_LINES:
            yield "  ... (all of it with --show-invocation)"
    if attempt.failure is not None:
        yield printable(attempt.failure.message) + (
            f", after {timing_line(attempt.timing, attempt.failure)}" if request else ""
        )
    for verdict in attempt.verdicts:
        yield from verdict_lines(verdict, color=color)


def _tip_lines(trial: Trial, color: bool) -> Iterator[str]:
    tips = tips_for(trial.attempt, trial.plan) if trial.attempt else ()
    if tips:
        yield ""
        yield f"  {heading('What to check next', color)}"
        for tip in tips:
            yield f"  - {printable(tip)}"


def reason(trial: Trial) -> str:
    """Why a test did not succeed, in one line."""
    return describe(trial.attempt, trial.plan.custom_validation_error_message) if trial.attempt else "interrupted"


def _milliseconds(trial: Trial) -> str:
    return f"{trial.attempt.timing.total * 1000:.0f} ms" if trial.attempt else ""


def trials_summary(trials: Sequence[Trial]) -> str:
    """Such as: 2 tests: 1 successful, 1 failed."""
    failed = sum(trial.attempt is not None and not trial.succeeded for trial in trials)
    interrupted = sum(trial.attempt is None for trial in trials)
    tests = counted(len(trials), "test")
    cut = f", {interrupted} interrupted" if interrupted else ""
    return f"{tests}: {len(trials) - failed - interrupted} successful, {failed} failed{cut}."


def _trial_json(trial: Trial, kept: Kept | None) -> Json:
    return {
        "webhook": trial.plan.name,
        "event": trial.event_type,
        "active": trial.plan.status is Status.ACTIVE,
        "would_be_sent": trial.would_be_sent,
        "result": "interrupted" if trial.attempt is None else "successful" if trial.succeeded else "failed",
        "reason": "" if trial.succeeded else reason(trial),
        "tips": list(tips_for(trial.attempt, trial.plan)) if trial.attempt else [],
        "attempt": attempt_json(trial.attempt) if trial.attempt else None,
        "cassette": kept.value if kept else None,
    }
