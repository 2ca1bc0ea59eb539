"""Files with very many problems of one kind: each is a finding where it helps, and the work grows with the file."""

from __future__ import annotations

from collections.abc import Callable

from hookctl.model import Finding

BASE = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
Check = Callable[..., list[Finding]]


def test_suggestions_are_for_a_few_misspellings(check: Check) -> None:
    findings = check(BASE + "".join(f"methd{number}: POST\n" for number in range(60)))
    assert [finding.rule for finding in findings] == ["unknown-field"] * 60
    assert [bool(finding.suggestions) for finding in findings] == [True] * 50 + [False] * 10


def test_one_text_has_so_many_findings_about_references_and_none_is_passed_over(check: Check) -> None:
    assert len(check(f'{BASE}headers:\n  X-A: "{"${x:y}" * 1000}"\n')) == 20
    assert len(check(f'{BASE}headers:\n  X-A: "{"${env:A}" * 1000}${{x:y}}"\n')) == 1


def test_long_texts_are_cut_in_messages(check: Check) -> None:
    long = "x" * 1000  # YAML has no longer keys
    text = (
        f"name: {long}\nevent: {long}\nurl: https://siem.example.com/\n{long}: 1\n"
        f"method: {long}\nauth: {{type: {long}}}\nheaders: {{'{long} ': a}}\n"
    )
    findings = check(text)
    assert len(findings) == 6
    assert all(len(finding.message) < 200 for finding in findings)


def test_findings_about_a_block_stand_in_their_lines(check: Check) -> None:
    body = "".join(f"    {{{{ data.nope{number} }}}},\n" for number in range(5))
    findings = check(f"{BASE}body_template: |\n  [\n{body}    1\n  ]\n")
    assert [(finding.rule, finding.span and finding.span.line) for finding in findings] == [
        ("template-unknown-path", 6 + number) for number in range(5)
    ]
