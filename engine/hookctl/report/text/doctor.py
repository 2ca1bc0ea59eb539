"""What ``doctor`` found, for people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hookctl.model.quantities import counted
from hookctl.report.style import styled
from hookctl.report.text.printable import json_text, printable

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: str
    """``ok``; ``warning`` for what works and might not always; ``problem`` for what keeps something from working."""
    message: str
    hint: str = ""


def render(checks: Sequence[Check], *, color: bool) -> str:
    """A line for each check, and below those that are not well what to do."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        mark, hue = MARKS[check.verdict]
        lines.append(f"{styled(mark, color, fg=hue)} {check.name:{width}}  {printable(check.message)}")
        lines += [f"  {'':{width}}  {printable(check.hint)}"] if check.hint else []
    problems, warnings = (sum(check.verdict == verdict for check in checks) for verdict in ("problem", "warning"))
    lines += ["", f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}."]
    return "\n".join(lines) + "\n"


def render_json(checks: Sequence[Check]) -> str:
    """The checks for a machine: a list of objects."""
    return json_text([asdict(check) for check in checks]) + "\n"
