"""The format ``junit``: test results as JUnit XML, for the test page of a CI system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from hookctl.plugin.report_format import ReportFormat
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.text.printable import printable_lines

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that an XML 1.0 document cannot contain, even escaped."""


def junit_xml(results: Sequence[Result], *, started_at: str) -> str:
    """A suite with one case for each result. ``started_at`` is a time in ISO 8601.

    A test that was interrupted counts as skipped. A finding that kept every test from starting counts as an error.
    """
    counts = {
        "tests": str(len(results)),
        "failures": str(sum(result.outcome is Outcome.FAILED for result in results)),
        "errors": str(sum(result.outcome is Outcome.ERROR for result in results)),
    }
    skipped = str(sum(result.outcome is Outcome.INTERRUPTED for result in results))
    total = _seconds(sum(result.seconds for result in results))
    suites = ET.Element("testsuites", {"name": "hookctl", **counts, "time": total})
    suite = ET.SubElement(
        suites, "testsuite", {"name": "hookctl", **counts, "skipped": skipped, "time": total, "timestamp": started_at}
    )
    for result in results:
        _add_case(suite, result)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _add_case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _legal(f"hookctl.{result.group}"),
            "name": _legal(result.webhook),
            "time": _seconds(result.seconds),
        },
    )
    lines = _legal("\n".join(result.lines))
    if result.outcome is Outcome.SUCCESSFUL:
        ET.SubElement(case, "system-out").text = lines
    elif result.outcome is Outcome.INTERRUPTED:
        ET.SubElement(case, "skipped", {"message": _legal(result.reason)})
    else:
        kind = "failure" if result.outcome is Outcome.FAILED else "error"
        ET.SubElement(case, kind, {"message": _legal(result.reason), "type": result.outcome.value}).text = lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _legal(text: str) -> str:
    return ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", printable_lines(text))


FORMAT = ReportFormat(
    name="junit",
    summary="For the test page of a CI system: JUnit XML.",
    results=lambda report: junit_xml(report.results, started_at=report.started_at.isoformat(timespec="seconds")),
)
