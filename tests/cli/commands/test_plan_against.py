"""``hookctl plan --against``: a pull request compared with its base, with neither state nor secrets nor network."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.schema_files import read_schema

Run = Callable[..., Any]
Git = Callable[..., str]
SIEM = (
    "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nauth: {type: bearer, token: '${env:NOT_SET}'}\n"
)
TICKETS = "name: Tickets\nevent: anomaly\nurl: https://tickets.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM, "webhooks.d/tickets.yaml": TICKETS})


@pytest.fixture
def git(root: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository whose ``main`` has the project's files."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*arguments: str) -> str:
        command = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    run("init", "--quiet", "--initial-branch=main")
    run("add", "--all")
    run("commit", "--quiet", "--message=x")
    return run


def test_what_a_pull_request_changes(run_cli: Run, root: Path, git: Git) -> None:
    git("switch", "--quiet", "--create", "topic")
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "timeout_seconds: 9\n")
    (root / "webhooks.d/tickets.yaml").rename(root / "webhooks.d/zz.yaml")
    (root / "webhooks.d/zz.yaml").write_text(TICKETS.replace("name: Tickets", "name: Issues"))
    result = run_cli("plan", "--against", "main", cwd=root)
    commit = git("rev-parse", "main").strip()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  ~ Siem\n      ~ timeout_seconds: 15 -> 9\n" in result.stdout
    assert "  ~ Tickets -> Issues\n" in result.stdout
    assert result.stdout.endswith(
        f"Plan: 0 to add, 1 to change, 0 to remove, 1 to rename, compared with main ({commit[:12]}).\n"
    )
    assert not (root / ".hookctl").exists()
    assert run_cli("plan", "--against", "main", "--detailed-exitcode", cwd=root).exit_code == 2


def test_nothing_changes(run_cli: Run, root: Path, git: Git) -> None:
    commit = git("rev-parse", "HEAD").strip()
    result = run_cli("plan", "--against", "HEAD", "--detailed-exitcode", cwd=root)
    assert (result.exit_code, result.stdout) == (
        0,
        f"No changes. The files match HEAD ({commit[:12]}).\n",
    )
    assert run_cli("plan", "--against", commit[:8], cwd=root).stdout == f"No changes. The files match {commit[:12]}.\n"


def test_the_state_is_not_looked_at(run_cli: Run, root: Path, git: Git) -> None:  # noqa: ARG001 - the repository
    (root / ".hookctl").mkdir()
    (root / ".hookctl/hookctl.db").write_text("not a database, and longer than a header" * 100)
    assert run_cli("plan", cwd=root).exit_code == 1
    assert run_cli("plan", "--against", "main", cwd=root).exit_code == 0


def test_json(run_cli: Run, root: Path, git: Git) -> None:
    (root / "webhooks.d/siem.yaml").unlink()
    document = json.loads(run_cli("plan", "--against", "main", "--format", "json", cwd=root).stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    assert document["against"] == {"ref": "main", "commit": git("rev-parse", "main").strip()}
    assert (document["serial"], document["summary"]["delete"]) == (0, 1)


def test_it_cannot_be_applied(run_cli: Run, root: Path, git: Git) -> None:  # noqa: ARG001 - as above
    assert run_cli("plan", "--against", "main", "--out", "plan.json", cwd=root).exit_code == 64
    (root / "webhooks.d/new.yaml").write_text(TICKETS.replace("Tickets", "New"))
    (root / "plan.json").write_text(run_cli("plan", "--against", "main", "--format", "json", cwd=root).stdout)
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        "Error: the plan compares with the git revision 'main' instead of what is applied, so it cannot be applied\n"
        in result.stderr
    )
    document = json.loads((root / "plan.json").read_text())
    (root / "plan.json").write_text(json.dumps({**document, "against": None}))
    assert "altered" in run_cli("apply", "plan.json", "--auto-approve", cwd=root).stderr
    assert not (root / ".hookctl").exists()


@pytest.mark.parametrize("ref", ["nope", "-x", "", "main..main"])
def test_an_unknown_revision(run_cli: Run, root: Path, git: Git, ref: str) -> None:  # noqa: ARG001 - as above
    result = run_cli("plan", f"--against={ref}", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {ref!r} ")
    assert "Traceback" not in result.stderr


def test_no_repository(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    result = run_cli("plan", "--against", "main", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: webhooks.d is not in a git repository\n  Run hookctl in a checkout.\n"


def test_a_repository_without_commits(run_cli: Run, root: Path) -> None:
    subprocess.run(["git", "-C", str(root), "init", "--quiet", "--initial-branch", "main"], check=True)
    result = run_cli("plan", "--against", "main", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: the repository {root} has no commits yet\n  Commit the webhook files")


def test_a_base_that_had_errors(run_cli: Run, root: Path, git: Git) -> None:
    (root / "webhooks.d/siem.yaml").write_text(SIEM.replace("https:", "http:") + "timeout: 3\n")
    (root / "webhooks.d/gone.yaml").write_text("name: Gone\nevent: nothing\nurl: https://gone.example.com/\n")
    (root / "webhooks.d/tickets.yaml").write_text(TICKETS + "---\nname: [\n")
    git("add", "--all")
    git("commit", "--quiet", "--message=broken")
    (root / "webhooks.d/siem.yaml").write_text(SIEM)
    (root / "webhooks.d/tickets.yaml").write_text(TICKETS)
    (root / "webhooks.d/gone.yaml").unlink()
    result = run_cli("plan", "--against", "HEAD", cwd=root)
    assert result.exit_code == 0
    assert "  + Siem\n" in result.stdout
    assert (
        "    warning[against]: it is compared as if it did not exist, "
        "since its file has an error: HEAD:webhooks.d/siem.yaml:3:6: " in result.stdout
    )
    assert "(and 1 more)\n" in result.stdout
    assert "HEAD:webhooks.d/gone.yaml:2:8: " in result.stdout
    assert (
        "warning[against]: a webhook is compared as if it did not exist, "
        "since its file has an error: HEAD:webhooks.d/tickets.yaml:" in result.stdout
    )
    assert "Plan: 1 to add, 0 to change, 0 to remove, compared with HEAD" in result.stdout
    assert "Tickets" not in result.stdout.replace("tickets", "").split("unchanged")[0]


def test_errors_in_the_files_stop_it_as_ever(run_cli: Run, root: Path, git: Git) -> None:  # noqa: ARG001 - as above
    (root / "webhooks.d/siem.yaml").write_text("name: 1\n")
    assert run_cli("plan", "--against", "main", cwd=root).exit_code == 1


def test_removals_that_an_apply_would_refuse_are_told(run_cli: Run, root: Path, git: Git) -> None:
    for number in range(10):
        (root / f"webhooks.d/{number}.yaml").write_text(TICKETS.replace("Tickets", f"W{number}"))
    git("add", "--all")
    git("commit", "--quiet", "--message=many")
    for number in range(5):
        (root / f"webhooks.d/{number}.yaml").unlink()
    result = run_cli("plan", "--against", "HEAD", cwd=root)
    assert result.exit_code == 0
    assert "warning[removals]: 5 of 12 webhooks would be removed or deactivated; the limit is 30 %" in result.stdout


def test_only_some_of_it(run_cli: Run, root: Path, git: Git) -> None:  # noqa: ARG001 - as above
    (root / "webhooks.d/siem.yaml").unlink()
    (root / "webhooks.d/tickets.yaml").write_text(TICKETS + "timeout_seconds: 9\n")
    result = run_cli("plan", "--against", "main", "--only", "Tickets", cwd=root)
    assert "    1 left as they are: Siem\n" in result.stdout
    assert "Only Tickets. Plan: 0 to add, 1 to change, 0 to remove, compared with main" in result.stdout
