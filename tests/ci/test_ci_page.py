"""docs/ci.md and docs/ci/: GitHub, GitLab and pre-commit accept the files, whose ``hookctl`` lines do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sarif_kit.validate import validation_errors

import warm
from hookctl.report.formats.markdown import LIMIT
from hookctl.testing.receiver import Receiver

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
ACTION = (ROOT / "docs/ci/action.yml").read_text(encoding="utf-8")
COMPONENT = (ROOT / "docs/ci/gitlab.yml").read_text(encoding="utf-8")
COMPONENT_SPEC, COMPONENT_JOBS = COMPONENT.split("\n---\n")
RELEASE = (ROOT / ".ci/release.yml").read_text(encoding="utf-8")
FIRST_WORKFLOW = (ROOT / "engine/hookctl/cli/commands/first_files/workflow.yaml").read_text(encoding="utf-8")
REVIEW, APPLY, GITLAB, PRE_COMMIT = re.findall(r"(?<=^```yaml\n).*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE)
OURS = re.compile(r"your-organization/hookctl/docs/ci@")
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")
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
    """Each line of a job that can run here, and whether it runs after a failure too. Our action gives its own lines."""
    for step in job.get("steps", []):
        if OURS.match(step.get("uses", "")):
            yield from steps(yaml.safe_load(ACTION)["runs"])
        elif RUNNABLE.match(step.get("run", "")):
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
        (RELEASE, ["--builtin-schema", "vendor.github-workflows"]),
        (ACTION, ["--builtin-schema", "vendor.github-actions"]),
        (GITLAB, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        (COMPONENT_SPEC, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        (COMPONENT_JOBS, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
    ids=["review", "apply", "release", "action", "gitlab", "component-spec", "component-jobs"],
)
def test_the_files_are_what_their_readers_take(tmp_path: Path, text: str, options: list[str]) -> None:
    (tmp_path / "file.yaml").write_text(text)
    command = [sys.executable, "-m", "check_jsonschema", *options, str(tmp_path / "file.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_review_is_the_one_that_init_writes(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    run_cli("init", cwd=tmp_path)
    assert (tmp_path / ".github/workflows/webhooks.yaml").read_text() == FIRST_WORKFLOW == REVIEW


@pytest.mark.parametrize("text", [REVIEW, APPLY, RELEASE, ACTION], ids=["review", "apply", "release", "action"])
def test_actions_are_pinned_by_commit(text: str) -> None:
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for name, comment in used:
        assert PINNED.fullmatch(name), name
        assert OURS.match(name) or re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{name} needs its version"


def test_each_action_has_one_version_everywhere() -> None:
    used = set(re.findall(r"uses: ([\w./-]+)@(\S+)", REVIEW + APPLY + RELEASE + ACTION))
    assert len(used) == len({name for name, _ in used})


def test_images_and_the_component_are_pinned() -> None:
    job = yaml.safe_load(COMPONENT_JOBS)["webhooks:review"]
    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}", job["image"])
    assert f"FROM {job['image']}" in (ROOT / "docs/deploy/Containerfile").read_text(encoding="utf-8")
    (included,) = yaml.safe_load(GITLAB)["include"]
    spec = yaml.safe_load(COMPONENT_SPEC)["spec"]["inputs"]
    assert included["ref"] == included["inputs"]["commit"]
    assert re.fullmatch(spec["commit"]["regex"], included["ref"])
    assert (ROOT / included["file"]).is_file()
    assert set(included["inputs"]) == set(spec)
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", COMPONENT_JOBS)) == set(spec)


def test_inputs_are_documented() -> None:
    inputs = {**yaml.safe_load(ACTION)["inputs"], **yaml.safe_load(COMPONENT_SPEC)["spec"]["inputs"]}
    assert [name for name in inputs if f"\n| `{name}` |" not in PAGE] == []
    assert set(re.findall(r"inputs\.([\w-]+)", ACTION)) == set(yaml.safe_load(ACTION)["inputs"])


def test_what_is_installed_is_pinned_with_hashes() -> None:
    """The file has every dependency of hookctl, in a version that it accepts, and what builds the wheel."""
    text = (ROOT / "docs/ci/requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    pinned = {}
    for entry in re.split(r"\n(?=\S)", text):
        found = re.match(r"(?P<name>[\w.-]+)==(?P<version>[\w.]+)", entry)
        if found:
            assert "--hash=sha256:" in entry, entry
            pinned[canonicalize_name(found["name"])] = found["version"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["serve"],
        *project["project"]["optional-dependencies"]["postgres"],
        *project["build-system"]["requires"],
    ]
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is missing: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement} does not accept {version}: run `make lock`"


def test_the_sbom_lists_what_is_pinned(tmp_path: Path) -> None:
    command = re.search(r"cyclonedx-py (requirements .*)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert command is not None
    out = tmp_path / "sbom.json"
    arguments = command[1].replace("dist/hookctl.cdx.json", str(out)).split()
    module = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *arguments]
    done = subprocess.run(module, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    sbom = json.loads(out.read_text(encoding="utf-8"))
    pinned = set(
        re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "docs/ci/requirements.txt").read_text("utf-8"), re.MULTILINE)
    )
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "hookctl")
    assert {(part["name"], part["version"]) for part in sbom["components"]} == pinned


def test_the_release_has_sbom_and_provenance_and_only_the_last_job_may_write() -> None:
    jobs = yaml.safe_load(RELEASE)["jobs"]
    assert [step.get("run") for step in jobs["build"]["steps"] if "run" in step] == [".ci/run", ".ci/release"]
    assert "permissions" not in jobs["build"]
    attested = [step["with"] for step in jobs["publish"]["steps"] if "actions/attest@" in step.get("uses", "")]
    assert [sorted(given) for given in attested] == [["subject-path"], ["sbom-path", "subject-path"]]
    assert all("checkout" not in step.get("uses", "") for step in jobs["publish"]["steps"])
    script = (ROOT / ".ci/release").read_text(encoding="utf-8")
    assert attested[1]["sbom-path"] == "dist/hookctl.cdx.json"
    assert attested[1]["sbom-path"] in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^make wheel sbom$", script, re.MULTILINE)


def test_the_hook_is_there() -> None:
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for repository in yaml.safe_load(PRE_COMMIT)["repos"] for hook in repository["hooks"]} == offered


# -- GitHub ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def review(checkout: Checkout, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "temporary").mkdir()
    checkout.environment["RUNNER_TEMP"] = str(tmp_path / "temporary")
    checkout.environment["AGAINST"] = yaml.safe_load(ACTION)["inputs"]["against"]["default"].replace(
        "${{ github.base_ref }}", "main"
    )
    job: dict[str, Any] = yaml.safe_load(REVIEW)["jobs"]["review"]
    return job


def test_a_good_pull_request_is_reviewed_without_state(checkout: Checkout, review: dict[str, Any]) -> None:
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("{}", '{"severity": "{{ data.severity }}"}'))
    validated, planned, _ = results = run_job(checkout, review)
    assert succeeded(results)
    assert validated.stdout == ""
    assert planned.stdout == "::notice title=hookctl plan::" + _summary(checkout) + "\n"
    comment = Path(checkout.environment["RUNNER_TEMP"], "comment.md").read_text()
    assert comment.startswith(
        "## hookctl plan\n\n`Plan: 0 to add, 1 to change, 0 to remove, compared with origin/main ("
    )
    assert '+   {"severity": "{{ data.severity }}"}' in comment
    assert len(comment) <= LIMIT
    assert Path(checkout.environment["GITHUB_STEP_SUMMARY"]).read_text() == comment
    log = json.loads(Path(checkout.environment["RUNNER_TEMP"], "findings.sarif").read_text())
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
    assert "error[url-scheme]" in Path(checkout.environment["RUNNER_TEMP"], "comment.md").read_text()
    log = json.loads(Path(checkout.environment["RUNNER_TEMP"], "findings.sarif").read_text())
    assert validation_errors(log) == []
    assert (
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "webhooks.d/siem.yaml"
    )


def test_a_link_in_a_pull_request_is_not_posted(checkout: Checkout, review: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary-secret")
    (checkout.directory / "comment.md").symlink_to(tmp_path / "secret")
    assert succeeded(run_job(checkout, review))
    assert "canary-secret" not in Path(checkout.environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert ACTION.count("comment.md") == ACTION.count("$RUNNER_TEMP/comment.md")


def test_the_first_pull_request_adds_everything(checkout: Checkout, review: dict[str, Any]) -> None:
    checkout.git("checkout", "-q", "main")
    checkout.git("rm", "-q", "-r", "webhooks.d")
    checkout.git("commit", "-q", "-m", "None")
    checkout.git("push", "-q", "origin", "main")
    checkout.commit("webhooks.d/siem.yaml", SIEM)
    assert succeeded(run_job(checkout, review))
    comment = Path(checkout.environment["RUNNER_TEMP"], "comment.md").read_text()
    assert "`Plan: 1 to add, 0 to change, 0 to remove" in comment


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
    review = yaml.safe_load(COMPONENT_JOBS)["webhooks:review"]
    replay = jobs["webhooks:replay"]
    assert replay["artifacts"]["reports"]["junit"] == "results.xml"
    quality = review["artifacts"]["reports"]["codequality"]
    assert succeeded(run_job(checkout, review))
    assert json.loads((checkout.directory / quality).read_text()) == []
    assert "No changes." in (checkout.directory / "comment.md").read_text()
    checkout.commit("webhooks.d/siem.yaml", SIEM.replace("{}", '{"changed": true}'))
    assert succeeded(run_job(checkout, review))
    (replayed,) = run_job(checkout, replay)
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
    component = yaml.safe_load(COMPONENT_JOBS)
    gitlab = [job for job in (*yaml.safe_load(GITLAB).values(), *component.values()) if "script" in job]
    run = [line for job in (*github, *gitlab) for line, _ in steps(job)]
    written = re.findall(
        r"^ *(?:- |run: |- run: )(hookctl (?:validate|plan|apply|test).*)$",
        ACTION + APPLY + GITLAB + COMPONENT,
        re.MULTILINE,
    )
    assert sorted(line for line in run if line.startswith("hookctl")) == sorted(written)
    assert len(written) >= 8


def test_a_link_in_a_merge_request_is_removed_before_anything_else() -> None:
    """What follows reads comment.md even if hookctl could not write it."""
    review = yaml.safe_load(COMPONENT_JOBS)["webhooks:review"]
    assert review["before_script"][0].startswith("rm -rf comment.md quality.json")
