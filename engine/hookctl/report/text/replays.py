"""The results of replayed exchanges, and what was recorded, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hookctl.config.effects.structure import MAX_LEVELS, Step, differences, open_up
from hookctl.delivery.rehearsal.cassette import Kept
from hookctl.delivery.rehearsal.replay import Replay
from hookctl.model import Json
from hookctl.model.quantities import counted
from hookctl.report.style import heading, signed
from hookctl.report.text.differences import difference_document, difference_lines
from hookctl.report.text.invocation import attempt_json, mark, render_attempt, verdict_lines
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table

FORMAT_VERSION = 1


def render_text(replays: Sequence[Replay], *, show_invocation: bool, width: int = 0, color: bool) -> str:
    """A line for each replay, what differs for those that failed, and how many failed."""
    lines = result_lines(replays, width=width, color=color)
    for replay in replays:
        details = list(detail_lines(replay, show_invocation=show_invocation, color=color))
        if details:
            lines += ["", heading(printable(replay.title), color), *(f"  {line}".rstrip() for line in details)]
    return "\n".join([*lines, "", replays_summary(replays)]) + "\n"


def replays_summary(replays: Sequence[Replay]) -> str:
    """Such as: 2 replays: 1 successful, 1 failed."""
    failed = sum(not replay.succeeded for replay in replays)
    return f"{counted(len(replays), 'replay')}: {len(replays) - failed} successful, {failed} failed."


def render_json(replays: Sequence[Replay], strays: Sequence[Path]) -> str:
    """The replays as JSON, as in ``schemas/replay.schema.json``."""
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "succeeded": all(replay.succeeded for replay in replays),
        "replays": [_replay_json(replay) for replay in replays],
        "stale_cassettes": [str(path) for path in strays],
    }
    return json_text(document) + "\n"


def render_strays(strays: Sequence[Path]) -> str:
    """A warning for each cassette without a webhook."""
    return "".join(
        f"Warning: {printable(str(path))} does not belong to any webhook. Delete it if its webhook was removed.\n"
        for path in strays
    )


def render_kept(kept: Mapping[str, Kept | None], directory: Path) -> str:
    """How many exchanges were recorded, and where; None stands for a test that failed."""
    counts = Counter(kept.values())
    recorded = ", ".join(f"{counts[what]} {what.value}" for what in Kept if counts[what])
    lines = [f"Recorded in {printable(str(directory))}: {recorded}."] if recorded else []
    if counts[None]:
        failed = ", ".join(printable(name) for name, what in kept.items() if what is None)
        lines.append(f"Not recorded, because the test failed: {failed}.")
    return "".join(f"{line}\n" for line in lines)


def result_lines(replays: Sequence[Replay], *, width: int = 0, color: bool) -> list[str]:
    """A row for each replay with its result, and one for its auth. ``width`` is in columns; 0 for unlimited."""
    rows: list[tuple[Cell, Cell]] = []
    marks: list[Cell] = []
    for replay in replays:
        failed = f"Replay failed  {printable(replay.reason)}"
        rows.append((printable(replay.title), "Replay successful" if replay.succeeded else failed))
        marks.append(mark(passed=replay.succeeded))
        if replay.without_auth:
            auth = printable(replay.without_auth)
            rows.append(("", f"Its auth needs its secret, so the recorded values are used for what it adds: {auth}"))
            marks.append(" ")
    return table(rows, marks=marks, width=width, color=color)


def detail_lines(replay: Replay, *, show_invocation: bool, color: bool) -> Iterator[str]:
    """What differs in a failed replay, and the verdicts of validators; with ``show_invocation``, the whole exchange."""
    if replay.attempt is not None and show_invocation:
        yield from render_attempt(replay.attempt, color=color).rstrip("\n").split("\n")
    if replay.succeeded:
        return
    if replay.attempt is not None and replay.current is not None:
        if not replay.is_recorded_request:
            yield f"The request that would be sent now, compared with {printable(str(replay.cassette))}:"
            yield from (_difference_line(sign, text, color) for sign, text in difference_lines(_differences(replay)))
        for verdict in replay.attempt.verdicts:
            if not verdict.passed:
                yield from verdict_lines(verdict, color=color)
    yield next_step(replay)


def next_step(replay: Replay) -> str:
    """What to do about a failed replay."""
    quoted = f'"{replay.plan.name}"' if " " in replay.plan.name else replay.plan.name
    what = "If the change is intended, record it again" if replay.attempt else "Record it"
    return f"{what}: hookctl test --record {quoted}"


def _differences(replay: Replay) -> list[Step]:
    """Each key and item that differs, inside strings of JSON text too.

    Where only such a text's layout differs, the string.
    """
    if replay.current is None:
        return []
    opened, whole = (
        [open_up(side, levels) for side in (replay.recorded, replay.current)] for levels in (MAX_LEVELS, 0)
    )
    return differences(*opened) or differences(*whole)


def _difference_line(sign: str, text: str, color: bool) -> str:
    line = f"  {sign} {text}".rstrip()
    return signed(line, sign, color)


def _replay_json(replay: Replay) -> Json:
    return {
        "webhook": replay.plan.name,
        "event": replay.event_type,
        "cassette": str(replay.cassette),
        "result": "successful" if replay.succeeded else "failed",
        "reason": replay.reason,
        "differences": [_difference_json(step) for step in _differences(replay)],
        "auth_as_recorded": bool(replay.without_auth),
        "attempt": attempt_json(replay.attempt) if replay.attempt else None,
    }


def _difference_json(step: Step) -> Json:
    return {
        key: value for key, value in difference_document(step).items() if key != "secret"
    }  # all are masked before they are compared
