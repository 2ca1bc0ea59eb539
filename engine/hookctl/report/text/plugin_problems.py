"""What ``hookctl plugins --check`` found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hookctl.model import Json
from hookctl.model.quantities import counted
from hookctl.plugin.checking import PluginProblem
from hookctl.report.style import styled
from hookctl.report.text.columns import paragraph
from hookctl.report.text.printable import json_text, printable


def render_text(problems: Sequence[PluginProblem], plugins: int, *, root: Path, width: int, color: bool) -> str:
    """For people: a paragraph for each problem, which begins with its file and line, and a line that counts them."""
    lines = []
    for problem in problems:
        where = f"{_shown(problem, root)}: " if problem.place else ""
        lines.append(paragraph(printable(f"{where}{problem.message}"), width))
        if problem.hint:
            lines.append(paragraph(printable(problem.hint), width, 2))
    count = counted(len(problems), "problem") if problems else "no problems"
    last = f"{counted(plugins, 'plugin')} checked, {count} found."
    return "\n".join([*lines, *([""] if lines else []), styled(last, color, fg="red" if problems else "green")]) + "\n"


def render_json(problems: Sequence[PluginProblem], *, root: Path) -> str:
    """For programs: an object of ``problems``, each with ``plugin``, ``message``, ``hint``, ``path`` and ``line``."""
    rows: list[Json] = [
        {
            "plugin": problem.plugin,
            "message": problem.message,
            "hint": problem.hint,
            "path": _shown(problem, root).rpartition(":")[0],
            "line": problem.place.line if problem.place else None,
        }
        for problem in problems
    ]
    return json_text({"problems": rows}) + "\n"


def _shown(problem: PluginProblem, root: Path) -> str:
    """The file, relative to ``root`` if it is inside, and the line; empty if neither is known."""
    if problem.place is None:
        return ""
    path = Path(problem.place.file)
    return f"{path.relative_to(root) if path.is_relative_to(root) else path}:{problem.place.line}"
