"""The examples of auth in docs/webhooks.md are valid settings, and there is one for each auth that has a section."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
EXAMPLE = re.compile(r"^```yaml\n(auth:\n  type: (\w+)\n(?:  .*\n)*)```$", re.MULTILINE)


def test_the_examples_are_valid(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### Which auth for which target")[2].partition("\n## ")[0]
    examples = {match[2]: match[1] for match in EXAMPLE.finditer(section)}
    assert list(examples) == re.findall(r"^`(\w+)` ", section, re.MULTILINE)
    assert {"mtls", "jwt_bearer", "digest", "api_key_query"} <= examples.keys()
    head = "event: anomaly\nurl: https://siem.example.com/ingest\n"
    root = project({f"webhooks.d/{name}.yaml": f"name: {name}\n{head}{text}" for name, text in examples.items()})
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")


def test_literal_secrets_are_findings(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    """Each setting that is a secret, written out in the examples."""
    section = PAGE.read_text(encoding="utf-8").partition("### Which auth for which target")[2]
    examples = {match[2]: match[1] for match in EXAMPLE.finditer(section)}
    head = "event: anomaly\nurl: https://siem.example.com/ingest\n"
    for name, field in (
        ("mtls", "key"),
        ("mtls", "key_password"),
        ("jwt_bearer", "key"),
        ("digest", "password"),
        ("api_key_query", "key"),
    ):
        text = re.sub(rf"(?m)^  {field}: .*$", f"  {field}: canary-literal", examples[name])
        result = run_cli("validate", cwd=project({"webhooks.d/a.yaml": f"name: A\n{head}{text}"}))
        assert result.exit_code == 1
        assert "error[secret-literal]" in result.stdout, (name, field)
        assert "canary" not in result.stdout
