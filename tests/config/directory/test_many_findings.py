"""A file with very many mistakes: the first are shown, the others are counted, and the rest of the file is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookctl.config.check import WebhookChecker
from hookctl.config.directory import CheckedDirectory, check_directory
from hookctl.config.file_results import MOST_FINDINGS
from hookctl.model import Finding, Severity, Webhook
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
HEAD = "event: anomaly\nurl: https://a.example.com\n"
WARNED = 'body_template: |\n  {"a": "{{ data.recommendation }}"}\n'


def checked(root: Path, text: str) -> CheckedDirectory:
    (root / "a.yaml").write_text(text)
    (root / "b.yaml").write_text("name: B\nunknown: field\n")
    return check_directory(root, PLUGINS)


def of_the_first(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.path.endswith("a.yaml")]


def test_as_many_as_are_shown_are_all_there_is(tmp_path: Path) -> None:
    fields = "".join(f"f{number}: 1\n" for number in range(MOST_FINDINGS))
    found = of_the_first(checked(tmp_path, f"name: A\n{HEAD}{fields}").findings)
    assert {finding.rule for finding in found} == {"unknown-field"}
    assert len(found) == MOST_FINDINGS


@pytest.mark.parametrize(("more", "said"), [(1, "1 more finding is"), (1100, "1,100 more findings are")])
def test_the_others_are_counted_where_the_first_of_them_stands(tmp_path: Path, more: int, said: str) -> None:
    fields = "".join(f"f{number}: 1\n" for number in range(MOST_FINDINGS + more))
    findings = checked(tmp_path, f"name: A\n{HEAD}{fields}").findings
    *shown, last = of_the_first(findings)
    assert [finding.span.line for finding in shown if finding.span] == list(range(4, 4 + MOST_FINDINGS))
    assert (last.rule, last.severity) == ("more-findings", Severity.ERROR)
    assert said in last.message
    assert last.span
    assert last.span.line == 4 + MOST_FINDINGS
    assert {finding.rule for finding in findings if finding.path.endswith("b.yaml")} == {
        "unknown-field",
        "missing-field",
    }


def test_warnings_alone_stay_a_warning(tmp_path: Path) -> None:
    text = "---\n".join(f"name: A{number}\n{HEAD}{WARNED}" for number in range(MOST_FINDINGS + 50))
    (tmp_path / "a.yaml").write_text(text)
    found = check_directory(tmp_path, PLUGINS)
    assert found.valid
    assert len(found.plans) == MOST_FINDINGS + 50
    assert [finding.rule for finding in found.findings[-2:]] == ["template-optional-path", "more-findings"]


def test_an_error_behind_many_warnings_is_an_error(tmp_path: Path) -> None:
    text = "---\n".join(f"name: A{number}\n{HEAD}{WARNED}" for number in range(MOST_FINDINGS + 50)) + "---\nname: [\n"
    (tmp_path / "a.yaml").write_text(text)
    found = check_directory(tmp_path, PLUGINS)
    assert not found.valid
    assert (found.findings[-1].rule, found.findings[-1].severity) == ("more-findings", Severity.ERROR)


def test_after_so_many_documents_with_errors_the_rest_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    check = WebhookChecker.check

    def counting(self: WebhookChecker, webhook: Webhook) -> list[Finding]:
        looked_at.append(webhook.name)
        return check(self, webhook)

    monkeypatch.setattr(WebhookChecker, "check", counting)
    found = checked(tmp_path, "".join(f"---\nname: A{number}\n" for number in range(5000)))
    assert not found.valid
    assert len([name for name in looked_at if name != "B"]) == MOST_FINDINGS + 1
