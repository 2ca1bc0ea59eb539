"""Whatever stands in a webhook's fields, the check gives findings within the file, and never an exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.config.check.catalog import RULES
from hookctl.model import Finding, Json
from hookctl.schema_files import read_schema

PROPERTIES = cast("dict[str, Json]", read_schema("webhook.schema.json")["properties"])
TEXTS = [
    "",
    "a",
    "anomaly",
    "active",
    "POST",
    "https://siem.example.com/",
    "http://1.2.3.4:5/",
    "${env:A}",
    "${",
    "${x:y}",
    "5s",
    "50/s",
    "type",
    "token",
]
HARD = [
    "\n",
    "\x00",
    "\u65e5",
    "Host",
    "a" * 70,
    "bearer",
    "json_path",
    "$.data",
    "$.data[",
    "data.severity == 'High'",
    "{{ data.title }}",
    '{"a": {{ data.title }}}',
    "{%",
]
WORDS = st.sampled_from([*TEXTS, *HARD])
SCALARS = st.none() | st.booleans() | st.integers(-5, 400) | st.floats(-1e6, 1e6) | WORDS | st.text(max_size=5)
KEYS = (
    st.sampled_from(
        [
            "type",
            "token",
            "headers",
            "schedule",
            "json_path",
            "expected_values",
            "expression",
            "codes",
            "client_id",
            "token_url",
            "X-A",
            "Authorization",
        ]
    )
    | WORDS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
BLOCKS = st.dictionaries(KEYS, VALUES, max_size=3).flatmap(
    lambda block: st.sampled_from(
        ["bearer", "basic", "headers", "oauth2", "curl", "json_path", "jmespath", "status"]
    ).map(lambda name: {**block, "type": name})
)
FIELDS: dict[str, st.SearchStrategy[Json]] = {
    name: VALUES | BLOCKS | st.lists(BLOCKS, max_size=2) for name in PROPERTIES
}
WEBHOOKS = st.fixed_dictionaries({}, optional={**FIELDS, "nmae": VALUES})


def assert_well_placed(finding: Finding) -> None:
    assert finding.rule in RULES
    assert finding.message
    assert finding.hint
    assert finding.span is not None
    assert finding.file
    lines = finding.file.text.split("\n")
    assert 1 <= finding.span.line <= finding.span.end_line <= len(lines)
    assert finding.span.column <= len(lines[finding.span.line - 1]) + 1


@settings(max_examples=100, deadline=None)
@given(st.lists(WEBHOOKS, min_size=1, max_size=3))
def test_any_fields_give_findings(check: Callable[..., list[Finding]], documents: list[dict[str, Json]]) -> None:
    text = "".join(f"---\n{json.dumps(document)}\n" for document in documents)
    for finding in check(text):
        assert_well_placed(finding)


def test_a_place_has_one_finding_of_the_schema(check: Callable[..., list[Finding]]) -> None:
    (finding,) = check("name: '" + "/" * 70 + "'\nevent: anomaly\nurl: https://siem.example.com/\n")
    assert finding.rule == "name-invalid"
