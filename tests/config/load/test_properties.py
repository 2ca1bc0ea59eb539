"""Any text gives findings, never an exception; any JSON, written as YAML, is read as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hookctl.config.check.catalog import RULES
from hookctl.config.load import load_directory, load_text
from hookctl.config.load.files import ReadFile, decode
from hookctl.model import Finding, Json, Pointer

SHORT = [
    "name",
    ": ",
    ":\n",
    "\n",
    "- ",
    "  ",
    "\t",
    "---\n",
    "...\n",
    "--- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "!!str ",
    "!x ",
    "# c",
]
RARE = [
    "%YAML 1.2\n",
    "\r\n",
    "\r",
    "? ",
    "012",
    "1e3",
    ".nan",
    "~",
    "<<",
    "\\",
    "\ufeff",
    "\x00",
    "\x85",
    "\u2028",
    "\U0001f600",
    "{{ x }}",
    "${env:A}",
    "a" * 30,
    "\u65e5",
]
PIECES = st.sampled_from([*SHORT, *RARE])
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=60))
PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"])
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(PRINTABLE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(PRINTABLE, max_size=8), inner, max_size=4),
    max_leaves=12,
)


def assert_well_placed(finding: Finding) -> None:
    assert finding.rule in RULES
    assert finding.message
    assert finding.hint
    if finding.span is None:
        return
    span = finding.span
    assert finding.file
    lines = finding.file.text.split("\n")
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)


def pointers(value: Json, pointer: Pointer = ()) -> Iterator[Pointer]:
    yield pointer
    if isinstance(value, dict):
        for key, item in value.items():
            yield from pointers(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from pointers(item, (*pointer, index))


@settings(max_examples=400)
@given(TEXTS)
@example("a: *b\n")
@example("a: &b *b\n")
@example("? *a\n: b\n")
@example("a: !<x\n")
@example("'\n---\n'")
@example("a: |\n---\nb")
@example("&a")
@example("!")
@example("- &a\n- *a\n")
@example("a: b\n... c\nd: e\n")
@example("...\n...\n---\n...\n")
def test_any_text_gives_findings_within_it(text: str) -> None:
    loaded = load_text("a.yaml", text)
    for finding in loaded.findings:
        assert_well_placed(finding)
    for webhook in loaded.webhooks:
        json.dumps(webhook.fields, allow_nan=False)
        lines = webhook.file.text.split("\n")
        for pointer in pointers(dict(webhook.fields)):
            for span in (
                webhook.positions.key(pointer),
                webhook.positions.value(pointer),
                webhook.positions.within(pointer, 1, 3),
            ):
                assert 1 <= span.line <= span.end_line <= len(lines)
    assert loaded.webhooks or loaded.findings


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_bytes_give_findings(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    loaded = load_directory(tmp_path)
    assert loaded.webhooks or loaded.findings
    for finding in loaded.findings:
        assert_well_placed(finding)


@settings(max_examples=200)
@given(
    st.dictionaries(st.text(PRINTABLE, min_size=1), VALUES, min_size=1, max_size=5), st.booleans(), st.integers(1, 200)
)
def test_json_written_as_yaml_is_read_as_it_was(document: dict[str, Json], flow: bool, width: int) -> None:
    text = yaml.dump(document, Dumper=Careful, allow_unicode=True, default_flow_style=flow, width=width)
    assume(
        typed(yaml.safe_load(text)) == typed(document)
    )  # PyYAML breaks some long lines where it cannot: then it does not read itself either
    loaded = load_text("a.yaml", text)
    assert loaded.findings == (), text
    (webhook,) = loaded.webhooks
    assert typed(dict(webhook.fields)) == typed(document)


class Careful(yaml.SafeDumper):
    """Writes each string so that every reader takes it for one, and floats in digits that all versions read alike."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own signature
        return True


Careful.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
Careful.add_representer(
    float, lambda dumper, number: dumper.represent_scalar("tag:yaml.org,2002:float", decimal(number))
)


def decimal(number: float) -> str:
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def typed(value: Json) -> object:
    """``value`` with its types, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, repr(value) if isinstance(value, float) else value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@given(text=st.text(st.characters(codec="utf-8"), min_size=1))
@settings(max_examples=50)
def test_text_in_any_unicode_encoding_is_decoded(encoding: str, text: str) -> None:
    read = decode("a.yaml", ("name: " + text).encode(encoding))
    assert isinstance(read, ReadFile)
    assert read.text == "name: " + text
