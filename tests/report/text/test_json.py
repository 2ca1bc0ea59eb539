"""JSON against its schemas, and against the text: the same facts in both."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.delivery.rehearsal.trial import Trial
from hookctl.model import (
    Attempt,
    DeliveryPlan,
    Failure,
    FailureKind,
    Finding,
    Mismatch,
    Request,
    Response,
    Severity,
    SourceFile,
    Span,
    Status,
    Timing,
    Verdict,
)
from hookctl.report.text import trials
from hookctl.report.text.findings import findings_json_text, findings_text
from hookctl.schema_files import read_schema

FINDING = re.compile(
    r"^(?P<file>\S+?)(?::(?P<line>\d+):(?P<column>\d+))?: "
    r"(?P<severity>error|warning)\[(?P<code>\S+)\]: (?P<summary>.*)$",
    re.MULTILINE,
)
LINE = re.compile(
    r"^[✓✗-] (?P<webhook>\S+) +(?P<result>Test successful|Test failed|Interrupted)(?:  (?P<reason>.*))?$", re.MULTILINE
)
RESULTS = {"Test successful": "successful", "Test failed": "failed", "Interrupted": "interrupted"}

spans = st.none() | st.builds(
    lambda column, width: Span(2, column, 2, column + width), st.integers(1, 8), st.integers(0, 4)
)
findings = st.builds(
    lambda name, span, severity, words, meant: Finding(
        rule="wrong-value",
        severity=severity,
        message=words,
        hint=f"Write {words}.",
        file=SourceFile(f"webhooks.d/{name}.yaml", "name: A\nstatus: off\n"),
        span=span,
        suggestions=meant,
    ),
    st.sampled_from("abc"),
    spans,
    st.sampled_from(Severity),
    st.text("abc `é"[:5], min_size=1).map(str.strip).filter(bool),
    st.lists(st.sampled_from(["active", "inactive"]), max_size=2, unique=True).map(tuple),
)


def valid(document: Any, schema: str) -> Any:
    jsonschema.validate(document, read_schema(schema), cls=jsonschema.Draft202012Validator)
    return document


@given(st.lists(findings, max_size=5))
@settings(max_examples=50, deadline=None)
def test_findings_say_the_same_in_both(found: list[Finding]) -> None:
    ignored = [replace(one, ignored="a reason") for one in found if not one.is_error]
    document = valid(json.loads(findings_json_text(found, ignored)), "findings.schema.json")
    assert [one["code"] for one in document["ignored"]] == [one.rule for one in ignored]
    text = findings_text(found)
    told = [match.groupdict() for match in FINDING.finditer(text)]
    for said, diagnostic in zip(told, document["diagnostics"], strict=True):
        assert {key: diagnostic[key] for key in ("severity", "code", "summary")} == {
            key: said[key] for key in ("severity", "code", "summary")
        }
        assert diagnostic["range"]["filename"] == said["file"]
        if said["line"]:
            start = diagnostic["range"]["start"]
            assert (start["line"], start["column"]) == (int(said["line"]), int(said["column"]))
            assert diagnostic["snippet"]["code"] in text
        assert f"hint: {diagnostic['hint']}\n" in text
        assert not diagnostic["suggestions"] or f"did you mean {' or '.join(diagnostic['suggestions'])}?" in text
    counts = re.findall(r"(\d+) (error|warning)s?\b", text.rstrip("\n").rpartition("\n")[2])
    assert {kind: int(count) for count, kind in counts} == {
        kind: count
        for kind, count in (("error", document["error_count"]), ("warning", document["warning_count"]))
        if count
    }
    assert document["valid"] is (document["error_count"] == 0)


# -- tests of webhooks -----------------------------------------------------------------------------------------------

REQUEST = Request("POST", "https://siem.example.com/", (("webhook-id", "test_1"),), b'{"a": 1}')
RESPONSES = [
    Response(200, "OK", (), b"{}"),
    Response(204, "", (("x", "y"),), b"", framed=False),
    Response(403, "Forbidden", (), b"\xff\xfe", truncated=True),
]
VERDICTS = [
    (),
    (Verdict("status"),),
    (Verdict("json_path $.a", (Mismatch("json_path $.a", "is 1, not 2", "$.a", [2], 1),)),),
]
attempts = st.none() | st.builds(
    lambda request, response, kind, verdicts: Attempt(
        plan_digest="0" * 64,
        number=1,
        started_at=1.5,
        request=request,
        response=None if kind else response,
        failure=Failure(kind, f"{kind.value} went wrong") if kind else None,
        timing=Timing(resolved=0.001, total=0.25),
        verdicts=() if kind else verdicts,
    ),
    st.sampled_from([REQUEST, Request("GET", "https://siem.example.com/", (), None)]),
    st.sampled_from(RESPONSES),
    st.none() | st.sampled_from(FailureKind),
    st.sampled_from(VERDICTS),
)


@given(
    st.lists(
        st.tuples(attempts, st.sampled_from([None, "data.severity == 'Low'"]), st.sampled_from(Status)), max_size=4
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_tests_say_the_same_in_both(
    parts: list[tuple[Attempt | None, str | None, Status]], show_invocation: bool
) -> None:
    tested = [
        Trial(_plan(f"W{number}", status, when), {"data": {"severity": "High"}}, attempt)
        for number, (attempt, when, status) in enumerate(parts)
    ]
    document = valid(json.loads(trials.trials_json(tested)), "test.schema.json")
    text = trials.render_text(tested, show_invocation=show_invocation, color=False)
    told = [match.groupdict() for match in LINE.finditer(text)]
    for said, test in zip(told, document["tests"], strict=True):
        assert (test["webhook"], test["result"]) == (said["webhook"], RESULTS[said["result"]])
        if test["result"] == "failed":
            assert test["reason"] == said["reason"]
            assert test["tips"]
            assert all(f"  - {tip}\n" in text for tip in test["tips"])
        assert test["would_be_sent"] is (tested[int(test["webhook"][1:])].plan.when is None)
    counts = {
        result: sum(test["result"] == result for test in document["tests"])
        for result in ("successful", "failed", "interrupted")
    }
    assert f": {counts['successful']} successful, {counts['failed']} failed" in text
    assert document["interrupted"] is bool(counts["interrupted"])
    assert document["succeeded"] is (counts["successful"] == len(tested))


def _plan(name: str, status: Status, when: str | None) -> DeliveryPlan:
    return DeliveryPlan(
        name=name,
        events=("anomaly",),
        status=status,
        method="POST",
        url="https://siem.example.com/",
        headers={},
        auth=(),
        transport=None,
        when=when,
        body_template=None,
        timeout_seconds=15,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )
