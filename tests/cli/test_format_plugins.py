"""A plugin's format: it is offered, it gets the report as data, and what is wrong with it is a message."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Project = Callable[[Mapping[str, str]], Path]
Install = Callable[[str], None]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
HEAD = """
from hookctl.plugin import ReportFormat, hookimpl

def findings(report):
    for finding in report.findings:
        yield f"{report.command} {finding.path} {finding.rule}\\n"

def review(report):
    changes = ", ".join(f"{change.action} {change.name}" for change in report.review.plan.changes)
    return f"{changes}: {report.outcome.ending if report.outcome else 'not applied'}\\n"

def results(report):
    return f"{report.summary} {[result.webhook for result in report.results]}\\n"

def broken(report):
    raise RuntimeError("no ink")

@hookimpl
def hookctl_format_types():
"""
TABLE = HEAD + '    return [ReportFormat(name="table", summary="A table.", findings=findings, review=review)]\n'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(code)``: a plugin ``acme`` of that code, in this process."""
    names: list[str] = []
    information = tmp_path / "site" / "acme-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hookctl-acme\nVersion: 1.0\n")

    def write(code: str) -> None:
        names.append(f"acme_formats_{time.monotonic_ns()}")
        (tmp_path / "site" / f"{names[-1]}.py").write_text(code)
        (information / "entry_points.txt").write_text(f"[hookctl]\nacme = {names[-1]}\n")

    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    yield write
    for name in names:
        sys.modules.pop(name, None)


def test_it_is_offered_by_the_commands_that_make_its_kinds_of_reports(run_cli: Run, install: Install) -> None:
    install(TABLE)
    for command in ("validate", "plan", "apply"):
        assert "|gitlab|table][=FILE]" in run_cli(command, "--help").stdout
    assert "|gitlab|junit][=FILE]" in run_cli("test", "--help").stdout
    assert run_cli("list", "--format", "table").exit_code == 64
    assert "  table (hookctl-acme 1.0)\n      A table.\n" in run_cli("plugins").stdout


def test_an_unknown_name_is_answered_with_the_formats_that_there_are(run_cli: Run, install: Install) -> None:
    install(TABLE)
    result = run_cli("validate", "--format", "tabel")
    assert result.exit_code == 64
    assert "'tabel' is not one of text, json, markdown, github, sarif, gitlab, table. Did you mean table?" in " ".join(
        result.stderr.split()
    )


def test_it_gets_findings_and_reviews_as_data(run_cli: Run, install: Install, project: Project) -> None:
    install(TABLE)
    root = project({"webhooks.d/a.yaml": SIEM})
    assert run_cli("validate", "--format", "table", cwd=root).stdout == ""
    assert run_cli("plan", "--format", "table", cwd=root).stdout == "create Siem: not applied\n"
    result = run_cli("apply", "--auto-approve", "--format", "json=out.json", "--format", "table", cwd=root)
    assert (result.exit_code, result.stdout) == (0, "create Siem: applied\n")
    (root / "webhooks.d/a.yaml").write_text(SIEM.replace("https", "http"))
    for command in ("validate", "plan", "apply"):
        result = run_cli(command, "--format", "table=out.table", cwd=root)
        assert (result.exit_code, result.stdout) == (1, "")
        assert (root / "out.table").read_text() == f"{command} webhooks.d/a.yaml url-scheme\n"


def test_one_without_findings_gets_errors_in_files_as_results(run_cli: Run, install: Install, project: Project) -> None:
    install(HEAD + '    return [ReportFormat(name="row", summary="A row.", results=results)]\n')
    root = project({"webhooks.d/a.yaml": SIEM.replace("https", "http")})
    result = run_cli("test", "--format", "row", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "1 error in 1 file. ['Siem']\n")
    assert run_cli("plan", "--format", "row", cwd=root).exit_code == 64


def test_one_that_fails_is_named(run_cli: Run, install: Install, project: Project) -> None:
    install(HEAD + '    return [ReportFormat(name="torn", summary="Torn.", findings=broken, review=broken)]\n')
    root = project({"webhooks.d/a.yaml": SIEM})
    for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        result = run_cli(*command, "--format", "text", "--format", "torn=out.torn", cwd=root)
        assert result.exit_code == 1
        assert "Error: format torn of plugin acme: " in result.stderr
        assert " raised RuntimeError: no ink" in result.stderr
        assert "Traceback" not in result.stdout + result.stderr
        assert not (root / "out.torn").exists()
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 2, "nothing was applied"


def test_one_that_fails_after_the_apply_does_not_hide_it(run_cli: Run, install: Install, project: Project) -> None:
    install(HEAD + '    return [ReportFormat(name="torn", summary="Torn.", findings=findings, review=broken)]\n')
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("apply", "--auto-approve", "--format", "torn", cwd=root)
    assert result.exit_code == 1
    assert (
        "Error: the plan was applied, but a report of it was not written: format torn of plugin acme" in result.stderr
    )
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 0
    (root / "webhooks.d/a.yaml").write_text(SIEM + "protected: true\n")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    (root / "webhooks.d/a.yaml").write_text(SIEM.replace("Siem", "Other").replace("ingest", "in"))
    refused = run_cli("apply", "--auto-approve", "--format", "torn", cwd=root)
    assert "Error: format torn of plugin acme" in refused.stderr


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["findings", "review", "hook"])
def test_an_async_function_is_refused_and_leaves_no_warning(
    run_cli: Run, install: Install, project: Project, recwarn: pytest.WarningsRecorder, kind: str
) -> None:
    code = HEAD if kind == "hook" else HEAD.replace(f"def {kind}(report):", f"async def {kind}(report):")
    code = code.replace("        yield", "        return") if kind == "findings" else code
    code = code.replace("def hookctl_format_types", "async def hookctl_format_types") if kind == "hook" else code
    install(code + '    return [ReportFormat(name="later", summary="Later.", findings=findings, review=review)]\n')
    root = project({"webhooks.d/a.yaml": SIEM if kind == "review" else SIEM.replace("https", "http")})
    result = run_cli("plan", "--format", "text" if kind == "hook" else "later", cwd=root)
    assert result.exit_code == 1
    assert "returned a coroutine, because it is an `async` function" in result.stderr
    gc.collect()
    assert not [one for one in recwarn if "never awaited" in str(one.message)]


@pytest.mark.parametrize("name", ["text", "json", "gitlab"])
def test_one_with_a_name_of_hookctls_is_left_out(run_cli: Run, install: Install, project: Project, name: str) -> None:
    install(HEAD + f'    return [ReportFormat(name="{name}", summary="Mine.", findings=broken)]\n')
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("validate", "--format", name, cwd=root)
    assert result.exit_code == 0
    assert f"plugin acme adds the format {name!r}, but hookctl has a format of that name" in result.stderr


@pytest.mark.parametrize(("flag", "shown"), [("False", "\\u003a:error::x\n"), ("True", "::error::x\n")])
def test_commands_and_control_characters(
    run_cli: Run, install: Install, project: Project, flag: str, shown: str
) -> None:
    text = "::error::x\\n\\x1b[31m\\ta"
    made = f'ReportFormat(name="ci", summary="CI.", findings=lambda _: "{text}", has_ci_commands={flag})'
    install(HEAD + f"    return [{made}]\n")
    root = project({"webhooks.d/a.yaml": SIEM})
    assert run_cli("validate", "--format", "ci", cwd=root).stdout == f"{shown}\\u001b[31m\ta"
