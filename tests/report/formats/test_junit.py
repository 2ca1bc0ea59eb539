"""JUnit XML, read by a reader of it that is not ours."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

from hypothesis import example, given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase
from syrupy.assertion import SnapshotAssertion

from hookctl.report.formats.junit import junit_xml
from hookctl.report.formats.results import Outcome, Result

NOW = "2026-01-02T03:04:05+00:00"


def result(outcome: Outcome, webhook: str = "Siem", **fields: object) -> Result:
    whole = {
        "group": "test.anomaly",
        "reason": "",
        "advice": (),
        "lines": (f"{outcome.value} line", "  more"),
        "seconds": 0.25,
    } | fields
    return Result(webhook=webhook, outcome=outcome, **whole)  # type: ignore[arg-type]


ALL = [
    result(Outcome.SUCCESSFUL),
    result(
        Outcome.FAILED,
        "Tickets",
        reason="HTTP 403 Forbidden",
        lines=("✗ Tickets  Test failed", "", "  What to check next", "  - Ask <them> & wait"),
    ),
    result(Outcome.INTERRUPTED, "Slow", reason="interrupted", seconds=0.0),
    result(Outcome.ERROR, "Broken", group="files", reason="url-scheme: the URL does not begin with https://"),
]


def cases(text: str) -> list[TestCase]:
    (suite,) = JUnitXml.fromfile(io.StringIO(text.partition("\n")[2]))
    return list(suite)


def test_the_whole(snapshot: SnapshotAssertion) -> None:
    assert junit_xml(ALL, started_at=NOW) == snapshot


def test_a_reader_counts_as_we_do() -> None:
    suites = JUnitXml.fromfile(io.StringIO(junit_xml(ALL, started_at=NOW).partition("\n")[2]))
    (suite,) = suites
    assert (suite.tests, suite.failures, suite.errors, suite.skipped, suite.time) == (4, 1, 1, 1, 0.75)
    kinds = [[type(found) for found in case.result] for case in suite]
    assert kinds == [[], [Failure], [Skipped], [Error]]
    suite.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has no types for it
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 1, 1)


def test_a_failure_says_why_and_what_to_look_at() -> None:
    failed = cases(junit_xml(ALL, started_at=NOW))[1]
    (failure,) = failed.result
    assert failure.message == "HTTP 403 Forbidden"
    assert "What to check next\n  - Ask <them> & wait" in (failure.text or "")


@given(st.text(st.characters()), st.text(st.characters()))
@example("\x00\x0b\ufffe\ud800]]>", "<&\">'\t\n\r")
@settings(max_examples=100)
def test_any_character_gives_xml_that_parses(name: str, reason: str) -> None:
    text = junit_xml([result(Outcome.FAILED, name, reason=reason, lines=(name, reason))], started_at=NOW)
    root = ET.fromstring(text.encode())  # noqa: S314 - what we have just written
    (case,) = root.iter("testcase")
    if name.isprintable():
        assert case.get("name") == name
    if reason.isprintable():
        assert case.find("failure").get("message") == reason  # type: ignore[union-attr]
