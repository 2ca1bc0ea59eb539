"""docs/ci.md: GitHub, GitLab and pre-commit accept its files, whose ``hookctl`` lines do what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from sarif_kit.validate import validation_errors

import warm
from hookctl.report.formats.markdown import LIMIT
from hookctl.testing.receiver import Receiver

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
FIRST_WORKFLOW = (ROOT / "engine/hookctl/cli/commands/first_files/workflow.yaml").read_text(encoding="utf-8")
REVIEW, APPLY, GITLAB, PRE_COMMIT = re.findall(r"(?<=^```yaml\n).*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE)
RUNNABLE = re.compile(r"hookctl |cat ")
"""What a step may begin with to be run here; ``pip install`` and ``gh`` need what is not here."""

SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nbody_template: |\n  {}\n"


@dataclass
class Checkout:
    """A clone in which the steps of a job run, as the runner runs them."""

    directory: Path
    environment: dict[str, str]

    def run(self, lines: str) -> subprocess.CompletedProcess[str]:
        script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", lines]
        return subprocess.run(
            script, cwd=self.directory, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def git(self, *arguments: str) -> str:
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *author, *arguments], cwd=self.directory, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.git("add", name)
        self.git("commit", "-q", "-m", name)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A clone whose origin has a main branch with one webhook, on a branch of its own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOOKCTL_", "GIT_", "GITHUB_", "CI_"))
    }
    kept["PATH"] = f"{warm.commands()}:{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    kept["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    kept["HOOKCTL_PLAN_KEY"] = "0123456789abcdef" * 4
    clone = Checkout(tmp_path / "clone", kept)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "origin")], check=True)
    subprocess.run(
        ["git", "clone", "-q", str(tmp_path / "origin"), str(clone.directory)], check=True, capture_output=True
    )
    clone.git("checkout", "-q", "-b", "main")
    clone.commit("webhooks.d/siem.yaml", SIEM)
    clone.git("push", "-q", "origin", "main")
    clone.git("checkout", "-q", "-b", "change")
    return clone


def steps(job: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each line of a job that can run here, and whether it runs after a failure too."""
    for step in job.get("steps", []):
        if RUNNABLE.match(step.get("run", "")):
            yield step["run"], step.get("if", "").startswith("always()")
    for line in job.get("script", []):
        yield line, False


def run_job(checkout: Checkout, job: dict[str, Any]) -> list[subprocess.CompletedProcess[str]]:
    """The steps in order; after one that fails, only those that run always."""
    done: list[subprocess.CompletedProcess[str]] = []
    for line, always in steps(job):
        assert "${{" not in line, "a shell would not know what it means, and an attacker might"
        if always or all(result.returncode == 0 for result in done):
            done.append(checkout.run(line))
    assert done
    return done


def succeeded(results: list[subprocess.CompletedProcess[str]]) -> bool:
    for result in results:
        assert result.returncode == 0, f"{result.args[-1]}\n{result.stdout}\n{result.stderr}"
    return True


# -- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (REVIEW, ["--builtin-schema", "vendor.github-workflows"]),
        (APPLY, ["--builtin-schema", "vendor.github-workflows"]),
        (GITLAB, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
    ids=["review", "apply", "gitlab"],
)
def test_the_files_are_what_their_readers_take(tmp_path: Path, text: str, options: list[str]) -> None:
    (tmp_path / "file.yaml").write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", *options, str(tmp_path / "file.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_review_is_the_one_that_init_writes(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    run_cli("init", cwd=tmp_path)
    assert (tmp_path / ".github/workflows/webhooks.yaml").read_text() == FIRST_WORKFLOW == REVIEW


def test_the_hook_is_there() -> None:
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for repository in yaml.safe_load(PRE_COMMIT)["repos"] for hook in repository["hooks"]} == offered


# -- GitHub ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def review(checkout: Checkout) -> dict[str, Any]:
    checkout.environment["GITHUB_BASE_REF"] = "main"
    job: dict[str, Any] = yaml.safe_load(REVIEW)["jobs"]["review"]
    return job


def test_a_good_pull_request_is_reviewed_without_state(checkout: Checkout, review: dict[str, Any]) -> None:
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("{}", '{"severity": "{{ data.severity }}"}'))
    validated, planned, _ = results = run_job(checkout, review)
    assert succeeded(results)
    assert validated.stdout == ""
    assert planned.stdout == "::notice title=hookctl plan::" + _summary(checkout) + "\n"
    comment = (checkout.directory / "comment.md").read_text()
    assert comment.startswith(
        "## hookctl plan\n\n`Plan: 0 to add, 1 to change, 0 to remove, compared with origin/main ("
    )
    assert '+   {"severity": "{{ data.severity }}"}' in comment
    assert len(comment) <= LIMIT
    assert Path(checkout.environment["GITHUB_STEP_SUMMARY"]).read_text() == comment
    log = json.loads((checkout.directory / "findings.sarif").read_text())
    assert (validation_errors(log), log["runs"][0]["results"]) == ([], [])
    assert not (checkout.directory / ".hookctl").exists()


def _summary(checkout: Checkout) -> str:
    main = checkout.git("rev-parse", "origin/main")[:12]
    return f"Plan: 0 to add, 1 to change, 0 to remove, compared with origin/main ({main})."


def test_a_broken_pull_request_is_told_where(checkout: Checkout, review: dict[str, Any]) -> None:
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("https:", "http:"))
    validated, shown = run_job(checkout, review)
    assert (validated.returncode, shown.returncode) == (1, 0)
    assert validated.stdout.startswith(
        "::error file=webhooks.d/siem.yaml,line=3,endLine=3,col=6,endColumn=10,title=url-scheme::"
    )
    assert "error[url-scheme]" in (checkout.directory / "comment.md").read_text()
    log = json.loads((checkout.directory / "findings.sarif").read_text())
    assert validation_errors(log) == []
    assert (
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "webhooks.d/siem.yaml"
    )


def test_the_first_pull_request_adds_everything(checkout: Checkout, review: dict[str, Any]) -> None:
    checkout.git("checkout", "-q", "main")
    checkout.git("rm", "-q", "-r", "webhooks.d")
    checkout.git("commit", "-q", "-m", "None")
    checkout.git("push", "-q", "origin", "main")
    checkout.commit("webhooks.d/siem.yaml", SIEM)
    assert succeeded(run_job(checkout, review))
    assert "`Plan: 1 to add, 0 to change, 0 to remove" in (checkout.directory / "comment.md").read_text()


def test_a_reviewed_plan_is_applied_and_a_stale_one_is_not(checkout: Checkout, tmp_path: Path) -> None:
    workflow = yaml.safe_load(APPLY)
    assert workflow["jobs"]["apply"]["needs"] == "plan"
    assert set(workflow["env"]) == {"HOOKCTL_STORE"}
    checkout.environment["HOOKCTL_STORE"] = f"sqlite:///{tmp_path}/state/hookctl.db"
    assert succeeded(run_job(checkout, workflow["jobs"]["plan"]))
    assert "Plan: 1 to add" in Path(checkout.environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert succeeded(run_job(checkout, workflow["jobs"]["apply"]))
    assert "Siem" in checkout.run("hookctl list").stdout
    (again,) = run_job(checkout, workflow["jobs"]["apply"])
    assert again.returncode == 1
    assert "stale" in again.stderr


def test_only_a_plan_of_the_job_before_is_applied(checkout: Checkout, tmp_path: Path) -> None:
    """Both jobs get the key from an environment, and no other job does."""
    workflow = yaml.safe_load(APPLY)
    holders = [name for name, job in workflow["jobs"].items() if "secrets.HOOKCTL_PLAN_KEY" in json.dumps(job)]
    assert holders == [name for name, job in workflow["jobs"].items() if "environment" in job] == ["plan", "apply"]
    assert "HOOKCTL_PLAN_KEY" not in REVIEW
    checkout.environment["HOOKCTL_STORE"] = f"sqlite:///{tmp_path}/state/hookctl.db"
    assert succeeded(run_job(checkout, workflow["jobs"]["plan"]))
    assert checkout.run("hookctl plan --out plan.json").returncode == 0  # somebody without the key
    (applied,) = run_job(checkout, workflow["jobs"]["apply"])
    assert (applied.returncode, "the saved plan is not signed" in applied.stderr) == (1, True)


# -- GitLab ----------------------------------------------------------------------------------------------------------


def test_the_gitlab_jobs(checkout: Checkout, tmp_path: Path) -> None:
    jobs = yaml.safe_load(GITLAB)
    with Receiver() as receiver:
        hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())
        checkout.environment |= {"HOOKCTL_CONNECT_TO": hosts, "HOOKCTL_CACERT": receiver.ca_file}
        assert checkout.run("hookctl test --record").returncode == 0
    checkout.environment |= {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": checkout.git("rev-parse", "origin/main"),
        "HOOKCTL_CONNECT_TO": "",
    }
    review = jobs["webhooks:review"]
    assert review["artifacts"]["reports"]["junit"] == "results.xml"
    quality = review["artifacts"]["reports"]["codequality"]
    assert succeeded(run_job(checkout, review))
    assert json.loads((checkout.directory / quality).read_text()) == []
    assert "No changes." in (checkout.directory / "comment.md").read_text()
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("{}", '{"changed": true}'))
    *_, replayed = run_job(checkout, review)
    assert replayed.returncode == 1
    suite = ET.parse(checkout.directory / "results.xml").getroot()[0]  # noqa: S314 - what hookctl has just written
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("https:", "http:"))
    assert not any(done.returncode == 0 for done in run_job(checkout, review))
    (issue,) = json.loads((checkout.directory / quality).read_text())
    assert (issue["check_name"], issue["location"]["path"]) == ("url-scheme", "webhooks.d/siem.yaml")
    checkout.commit("webhooks.d/siem.yaml", SIEM)
    checkout.environment["HOOKCTL_STORE"] = f"sqlite:///{tmp_path}/state/hookctl.db"
    assert succeeded(run_job(checkout, jobs["webhooks:plan"]))
    assert succeeded(run_job(checkout, jobs["webhooks:apply"]))
    assert "Siem" in checkout.run("hookctl list").stdout


def test_every_hookctl_line_of_the_page_is_run() -> None:
    """By the tests above: each stands in a job that one of them runs."""
    github = [*yaml.safe_load(REVIEW)["jobs"].values(), *yaml.safe_load(APPLY)["jobs"].values()]
    gitlab = [job for job in yaml.safe_load(GITLAB).values() if "script" in job]
    run = [line for job in (*github, *gitlab) for line, _ in steps(job)]
    written = re.findall(
        r"^ *(?:- |run: |- run: )(hookctl (?:validate|plan|apply|test).*)$", REVIEW + APPLY + GITLAB, re.MULTILINE
    )
    assert sorted(line for line in run if line.startswith("hookctl")) == sorted(written)
    assert len(written) >= 8
