"""The complete webhooks that docs/webhooks.md shows are valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
COMPLETE = re.compile(r"(?<=^```yaml\n)# yaml-language-server.*?(?=^```$)", re.DOTALL | re.MULTILINE)


def test_the_complete_webhook_is_valid(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    (example,) = COMPLETE.findall(PAGE)
    root = project({"webhooks.d/example.yaml": example})
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 webhook" in result.stdout
