"""schemathesis sends requests that the OpenAPI document allows and others, and finds nothing wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hookctl.serve.access.guessing import Failures

HOOKS = Path(__file__).parent / "schemathesis_hooks.py"


class NoLimit(Failures):
    """Tokens that are not accepted are part of what schemathesis tries."""

    def note(self, address: str) -> None:
        """Forget it."""


def test_schemathesis_finds_nothing(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.access, "failures", NoLimit())
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{site.port}/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {site.token()}"),
            *("--checks", "all", "--phases", "coverage,fuzzing,stateful"),
            *("--max-examples", "5", "--generation-deterministic", "--continue-on-failure"),
            *("--no-color", "--warnings", "off"),
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS.stem, "PYTHONPATH": str(HOOKS.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Operations:       3 selected / 3 total" in ran.stdout
    assert site.stored()  # it knows how to send an event
