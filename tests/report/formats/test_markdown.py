"""Comments: what they say, that they fit, and that nothing foreign in them is more than text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from hookctl.config.diff import make_plan
from hookctl.config.review import Review
from hookctl.model import AppliedState, DeliveryPlan, Finding, Json, Severity, SourceFile, Span
from hookctl.report.formats.comment import findings_comment, plan_comment, results_comment
from hookctl.report.formats.markdown import LIMIT, Block, code, document
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.text.printable import printable

Build = Callable[..., DeliveryPlan]
Reviewed = Callable[..., Review]
SUMMARY = re.compile(r"<details(?: open)?><summary><code>([^<>]*)</code></summary>\n?")

PIECES = [
    "```",
    "````",
    "`",
    "</details>",
    "</code></summary>",
    "<script>alert(1)</script>",
    "<!--",
    "-->",
    "@everyone",
    "#1",
    "\n\n",
    "\n",
    "\r",
    " ",
    "    ",
]
PIECES += [
    "# heading",
    "[a](https://evil.example)",
    "![i](x)",
    "https://evil.example",
    "~~~",
    "\t",
    "\\",
    "&lt;",
    "&#96;",
    "\u2028",
    "\u202e",
    "\x00",
    "- ",
    "> ",
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map("".join)


def assert_only_text(text: str, blocks: int | None = None) -> list[str]:
    """Check that there are only headings, our own words, code spans, fences and folds; give what the fences hold."""
    fences, opened, closed = [], 0, 0
    for token in MarkdownIt("commonmark", {"html": True}).parse(text):
        if token.type == "html_block":
            opened += bool(SUMMARY.fullmatch(token.content))
            closed += token.content.strip() == "</details>"
            assert SUMMARY.fullmatch(token.content) or token.content.strip() == "</details>", token.content
        elif token.type == "fence":
            assert token.info in {"diff", "text"}
            fences.append(token.content)
        elif token.type == "inline":
            assert {child.type for child in token.children or ()} <= {
                "text",
                "code_inline",
                "strong_open",
                "strong_close",
            }
        else:
            assert token.type in {"heading_open", "heading_close", "paragraph_open", "paragraph_close"}
    assert opened == closed == len(fences)
    assert blocks is None or len(fences) == blocks
    return fences


@given(st.lists(st.tuples(hostile, st.lists(hostile, max_size=5)), max_size=4))
@settings(max_examples=100)
def test_whatever_stands_in_a_block_is_text(parts: list[tuple[str, list[str]]]) -> None:
    text = document(["## x"], [partial(Block, title, tuple(lines)) for title, lines in parts])
    fences = assert_only_text(text, blocks=len(parts))
    assert fences == ["".join(f"{printable(line)}\n" for line in lines) for _, lines in parts]
    assert [html.unescape(title) for title in SUMMARY.findall(text)] == [printable(title) for title, _ in parts]


@given(hostile)
@settings(max_examples=100)
def test_a_code_span_holds_the_text_and_no_more(text: str) -> None:
    (paragraph,) = [token for token in MarkdownIt("commonmark").parse(f"a {code(text)} b") if token.type == "inline"]
    if printable(text).strip(" "):
        before, span, after = paragraph.children or []
        assert (before.content, span.type, after.content) == ("a ", "code_inline", " b")
        assert span.content == printable(text)


@given(name=hostile.filter(bool), template=hostile, url=hostile, said=hostile)
@settings(max_examples=50)
def test_a_hostile_webhook_in_a_plan_is_text(reviewed: Reviewed, name: str, template: str, url: str, said: str) -> None:
    before = _hostile_plan("Siem", "https://siem.example.com/", "{}")
    after = _hostile_plan(name, url, template)
    plan = make_plan(AppliedState(1, {"Siem": before}), {name: after}, {})
    file = SourceFile(name, f"{template}\n")
    warnings = [
        Finding(
            rule="wrong-value",
            severity=Severity.WARNING,
            message=said,
            hint=said,
            file=file,
            span=Span(1, 1, 1, 1),
            webhook=name,
        )
    ]
    findings = [
        Finding(source=said, webhook=name, message=said, hint=said),
        Finding(source=said, message=said, hint=said, file=file, span=Span(1, 1, 1, 1)),
    ]
    assert_only_text(plan_comment("plan", reviewed(plan, findings, warnings=warnings)))
    assert_only_text(findings_comment("validate", warnings, "nothing"))
    result = Result(
        webhook=name,
        group="test",
        outcome=Outcome.FAILED,
        reason=said,
        advice=(said,),
        lines=(said, template),
        seconds=0.0,
    )
    assert_only_text(results_comment("test", [result], "1 test: 0 successful, 1 failed."), blocks=2)


def _hostile_plan(name: str, url: str, template: str) -> DeliveryPlan:
    fields = DeliveryPlan.from_json(_PLAN).to_json() | {"name": name, "url": url, "body_template": template}
    return DeliveryPlan.from_json(fields)


_PLAN: dict[str, Json] = {
    "format": 1,
    "name": "Siem",
    "event": "anomaly",
    "status": "active",
    "method": "POST",
    "url": "https://siem.example.com/",
    "headers": {},
    "auth": [],
    "transport": None,
    "when": None,
    "body_template": None,
    "timeout_seconds": 15,
    "response_validators": [],
    "custom_validation_error_message": None,
    "retry_schedule": [5],
    "rate_limit": None,
    "description": None,
    "labels": {},
    "protected": False,
}


def test_a_plan(delivery_plan: Build, reviewed: Reviewed, snapshot: SnapshotAssertion) -> None:
    before = {
        "Siem": delivery_plan("Siem", body_template='{"a": "{{ id }}"}\n'),
        "Old": delivery_plan("Old", url="https://old.example.com/"),
        "Kept": delivery_plan("Kept", url="https://kept.example.com/"),
    }
    after = {
        "Siem": delivery_plan("Siem", body_template='{"b": "```"}\n', timeout_seconds=5, labels={"team": "a"}),
        "New": delivery_plan("New", url="https://new.example.com/", method="PUT"),
        "Kept": before["Kept"],
    }
    findings = [
        Finding(
            source="allowed_hosts",
            webhook="New",
            message="new.example.com is not an allowed host",
            hint="Ask the platform team.",
        ),
        Finding(
            source="freeze",
            message="nothing is applied on a Friday",
            hint="Wait for Monday.",
            severity=Severity.WARNING,
        ),
    ]
    text = plan_comment("plan", reviewed(make_plan(AppliedState(7, before), after, {}), findings))
    assert text == snapshot
    assert_only_text(text)


def test_no_changes(delivery_plan: Build, reviewed: Reviewed) -> None:
    same = {"Siem": delivery_plan("Siem")}
    assert (
        plan_comment("plan", reviewed(make_plan(AppliedState(7, same), same, {})))
        == "## hookctl plan\n\n`No changes. The applied webhooks match the files.`\n"
    )


def test_findings(snapshot: SnapshotAssertion) -> None:
    file = SourceFile("webhooks.d/a.yaml", "name: A\nstatus: ``` </details>\n")
    found = [
        Finding(
            rule="wrong-value",
            severity=Severity.ERROR,
            message="`status` must be active",
            hint="Write it.",
            file=file,
            span=Span(2, 9, 2, 23),
        ),
        Finding(
            rule="file-empty",
            severity=Severity.WARNING,
            message="the file contains no webhook",
            hint="Write one.",
            file=SourceFile("webhooks.d/b.yaml", ""),
        ),
    ]
    assert findings_comment("validate", found, "") == snapshot
    assert findings_comment("validate", [], "2 webhooks in 1 file, no problems found.").endswith(
        "**2 webhooks in 1 file, no problems found.**\n"
    )


# -- size ------------------------------------------------------------------------------------------------------------


def test_many_changes_keep_the_first_and_the_last(delivery_plan: Build, reviewed: Reviewed) -> None:
    desired = {f"W{number:05}": delivery_plan(f"W{number:05}") for number in range(3000)}
    text = plan_comment("plan", reviewed(make_plan(AppliedState(), desired, {})))
    assert LIMIT - 2000 < len(text) <= LIMIT
    fences = assert_only_text(text)
    assert "Plan: 3000 to add, 0 to change, 0 to remove." in text
    assert "+ W00000" in text
    assert "+ W02999" in text
    (left_out,) = re.findall(r"\*\*\.\.\. ([\d,]+) more are omitted because", text)
    assert int(left_out.replace(",", "")) + len(fences) == 3000


def test_one_long_change_keeps_its_first_and_its_last_lines(delivery_plan: Build, reviewed: Reviewed) -> None:
    template = "\n".join(f'"key{number}": {number},' for number in range(20_000))
    plan = make_plan(AppliedState(), {"Siem": delivery_plan("Siem", body_template=template, timeout_seconds=7)}, {})
    text = plan_comment("plan", reviewed(plan))
    assert len(text) <= LIMIT
    (fence,) = assert_only_text(text, blocks=1)
    lines = fence.split("\n")
    (note,) = [index for index, line in enumerate(lines) if "lines omitted" in line]
    assert any('"key0"' in line for line in lines[:note])
    assert any("timeout" in line for line in lines[note:])


def test_no_more_blocks_are_made_than_a_comment_holds() -> None:
    made: list[int] = []

    def block(number: int) -> Block:
        made.append(number)
        return Block(f"{number}", ("x" * 900,) * 10)

    document(["## x"], [partial(block, number) for number in range(10_000)])
    assert len(made) < 50


@pytest.mark.parametrize("character", ["`", "<", "\x1b", "é"])
def test_the_worst_that_can_be_fits(character: str) -> None:
    blocks = [partial(Block, character * 500, tuple(character * 2000 for _ in range(50))) for _ in range(50)]
    text = document(["## x"], blocks)
    assert len(text) <= LIMIT
    assert len(assert_only_text(text)) >= 2


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 30)), max_size=40))
@settings(max_examples=50, deadline=None)
def test_it_always_fits_and_counts_what_it_leaves_out(sizes: list[tuple[int, int]]) -> None:
    blocks = [
        partial(Block, f"{number}", ("x" * (size // (lines + 1)),) * lines)
        for number, (size, lines) in enumerate(sizes)
    ]
    text = document(["## x", "`y`"], blocks)
    assert len(text) <= LIMIT
    shown = [int(title) for title in SUMMARY.findall(text)]
    left_out = sum(int(count.replace(",", "")) for count in re.findall(r"\*\*\.\.\. ([\d,]+) more", text))
    assert shown == sorted(shown)
    assert len(shown) + left_out == len(blocks)
    if blocks:
        assert {0, len(blocks) - 1} <= set(shown)
