"""No file under examples/positive has a finding; each under examples/negative has those that its first line names.

Each file in either folder is a test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hookctl.model import Finding

EXAMPLES = Path(__file__).parent / "examples"
MARK = "# finds: "


@pytest.mark.parametrize("path", sorted((EXAMPLES / "positive").iterdir()), ids=lambda path: path.stem)
def test_positive(path: Path, check: Callable[..., list[Finding]]) -> None:
    assert check(path.read_bytes().decode()) == []


@pytest.mark.parametrize("path", sorted((EXAMPLES / "negative").iterdir()), ids=lambda path: path.stem)
def test_negative(path: Path, check: Callable[..., list[Finding]]) -> None:
    text = path.read_bytes().decode()
    assert text.startswith(MARK)
    expected = text.splitlines()[0].removeprefix(MARK).split(", ")
    findings = check(text)
    assert [finding.rule for finding in findings] == expected, [finding.message for finding in findings]
    assert all(finding.span is not None and finding.span.line > 1 for finding in findings)
