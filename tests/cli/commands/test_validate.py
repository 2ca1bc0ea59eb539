"""``hookctl validate`` and ``hookctl explain``, run whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.check.catalog import RULES

GOOD = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
WARNED = GOOD + 'body_template: \'{"resource": "{{ data.resource.name }}"}\'\n'

Project = Callable[[dict[str, str]], Path]
Run = Callable[..., Any]


def test_good_files(project: Project, run_cli: Run) -> None:
    result = run_cli(
        "validate",
        cwd=project(
            {
                "webhooks.d/a.yaml": GOOD,
                "webhooks.d/b.yml": GOOD.replace("Siem", "B") + "---\n" + GOOD.replace("Siem", "C"),
            }
        ),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "3 webhooks in 2 files, no problems found.\n", "")


def test_all_findings_of_all_files(project: Project, run_cli: Run) -> None:
    files = {
        "webhooks.d/a.yaml": "name: [\n",
        "webhooks.d/b.yaml": GOOD.replace("https", "http") + "timeout_seconds: 0\n",
        "webhooks.d/c.yaml": GOOD.replace("Siem", "SIEM"),
        "webhooks.d/d.yaml": "",
    }
    result = run_cli("validate", cwd=project(files))
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("webhooks.d/")] == [
        (
            "webhooks.d/a.yaml:1:7: error[yaml-syntax]: "
            "the document is not valid YAML: did not find expected node content while parsing a flow node"
        ),
        "webhooks.d/b.yaml:3:6: error[url-scheme]: the scheme is http, but hookctl sends only to https",
        "webhooks.d/b.yaml:4:18: error[out-of-range]: `timeout_seconds` must be greater than 0",
        (
            "webhooks.d/c.yaml:1:7: error[name-duplicate]: "
            "the name 'SIEM' is taken by the webhook at webhooks.d/b.yaml:1, written 'Siem'"
        ),
        "webhooks.d/d.yaml: error[file-empty]: the file contains no webhook",
    ]
    assert "  3 | url: http://siem.example.com/ingest\n    |      ^^^^\n" in result.stdout
    assert result.stdout.endswith("5 errors in 4 files.\n")
    assert "\x1b" not in result.stdout


def test_color_is_there_when_it_is_asked_for(project: Project, run_cli: Run) -> None:
    assert "\x1b[" in run_cli("--color", "always", "validate", cwd=project({"webhooks.d/a.yaml": ""})).stdout


def test_json(project: Project, run_cli: Run) -> None:
    result = run_cli("validate", "--format", "json", cwd=project({"webhooks.d/a.yaml": GOOD + "methd: POST\n"}))
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["valid"], document["error_count"]) == (False, 1)
    (diagnostic,) = document["diagnostics"]
    assert (diagnostic["code"], diagnostic["suggestions"], diagnostic["range"]["start"]["line"]) == (
        "unknown-field",
        ["method"],
        4,
    )


def test_json_of_good_files(project: Project, run_cli: Run) -> None:
    result = run_cli("validate", "--format", "json", cwd=project({"webhooks.d/a.yaml": GOOD}))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["valid"] is True


def test_warnings_are_shown_and_pass(project: Project, run_cli: Run) -> None:
    result = run_cli("validate", cwd=project({"webhooks.d/a.yaml": WARNED}))
    assert result.exit_code == 0
    assert "warning[template-optional-path]" in result.stdout


@pytest.mark.parametrize(
    ("files", "rule"),
    [({"other/a.yaml": GOOD}, "directory-missing"), ({"webhooks.d/README.md": "x"}, "directory-empty")],
)
def test_nothing_to_check_is_an_error(files: dict[str, str], rule: str, project: Project, run_cli: Run) -> None:
    result = run_cli("validate", cwd=project(files))
    assert result.exit_code == 1
    assert f"webhooks.d: error[{rule}]" in result.stdout


def test_secrets_and_network_are_not_needed(project: Project, run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args: pytest.fail("validate must not resolve names"))
    result = run_cli(
        "validate", cwd=project({"webhooks.d/a.yaml": GOOD + "auth: {type: bearer, token: '${env:NOT_SET}'}\n"})
    )
    assert result.exit_code == 0


def test_explain_tells_a_rule(run_cli: Run) -> None:
    result = run_cli("explain", "url-port")
    assert result.exit_code == 0
    assert RULES["url-port"].summary in result.stdout
    assert "    url: https://siem.example.com:443/ingest\n" in result.stdout


def test_explain_lists_every_rule(run_cli: Run) -> None:
    result = run_cli("explain")
    assert result.exit_code == 0
    *groups, topics = result.stdout.split("\n\n")
    assert [line.split()[0] for group in groups for line in group.splitlines()[1:]] == list(RULES)
    policies, events, problems, pages, _ = topics.splitlines()
    assert "allowed_hosts" in policies.removeprefix("Policies: ").split(", ")
    assert "event-schema" in events.removeprefix("Errors of events: ").split(", ")
    assert "token-missing" in problems.removeprefix("Problems of the API: ").split(", ")
    assert "settings" in pages.removeprefix("Pages: ").split(", ")


@pytest.mark.parametrize("rule", RULES)
def test_explain_knows(rule: str, run_cli: Run) -> None:
    result = run_cli("explain", rule)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{rule}: ")


@pytest.mark.parametrize("name", ["allowed_hosts", "policy/allowed_hosts"])
def test_explain_knows_a_policy_by_either_name_that_reports_give_it(name: str, run_cli: Run) -> None:
    assert run_cli("explain", name).stdout.startswith("allowed_hosts: Webhooks send only to these hosts.\n")


def test_explain_says_what_may_have_been_meant(run_cli: Run) -> None:
    result = run_cli("explain", "secret-litteral")
    assert result.exit_code == 64
    assert "Did you mean secret-literal" in result.stderr
    assert run_cli("explain", "zzz").exit_code == 64


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ("[policies.nonsense]\n", "[policies]: unknown policy 'nonsense'"),
        ("[policies.owner_label]\nlabels = 'a'\n", "[policies.owner_label]: unknown field `labels`"),
        ("[policies.timeout_at_most]\nseconds = 3\nseverity = 'fatal'\n", "[policies.timeout_at_most]: "),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_plan_would_refuse_of_the_settings(
    project: Project, run_cli: Run, settings: str, error: str, form: str
) -> None:
    result = run_cli("validate", "--format", form, cwd=project({"webhooks.d/a.yaml": GOOD, "hookctl.toml": settings}))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {error}")
    assert result.stdout  # what is to be said of the files is said all the same
    assert "Error" not in result.stdout
    fine = run_cli(
        "validate",
        "--format",
        form,
        cwd=project({"webhooks.d/a.yaml": GOOD, "hookctl.toml": "[policies.owner_label]\n"}),
    )
    assert (fine.exit_code, fine.stderr) == (0, "")
