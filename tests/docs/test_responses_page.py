"""The examples of docs/responses.md: each response is checked by the validators above it, with the result shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookctl.delivery.attempt.envelope import open_envelope
from hookctl.model import Response
from hookctl.plugin.host import load_plugins

PAGE = Path(__file__).parents[2] / "docs" / "responses.md"
EXAMPLE = re.compile(
    r"^```yaml\n(response_validators:\n(?:(?!```).*\n)+)```\n\n"
    r"\| response \| result \|\n\| --- \| --- \|\n((?:\|.*\n)+)",
    re.MULTILINE,
)
ROW = re.compile(r"^\| (?:`(.*?)` )?\| (?:passes|`(.*)`) \|$")
EXAMPLES = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))


def rows(table: str) -> Iterator[tuple[bytes, str]]:
    for line in table.splitlines():
        row = ROW.match(line)
        assert row is not None, line
        yield (row[1] or "").encode(), (row[2] or "").replace("\\|", "|")


@pytest.mark.parametrize(("block", "table"), EXAMPLES, ids=[str(number) for number in range(len(EXAMPLES))])
def test_each_response_has_the_result_that_the_page_shows(block: str, table: str) -> None:
    plugins = load_plugins()
    built = []
    for settings in yaml.safe_load(block)["response_validators"]:
        kind = plugins.validators[settings.pop("type", "json_path")]
        built.append(kind.build(settings))
    for body, result in rows(table):
        kind_of_body = "text/html" if body.startswith(b"<html") else "application/json"
        envelope = open_envelope(Response(200, "OK", (("Content-Type", kind_of_body),), body))
        mismatches = [mismatch for validate in built for mismatch in validate(envelope)]
        assert next((f"{found.validator}: {found.message}" for found in mismatches), "") == result


def test_the_examples_are_valid(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    head = "event: anomaly\nurl: https://a.example.com/hook\n"
    blocks = enumerate(block for block, _ in EXAMPLES)
    files = {f"webhooks.d/{number}.yaml": f"name: W{number}\n{head}{block}" for number, block in blocks}
    result = run_cli("validate", cwd=project(files))
    assert result.stderr == ""
    assert "7 webhooks in 7 files, no problems found." in result.stdout


def test_every_validator_has_an_example() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in load_plugins().validators if f"`{name}`" not in text] == []
