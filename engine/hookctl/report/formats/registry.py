"""The report formats that come with hookctl. Each has a module with a ``FORMAT``, imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.plugin import ReportFormat

MODULES = {
    "json": "hookctl.report.formats.documents",
    "markdown": "hookctl.report.formats.comment",
    "github": "hookctl.report.formats.github",
    "sarif": "hookctl.report.formats.sarif",
    "junit": "hookctl.report.formats.junit",
}
"""The module of each format, by the format's name. ``text`` is not one: it depends on the terminal."""


def built_in(name: str) -> ReportFormat:
    """The format of that name. Raises KeyError if hookctl has none."""
    found: ReportFormat = import_module(MODULES[name]).FORMAT
    return found
