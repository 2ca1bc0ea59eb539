"""``--format FORMAT[=FILE]`` and ``--junit``: several forms at once, of the same facts, with the same exit code."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from sarif_kit.validate import validation_errors

from hookctl.cli.formats import format_names
from hookctl.schema_files import read_schema
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
Project = Callable[..., Path]

SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nbody_template: |\n  {}\n"
WARNED = SIEM.replace("{}", '{"resource": "{{ data.resource.name }}"}')
BROKEN = SIEM.replace("https:", "http:")
ALL = format_names(("findings", "review", "results"), None)
FILES = [f"--format={form}=out.{form}" for form in ALL if form != "text"]
POLICY = '[policies.owner_label]\n[policies.timeout_at_most]\nseconds = 5\nseverity = "warning"\n'


def reach(receiver: Receiver) -> dict[str, str]:
    hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())
    return {"HOOKCTL_CONNECT_TO": hosts, "HOOKCTL_CACERT": receiver.ca_file}


def sarif(root: Path) -> Any:
    log = json.loads((root / "out.sarif").read_text())
    assert validation_errors(log) == []
    (run,) = log["runs"]
    return run["results"]


# -- the option ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--format", "yaml"],
        ["--format", "json="],
        ["--format", ""],
        ["--format", "text", "--format", "json"],
        ["--format", "json=a", "--format", "sarif=a"],
    ],
)
def test_wrong_usage(run_cli: Run, project: Project, options: list[str]) -> None:
    result = run_cli("validate", *options, cwd=project({"webhooks.d/a.yaml": SIEM}))
    assert result.exit_code == 64
    assert "'--format'" in result.stderr
    assert result.stdout == ""


def test_what_a_command_does_not_have_is_wrong_usage(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    assert run_cli("list", "--format", "sarif", cwd=root).exit_code == 64
    assert run_cli("test", "--scenario", "429", "--format", "markdown", cwd=root).exit_code == 64
    assert run_cli("test", "--scenario", "429", "--junit", "a.xml", cwd=root).exit_code == 64


def test_files_alone_print_nothing(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": BROKEN})
    result = run_cli("validate", "--format", "json=a.json", cwd=root)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
    assert json.loads((root / "a.json").read_text())["error_count"] == 1


def test_the_variable_takes_several(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("validate", cwd=root, env={"HOOKCTL_VALIDATE_FORMAT": "text json=a.json"})
    assert result.stdout == "1 webhook in 1 file, no problems found.\n"
    assert json.loads((root / "a.json").read_text())["valid"]


def test_every_command_with_json_writes_it_into_a_file_too(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    run_cli("apply", "--auto-approve", cwd=root)
    for command in (
        ["list"],
        ["show", "Siem"],
        ["render", "Siem"],
        ["plugins"],
        ["schema", "webhook"],
        ["schema", "event"],
        ["deliveries", "list"],
    ):
        printed = run_cli(*command, "--format", "json", cwd=root).stdout
        result = run_cli(*command, "--format", "json=a.json", cwd=root)
        assert (result.exit_code, result.stdout) == (0, "")
        assert _without_times(json.loads((root / "a.json").read_text())) == _without_times(json.loads(printed))


def _without_times(document: Any) -> str:
    return re.sub(r'"\d{10}"', '"NOW"', json.dumps(document))


def test_a_file_has_no_color(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": BROKEN})
    assert "\x1b" in run_cli("--color", "always", "validate", cwd=root).stdout
    run_cli("--color", "always", "validate", "--format", "text=a.txt", cwd=root)
    assert "\x1b" not in (root / "a.txt").read_text()


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_readable_by_others(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM, "real.json": "x" * 100_000})
    inode = (root / "real.json").stat().st_ino
    before = os.umask(0o022)
    try:
        assert run_cli("validate", "--format", "json=real.json", cwd=root).exit_code == 0
    finally:
        os.umask(before)
    assert json.loads((root / "real.json").read_text())["valid"]
    assert (root / "real.json").stat().st_ino != inode
    assert stat.S_IMODE((root / "real.json").stat().st_mode) == 0o644
    assert sorted(path.name for path in root.iterdir()) == ["real.json", "webhooks.d"]


def test_a_file_that_cannot_be_written_is_named_and_the_rest_is_printed(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("validate", "--format", "sarif=missing/out.sarif", "--format", "text", cwd=root)
    assert result.exit_code == 1
    assert "missing/out.sarif cannot be written: No such file or directory" in result.stderr
    assert "no problems found" in result.stdout


def test_a_pipe_is_written_to(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    os.mkfifo(root / "pipe")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append((root / "pipe").read_text()))
    reader.start()
    assert run_cli("validate", "--format", "json=pipe", cwd=root).exit_code == 0
    reader.join(10)
    assert json.loads(got[0])["valid"]
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)


# -- validate --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "test"])
def test_errors_in_files_are_told_in_every_form_by_every_command(run_cli: Run, project: Project, command: str) -> None:
    root = project({"webhooks.d/a.yaml": BROKEN})
    result = run_cli(command, "--format", "text", *FILES, cwd=root)
    assert result.exit_code == 1
    assert "webhooks.d/a.yaml:3:6: error[url-scheme]" in result.stdout
    assert json.loads((root / "out.json").read_text())["diagnostics"][0]["code"] == "url-scheme"
    assert f"## hookctl {command}\n\n**1 error in 1 file.**" in (root / "out.markdown").read_text()
    assert (
        (root / "out.github")
        .read_text()
        .startswith("::error file=webhooks.d/a.yaml,line=3,endLine=3,col=6,endColumn=10,title=url-scheme::")
    )
    (found,) = sarif(root)
    assert (found["ruleId"], found["level"]) == ("url-scheme", "error")
    assert found["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3,
        "startColumn": 6,
        "endLine": 3,
        "endColumn": 10,
    }


def test_columns_are_characters(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM + 'labels: {"\U0001f600": a, 日本: [x]}\n'})
    run_cli("validate", *FILES, cwd=root)
    document = json.loads((root / "out.json").read_text())["diagnostics"][0]
    region = sarif(root)[0]["locations"][0]["physicalLocation"]["region"]
    assert region["startColumn"] == document["range"]["start"]["column"]
    line = (root / "webhooks.d/a.yaml").read_text().split("\n")[region["startLine"] - 1]
    assert (
        line[region["startColumn"] - 1 : region["endColumn"] - 1]
        == document["snippet"]["code"][region["startColumn"] - 1 : region["endColumn"] - 1]
        != ""
    )


def test_paths_begin_at_the_root_of_the_git_repository(run_cli: Run, project: Project) -> None:
    root = project({"hooks/webhooks.d/a b.yaml": BROKEN})
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    run_cli("validate", *FILES, cwd=root / "hooks")
    assert "file=hooks/webhooks.d/a b.yaml," in (root / "hooks/out.github").read_text()
    location = sarif(root / "hooks")[0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "hooks/webhooks.d/a%20b.yaml", "uriBaseId": "%SRCROOT%"}
    assert (
        json.loads((root / "hooks/out.json").read_text())["diagnostics"][0]["range"]["filename"]
        == "webhooks.d/a b.yaml"
    )


def test_a_missing_directory(run_cli: Run, tmp_path: Path) -> None:
    assert run_cli("validate", *FILES, cwd=tmp_path).exit_code == 1
    assert "::error file=webhooks.d,title=directory-missing::" in (tmp_path / "out.github").read_text()
    assert sarif(tmp_path)[0]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "webhooks.d", "uriBaseId": "%SRCROOT%"}}}
    ]


# -- plan and apply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_a_plan_in_every_form(run_cli: Run, project: Project, command: list[str]) -> None:
    root = project({"webhooks.d/a.yaml": WARNED, "hookctl.toml": POLICY})
    result = run_cli(*command, "--format", "text", *FILES, cwd=root)
    assert result.exit_code == 1
    summary = "Plan: 1 to add, 0 to change, 0 to remove."
    document = json.loads((root / "out.json").read_text())
    jsonschema.validate(document, read_schema("plan.schema.json"), cls=jsonschema.Draft202012Validator)
    rules = {"owner_label": "error", "timeout_at_most": "warning", "template-optional-path": "warning"}
    assert {finding["policy"]: finding["severity"] for finding in document["findings"]} == rules
    comment, lines = (root / "out.markdown").read_text(), (root / "out.github").read_text().splitlines()
    for rule, severity in rules.items():
        assert f"{severity}[{rule}]" in result.stdout
        assert f"{severity}[{rule}]" in comment
    assert summary in result.stdout
    assert f"`{summary}`" in comment
    assert "### ⛔ 1 error: this cannot be applied" in comment
    assert [line.partition(" ")[0] for line in lines[:4]] == ["::error", "::warning", "::warning", "::notice"]
    assert lines[0].startswith("::error file=webhooks.d/a.yaml,line=")
    assert lines[3] == f"::notice title=hookctl {command[0]}::{summary}"
    refused = "Nothing was applied: 1 error."
    assert lines[4:] == ([f"::notice title=hookctl apply::{refused}"] if command[0] == "apply" else [])
    assert (refused in result.stdout, refused in comment, "outcome" in document) == (command[0] == "apply",) * 3
    results = {found["ruleId"].removeprefix("policy/"): found["level"] for found in sarif(root)}
    assert results == rules
    assert (
        not (root / ".hookctl/hookctl.db").exists()
        or "No webhooks" in run_cli("list", cwd=root).stdout
        or "not applied" in run_cli("list", cwd=root).stdout
    )


def test_a_removal_is_warned_of(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM, "webhooks.d/b.yaml": SIEM.replace("Siem", "B")})
    run_cli("apply", "--auto-approve", cwd=root)
    (root / "webhooks.d/b.yaml").unlink()
    comment = run_cli("plan", "--format", "markdown", cwd=root).stdout
    assert "### ⚠️ 1 webhook will be removed\n\n`B`\n" in comment


def test_apply_says_what_it_did_where_the_plan_is_not(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("apply", "--auto-approve", "--format", "json", cwd=root)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["summary"]["create"] == 1
    assert "Applied: 1 added" in result.stderr


REPORTS = ["--format", "text=out.text", *FILES]


def told(root: Path, command: Any) -> tuple[str, int | None]:
    """The result and the serial that an apply's reports tell; all of them tell the same, and what was printed too."""
    document = json.loads((root / "out.json").read_text())
    jsonschema.validate(document, read_schema("plan.schema.json"), cls=jsonschema.Draft202012Validator)
    outcome = document["outcome"]
    for form in ("text", "markdown", "github"):
        assert outcome["message"] in (root / f"out.{form}").read_text()
    if outcome["result"] in {"applied", "declined", "refused", "test_failed"}:
        assert outcome["message"] in command.stdout + command.stderr
    assert (command.exit_code == 0) is (outcome["result"] in {"applied", "no_changes"})
    return outcome["result"], outcome["serial"]


def test_every_report_of_an_apply_says_what_became_of_it(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    assert told(root, run_cli("apply", *REPORTS, cwd=root)) == (
        "failed",
        None,
    )  # cannot ask for approval: standard input is not a terminal
    assert (
        "**⛔** `Nothing was applied: cannot ask for approval: standard input is not a terminal.`"
        in (root / "out.markdown").read_text()
    )
    run_cli("plan", "--out", "plan.json", cwd=root)
    assert told(root, run_cli("apply", "--auto-approve", *REPORTS, cwd=root)) == ("applied", 1)
    assert (
        "**✅** `Applied: 1 added, 0 changed, 0 removed. The state now has serial 1.`"
        in (root / "out.markdown").read_text()
    )
    assert told(root, run_cli("apply", "--auto-approve", *REPORTS, cwd=root)) == ("no_changes", None)
    assert told(root, run_cli("apply", "plan.json", "--auto-approve", *REPORTS, cwd=root)) == ("failed", None)
    assert "the plan is stale" in (root / "out.markdown").read_text()
    (root / "webhooks.d/a.yaml").write_text(SIEM + "protected: true\n")
    (root / "webhooks.d/b.yaml").write_text(SIEM.replace("Siem", "B"))
    assert told(root, run_cli("apply", "--auto-approve", *REPORTS, cwd=root)) == ("applied", 2)
    (root / "webhooks.d/a.yaml").unlink()
    assert told(root, run_cli("apply", "--auto-approve", *REPORTS, cwd=root)) == ("refused", None)


def test_the_reports_of_an_apply_hold_its_tests(run_cli: Run, project: Project, receiver: Receiver) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    receiver.answer("/ingest", Answer(403))
    assert told(root, run_cli("apply", "--test", "--auto-approve", *REPORTS, cwd=root, env=reach(receiver))) == (
        "test_failed",
        None,
    )
    assert json.loads((root / "out.json").read_text())["outcome"]["tests"] == [
        {"webhook": "Siem", "result": "failed", "reason": "HTTP 403 Forbidden"}
    ]
    assert "✗ Siem  Test failed  HTTP 403 Forbidden" in (root / "out.markdown").read_text()
    receiver.answer("/ingest", Answer())
    assert told(root, run_cli("apply", "--test", "--auto-approve", *REPORTS, cwd=root, env=reach(receiver))) == (
        "applied",
        1,
    )
    assert json.loads((root / "out.json").read_text())["outcome"]["tests"] == [
        {"webhook": "Siem", "result": "successful", "reason": ""}
    ]


def test_a_report_that_cannot_be_written_keeps_a_plan_from_being_applied(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    result = run_cli("apply", "--auto-approve", "--format", "text", "--format", "json=gone/out.json", cwd=root)
    assert (result.exit_code, "gone/out.json cannot be written" in result.stderr, "Applied" in result.stdout) == (
        1,
        True,
        False,
    )
    assert run_cli("plan", "--detailed-exitcode", cwd=root).exit_code == 2


def test_what_apply_printed_is_no_plan_to_apply_twice(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    run_cli("apply", "--auto-approve", "--format", "json=done.json", cwd=root)
    result = run_cli("apply", "done.json", "--auto-approve", cwd=root)
    assert (result.exit_code, "the plan is stale" in result.stderr) == (1, True)


def test_the_exit_code_does_not_depend_on_the_form(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    for form in ALL:
        assert run_cli("plan", "--detailed-exitcode", "--format", form, cwd=root).exit_code == 2
        assert run_cli("validate", "--format", form, cwd=root).exit_code == 0
    run_cli("apply", "--auto-approve", cwd=root)
    for form in ALL:
        assert run_cli("plan", "--detailed-exitcode", "--format", form, cwd=root).exit_code == 0


# -- test ------------------------------------------------------------------------------------------------------------


def test_results_in_every_form(run_cli: Run, project: Project, receiver: Receiver) -> None:
    receiver.answer("/refused", Answer(403))
    root = project(
        {"webhooks.d/a.yaml": SIEM, "webhooks.d/b.yaml": SIEM.replace("Siem", "Refused").replace("/ingest", "/refused")}
    )
    result = run_cli("test", "--format", "text", *FILES, "--junit", "junit.xml", cwd=root, env=reach(receiver))
    assert result.exit_code == 1
    document = json.loads((root / "out.json").read_text())
    jsonschema.validate(document, read_schema("test.schema.json"), cls=jsonschema.Draft202012Validator)
    (failed,) = [test for test in document["tests"] if test["result"] == "failed"]
    assert (failed["webhook"], failed["reason"]) == ("Refused", "HTTP 403 Forbidden")
    comment, annotations = (root / "out.markdown").read_text(), (root / "out.github").read_text()
    assert "**2 tests: 1 successful, 1 failed.**" in comment
    assert annotations.startswith(
        "::error file=webhooks.d/b.yaml,line=1,endLine=1,col=7,endColumn=14,title=test-failed::"
    )
    assert "::notice title=hookctl test::2 tests: 1 successful, 1 failed.\n" in annotations
    (found,) = sarif(root)
    assert found["message"]["text"].startswith("Refused: HTTP 403 Forbidden. ")
    suite = ET.parse(root / "junit.xml").getroot()[0]  # noqa: S314 - what we have just written
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    failure = suite.find("testcase[@name='Refused']/failure")
    assert failure is not None
    assert failure.get("message") == "HTTP 403 Forbidden"
    for tip in failed["tips"]:
        assert tip in result.stdout
        assert tip in comment
        assert tip in (failure.text or "")
        assert tip in annotations
        assert tip in found["message"]["text"]


def test_errors_in_files_stand_in_junit(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": BROKEN, "junit.xml": "the last run's"})
    assert run_cli("test", "--junit", "junit.xml", cwd=root).exit_code == 1
    error = ET.parse(root / "junit.xml").getroot().find("testsuite/testcase[@name='Siem']/error")  # noqa: S314 - what we have just written
    assert error is not None
    assert (error.get("message") or "").startswith("url-scheme: ")


def test_a_warning_is_not_a_test_that_could_not_start(run_cli: Run, project: Project) -> None:
    root = project({"webhooks.d/a.yaml": BROKEN, "webhooks.d/b.yaml": WARNED.replace("Siem", "Warned")})
    result = run_cli("test", "--junit", "junit.xml", cwd=root)
    assert "1 error and 1 warning" in result.stdout
    cases = ET.parse(root / "junit.xml").getroot().findall("testsuite/testcase")  # noqa: S314 - what we have just written
    assert [case.get("name") for case in cases] == ["Siem"]


def test_a_plan_as_json_is_printed_piece_by_piece(
    run_cli: Run, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[int] = []

    def pieces(*_: object) -> Iterator[str]:
        for piece in ("[\n", "1\n", "]\n"):
            printed.append(sys.stdout.buffer.tell())
            yield piece

    monkeypatch.setattr("hookctl.report.text.plan.plan_json", pieces)
    result = run_cli("plan", "--format", "json", cwd=project({"webhooks.d/a.yaml": SIEM}))
    assert (result.stdout, printed) == ("[\n1\n]\n", [0, 2, 4])


def test_a_replay_in_every_form(run_cli: Run, project: Project, receiver: Receiver) -> None:
    root = project({"webhooks.d/a.yaml": SIEM})
    assert run_cli("test", "--record", cwd=root, env=reach(receiver)).exit_code == 0
    assert run_cli("test", "--replay", "--junit", "junit.xml", "--format", "markdown", cwd=root).exit_code == 0
    (root / "webhooks.d/a.yaml").write_text(SIEM.replace("{}", '{"new": 1}'))
    result = run_cli("test", "--replay", "--junit", "junit.xml", "--format", "text", *FILES, cwd=root)
    assert result.exit_code == 1
    failure = ET.parse(root / "junit.xml").getroot().find("testsuite/testcase/failure")  # noqa: S314 - what we have just written
    assert failure is not None
    assert failure.get("message") in result.stdout
    assert "hookctl test --record Siem" in (failure.text or "")
    assert "hookctl test --record Siem" in (root / "out.markdown").read_text()
    assert "title=test-failed::" in (root / "out.github").read_text()
    assert [found["ruleId"] for found in sarif(root)] == ["test-failed"]
