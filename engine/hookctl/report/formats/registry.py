"""The report formats that come with hookctl."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hookctl.plugin import ReportFormat

Kind = Literal["findings", "review", "results"]
"""A kind of report, by the name of its attribute of :class:`ReportFormat`."""
EVERY_KIND: tuple[Kind, ...] = ("findings", "review", "results")

FORMATS: dict[str, tuple[str, tuple[Kind, ...]]] = {
    "json": ("documents", EVERY_KIND),
    "markdown": ("comment", EVERY_KIND),
    "github": ("github", EVERY_KIND),
    "sarif": ("sarif", EVERY_KIND),
    "gitlab": ("gitlab", EVERY_KIND),
    "junit": ("junit", ("results",)),
}
"""By name: the module of this package whose ``FORMAT`` it is, and the kinds of reports that it has.

The kinds are repeated here so that ``--help`` imports no format. ``text`` is not listed: it depends on the terminal.
"""


def built_in(name: str) -> ReportFormat:
    """The format of that name. Raises KeyError if hookctl has none."""
    module, _ = FORMATS[name]
    found: ReportFormat = import_module(f"hookctl.report.formats.{module}").FORMAT
    return found
