"""Each test of the contract of formats fails for one with the mistake that it is there to find."""

from __future__ import annotations

import csv
import io
import itertools
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hookctl.kit.contracts import FormatContract
from hookctl.kit.contracts.part import PartContract
from hookctl.plugin import ReportFormat


def row(*values: Any, end: str = "\n") -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator=end).writerow(values)
    return line.getvalue()


def right(report: Any) -> Any:
    return "".join(row(finding.path, finding.message) for finding in report.findings)


def report_format(findings: Any = right, **changes: Any) -> ReportFormat:
    return ReportFormat(**{"name": "csv", "summary": "Rows.", "findings": findings, **changes})


def read(self: Any, text: str) -> list[list[str]]:
    """Two columns in each row, whatever is in them."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in rows} <= {2}, f"a row has other columns: {rows}"
    return rows


def dialling(report: Any) -> Any:
    with suppress(OSError):
        socket.getaddrinfo("siem.example.com", 443)
    return right(report)


BROKEN: dict[str, list[tuple[ReportFormat, str]]] = {
    "test_it_has_a_report": [
        (report_format(None), "none of findings, review and results|without findings, review and results"),
        (report_format("text"), "not a function"),
    ],
    "test_it_is_stable": [
        (report_format(lambda _, count=itertools.count(): f"{next(count)}\n"), "something else each time"),
        (report_format(lambda _: [b"a"]), "bytes, not text"),
    ],
    "test_it_writes_no_control_characters": [
        (report_format(lambda _: row("a", "b", end="\r\n")), r"control character '\\r'"),
        (report_format(lambda _: "\x1b[31mred\n"), r"control character '\\x1b'"),
    ],
    "test_ci_commands_are_declared": [
        (report_format(lambda _: "::error file=a::b\n"), "declare has_ci_commands=True"),
        (report_format(lambda _: "##[error]b\n"), "declare has_ci_commands=True"),
    ],
    "test_ci_commands_are_escaped": [
        (
            report_format(lambda one: f"::error::{one.findings[0].message}\n", has_ci_commands=True),
            "lets a message begin a command",
        )
    ],
    "test_hostile_text_stays_text": [
        (report_format(lambda one: f"{one.findings[0].path},{one.findings[0].message}\n"), "other columns")
    ],
    "test_nothing_to_report_is_a_report": [
        (report_format(lambda one: right(one) if one.findings else "a,b,c\n"), "other columns")
    ],
    "test_it_reaches_no_network": [(report_format(dialling), "calls socket.getaddrinfo")],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: ReportFormat, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        run_contract(FormatContract, test, part, read=read)


def test_it_finds_nothing_in_a_format_without_mistakes(
    run_contract: Callable[..., None], tests_of: Callable[[type], set[str]]
) -> None:
    for test in tests_of(FormatContract):
        run_contract(FormatContract, test, report_format(), read=read)


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    in_common = tests_of(PartContract)  # test_auth_contract.py has them
    assert BROKEN.keys() == tests_of(FormatContract) - in_common
