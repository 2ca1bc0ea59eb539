"""The complete webhooks that the documentation shows are valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
COMPLETE = re.compile(
    r"(?<=^```yaml\n)(?:# yaml-language-server[^\n]*\n)?name: [^\n]+\n(?:(?!```).*\n)+?(?=^```$)", re.MULTILINE
)


def test_the_complete_webhooks_are_valid(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    pages = ((DOCS / name).read_text(encoding="utf-8") for name in ("webhooks.md", "network.md"))
    found = [block for page in pages for block in COMPLETE.findall(page) if "\nurl: " in block]
    root = project({f"webhooks.d/{number}.yaml": block for number, block in enumerate(found)})
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "6 webhooks in 6 files, no problems found." in result.stdout
