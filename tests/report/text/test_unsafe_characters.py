"""No form of output holds a character that a terminal, a log or an editor acts on, whoever wrote the text in it."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookctl.config.diff import make_plan
from hookctl.config.effects import Effects
from hookctl.config.review import Review
from hookctl.delivery.rehearsal.trial import Trial
from hookctl.model import (
    AppliedState,
    Attempt,
    Delivery,
    DeliveryPlan,
    DeliveryStatus,
    Failure,
    FailureKind,
    Finding,
    Mismatch,
    Request,
    Response,
    Severity,
    SourceFile,
    Span,
    Timing,
    Verdict,
)
from hookctl.report.formats import comment, github, gitlab, junit, results, sarif
from hookctl.report.formats.annotations import of_findings
from hookctl.report.formats.annotations import of_plan as annotations_of_plan
from hookctl.report.text import deliveries, doctor, findings, log, plan, trials
from hookctl.report.text.outcome import ApplyOutcome, Ending
from hookctl.report.text.printable import json_text, printable, printable_lines

CONTROL = [*range(0x20), *range(0x7F, 0xA0)]
BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
INVISIBLE = [0x00AD, 0x180E, 0x200B, 0x200C, 0x200D, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xE0001, 0xE0041]
SURROGATES = [0xD800, 0xDBFF, 0xDC00, 0xDFFF]
UNSAFE = [chr(code) for code in (*CONTROL, *BIDI, *INVISIBLE, *SURROGATES)]
ANY = st.characters(exclude_categories=[])
TEXTS = st.text(st.sampled_from(UNSAFE) | st.sampled_from('aé日😀`%:"<&') | ANY, max_size=8)
ACTED_ON = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode."""
LINES = {"github": 2, "log": 0}
"""Line feeds of each output of these forms: a command or a record takes one line, whatever is in it."""


def unsafe(output: str) -> set[str]:
    """The unsafe characters of an output, but for its own line feeds."""
    return {found for found in output if found != "\n" and unicodedata.category(found) in ACTED_ON}


@pytest.mark.parametrize("character", UNSAFE, ids=lambda character: f"U+{ord(character):04X}")
def test_each_of_them(character: str) -> None:
    assert unsafe(printable(f"a{character}b").replace("\n", "\t")) == set()
    assert "b" in printable(f"a{character}b")
    text = json_text({character: [character]})
    assert text.isascii()
    assert unsafe(text) == set()
    assert json.loads(text) == {character: [character]}


@given(st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_a_parser_gets_the_same_value(value: Any) -> None:
    for indent in (None, 2):
        text = json_text(value, indent=indent)
        assert json.loads(text) == value
        assert text.isascii()
        assert unsafe(text) == set()
    assert "\n" not in json_text(value, indent=None)


@given(TEXTS)
def test_lines_stay_lines(text: str) -> None:
    assert printable_lines(text).count("\n") == text.count("\n")
    assert unsafe(printable_lines(text)) == set()


def of_finding(text: str) -> Iterator[tuple[str, str]]:
    name = os.fsdecode(text.encode("utf-8", "replace") + b"\x85\xff")  # a file may have any bytes for a name
    file = SourceFile(f"webhooks.d/{name}.yaml", f"name: {text}\nstatus: off\n")
    found = [
        Finding(
            rule="wrong-value",
            severity=Severity.ERROR,
            message=text,
            hint=text,
            file=file,
            span=Span(1, 7, 1, 8),
            suggestions=(text,),
            webhook=text,
        )
    ]
    annotated = [*of_findings(found, Path("/"))]
    yield "text", findings.findings_text(found)
    yield "json", findings.findings_json_text(found)
    yield "markdown", comment.findings_comment("validate", found, "")
    yield "github", github.annotation_lines(annotated) + github.notice_line("hookctl", text)
    yield "sarif", sarif.sarif_text(annotated, "validate")
    yield "gitlab", gitlab.code_quality(annotated)
    yield "junit", junit.junit_xml(results.of_findings(found), started_at="2026-01-01T00:00:00")


def of_plan(text: str, build: Callable[..., DeliveryPlan]) -> Iterator[tuple[str, str]]:
    fields: dict[str, Any] = {"labels": {text: text}, "body_template": text, "url": text, "when": text}
    before = build("Siem", headers={text: text})
    made = make_plan(
        AppliedState(1, {"Siem": before, "Gone": build("Gone", url=text)}),
        {"Siem": build("Siem", **fields), text: build(text, **fields)},
        {"hookctl": "1"},
    )
    said = [
        Finding(source="owner_label", webhook=text, message=text, hint=text),
        Finding(rule="against", message=text, hint=text),
    ]
    outcome = ApplyOutcome(Ending.FAILED, f"Nothing was applied: {text}.")
    annotated = [*annotations_of_plan(said, Path("webhooks.d"), Path("/"))]
    review = Review(
        plan=made,
        effects=Effects(changes={}),
        file_findings=(),
        plan_findings=tuple(said),
        applied=AppliedState(),
    )
    yield "text", plan.render_text(review, color=False)
    yield "json", "".join(plan.plan_json(review, outcome))
    yield "markdown", comment.plan_comment("plan", review, outcome)
    yield "github", github.annotation_lines(annotated)
    yield "sarif", sarif.sarif_text(annotated, "plan")


def of_attempt(text: str, build: Callable[..., DeliveryPlan]) -> Iterator[tuple[str, str]]:
    body = text.encode("utf-8", "surrogatepass")
    attempt = Attempt(
        plan_digest="0" * 64,
        number=1,
        started_at=1.5,
        request=Request("POST", f"https://a.example/{text}", ((text, text),), body),
        response=Response(403, text, ((text, text),), body),
        failure=Failure(FailureKind.CUT_RESPONSE, text),
        timing=Timing(total=0.25),
        verdicts=(Verdict(text, (Mismatch(text, text, text, [text], text),)),),
    )
    tested = [Trial(build(text.encode("utf-8", "replace").decode()), {"data": {text: text}}, attempt)]
    came_to = results.of_trials(tested, show_invocation=True)
    yield "text", trials.render_text(tested, show_invocation=True, color=False)
    yield "json", trials.trials_json(tested)
    yield "markdown", comment.results_comment("test", came_to, "1 test")
    yield "junit", junit.junit_xml(came_to, started_at="2026-01-01T00:00:00")
    delivery = Delivery("msg_1", text, text, DeliveryStatus.DEAD, 1, 0.0, text, 0.0)
    yield "text", deliveries.render_table([delivery], color=False)
    yield "text", deliveries.render_one(delivery, [attempt], color=False)
    yield "json", deliveries.render_one_json(delivery, {"data": {text: text}}, [attempt])
    yield "log", log.text_line(0.0, "dead", log.attempt_record(delivery, attempt))
    yield "log", log.json_line(0.0, "dead", log.attempt_record(delivery, attempt))
    checks = [doctor.Check("store", "problem", text, text)]
    yield "text", doctor.render(checks, color=False)
    yield "json", doctor.render_json(checks)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
@example("".join(UNSAFE))
@example("\ud800")
def test_no_report_holds_one(delivery_plan: Callable[..., DeliveryPlan], text: str) -> None:
    storable = text.encode("utf-8", "replace").decode()  # no delivery plan holds a lone surrogate
    outputs = [*of_finding(text), *of_plan(storable, delivery_plan), *of_attempt(text, delivery_plan)]
    assert [(form, output) for form, output in outputs if unsafe(output)] == []
    for form, output in outputs:
        if form in {"json", "sarif", "gitlab"}:
            json.loads(output)
        if form == "junit":
            ET.fromstring(output.partition("?>")[2])  # noqa: S314 - our own
        if form in LINES:
            assert output.count("\n") == LINES[form]
