"""The checks of ``doctor``, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hookctl.model.quantities import counted
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import table

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    verdict: str
    """``ok``; ``warning`` for what works but may fail; ``problem`` for what does not work."""
    message: str
    hint: str = ""


def render(checks: Sequence[Check], *, width: int = 0, color: bool) -> str:
    """A row for each check, with what to do below a warning or a problem, and a last line that counts them.

    ``width`` is the terminal's, in columns; 0 for unlimited.
    """
    rows, marks = [], []
    for check in checks:
        rows.append((check.name, printable(check.message)))
        marks.append(MARKS[check.verdict])
        if check.hint:
            rows.append(("", printable(check.hint)))
            marks.append((" ", ""))
    problems, warnings = (sum(check.verdict == verdict for check in checks) for verdict in ("problem", "warning"))
    counts = f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}."
    return "\n".join([*table(rows, marks=marks, width=width, color=color), "", counts]) + "\n"


def render_json(checks: Sequence[Check]) -> str:
    """The checks as JSON: a list of objects."""
    return json_text([asdict(check) for check in checks]) + "\n"
