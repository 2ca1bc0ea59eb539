"""``hookctl init``: the first files, which work, and nothing that was there is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm
from hookctl.cli.recipes import recipe_names
from hookctl.cli.settings import SETTINGS
from hookctl.testing.receiver import Receiver

WRITTEN = {
    "webhooks.d/first.yaml",
    "webhooks.d/webhook.schema.json",
    "hookctl.toml",
    ".github/workflows/webhooks.yaml",
    ".gitignore",
}


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_the_first_files_are_written_and_valid(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("init", cwd=tmp_path)
    assert result.exit_code == 0
    assert files(tmp_path) == WRITTEN
    assert "hookctl validate" in result.stdout
    checked = run_cli("validate", cwd=tmp_path)
    assert (checked.exit_code, checked.stderr) == (0, "")
    planned = run_cli("plan", cwd=tmp_path)
    assert planned.exit_code == 0
    assert "My first webhook" in planned.stdout


def test_the_next_steps_work_as_they_are_printed(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    shown = run_cli("init", cwd=tmp_path).stdout.partition("Next:\n")[2]
    commands = [re.split(r" {2,}", line.strip())[0] for line in shown.splitlines()]
    assert commands == [
        "hookctl validate",
        "hookctl plan",
        "hookctl apply",
        "hookctl listen",
        "export FIRST_WEBHOOK_TOKEN=test",
        "hookctl test",
        "hookctl send events.jsonl",
        "hookctl serve",
    ]
    without = run_cli("test", cwd=tmp_path)
    assert (without.exit_code, "FIRST_WEBHOOK_TOKEN is not set" in without.stdout) == (1, True)
    name, value = commands[4].removeprefix("export ").split("=")
    with Receiver(hosts=("siem.example.com",)) as receiver:
        options = f"--connect-to siem.example.com:443:{receiver.address}:{receiver.port} --cacert {receiver.ca_file}"
        tested = run_cli("test", *options.split(), cwd=tmp_path, env={name: value})
    assert (tested.exit_code, tested.stderr) == (0, "")


def test_all_is_written_though_nobody_reads_what_is_said(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as unread:
        result = warm.run(
            [sys.executable, "-m", "hookctl", "init"],
            cwd=tmp_path,
            stdout=unread,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert files(tmp_path) == WRITTEN
    assert "cannot be written" not in result.stderr


def test_nothing_is_overwritten(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    run_cli("init", cwd=tmp_path)
    for name in WRITTEN - {".gitignore"}:
        (tmp_path / name).write_text("# mine")
    result = run_cli("init", cwd=tmp_path)
    assert result.exit_code == 0
    assert "Wrote" not in result.stdout
    assert "Kept   hookctl.toml, which already exists" in result.stdout
    assert {(tmp_path / name).read_text() for name in WRITTEN - {".gitignore"}} == {"# mine"}
    assert (tmp_path / ".gitignore").read_text() == ".hookctl/\n"


def test_a_directory_with_webhooks_gets_no_example(run_cli: Callable[..., Any], project: Callable[..., Path]) -> None:
    root = project({"webhooks.d/mine.yml": "name: Mine\n"})
    result = run_cli("init", cwd=root)
    assert "Kept   webhooks.d/, which already has webhook files" in result.stdout
    assert not (root / "webhooks.d/first.yaml").exists()
    assert "FIRST_WEBHOOK_TOKEN" not in result.stdout


def test_gitignore_is_added_to(run_cli: Callable[..., Any], project: Callable[..., Path]) -> None:
    root = project({".gitignore": "*.pyc"})
    run_cli("init", cwd=root)
    assert (root / ".gitignore").read_text() == "*.pyc\n.hookctl/\n"


def test_another_directory_is_remembered(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    run_cli("--dir", "hooks", "init", cwd=tmp_path)
    assert tomllib.loads((tmp_path / "hookctl.toml").read_text()) == {"dir": "hooks"}
    assert "hooks/**" in (tmp_path / ".github/workflows/webhooks.yaml").read_text()
    assert "events.d/**" in (tmp_path / ".github/workflows/webhooks.yaml").read_text()
    assert run_cli("validate", cwd=tmp_path).exit_code == 0


def test_every_setting_stands_in_the_file_and_is_accepted_as_it_stands(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    run_cli("init", cwd=tmp_path)
    settings = tmp_path / "hookctl.toml"
    assert tomllib.loads(settings.read_text()) == {}
    uncommented = re.sub(
        r'^# (?=[a-z_"\[][^ ]* ?[=\]]|\[(allow|cacert_for|environments|vars|(policies|observers)\.[a-z_]+)\])',
        "",
        settings.read_text(),
        flags=re.MULTILINE,
    )
    assert set(tomllib.loads(uncommented)) == set(SETTINGS)
    settings.write_text(uncommented)
    for name in ("company-ca.pem", "siem-ca.pem"):
        (tmp_path / name).write_text("-----BEGIN CERTIFICATE-----\n")
    assert run_cli("validate", cwd=tmp_path).exit_code == 0


def test_the_workflow_uses_the_action_at_a_commit(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    run_cli("init", cwd=tmp_path)
    workflow = yaml.safe_load((tmp_path / ".github/workflows/webhooks.yaml").read_text())
    used = [step["uses"] for step in workflow["jobs"]["review"]["steps"]]
    assert [re.sub(r"@[0-9a-f]{40}$", "", name) for name in used] == [
        "actions/checkout",
        "your-organization/hookctl/docs/ci",
    ]


def test_what_cannot_be_written_is_named(run_cli: Callable[..., Any], project: Callable[..., Path]) -> None:
    root = project({".github": "a file where a directory must be"})
    result = run_cli("init", cwd=root)
    assert result.exit_code == 1
    assert ".github" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_recipe_begins_a_project(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("init", "--recipe", "pagerduty", cwd=tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert files(tmp_path) == WRITTEN - {"webhooks.d/first.yaml"} | {"webhooks.d/pagerduty.yaml"}
    assert "Wrote  webhooks.d/pagerduty.yaml" in result.stdout
    assert "PAGERDUTY_ROUTING_KEY\n    The integration key, 32 characters." in result.stdout
    commands = [re.split(r" {2,}", line.strip())[0] for line in result.stdout.partition("Next:\n")[2].splitlines()]
    assert commands == [
        "hookctl plan",
        "export PAGERDUTY_ROUTING_KEY=...",
        "hookctl test PagerDuty",
        "hookctl apply",
        "hookctl send events.jsonl",
        "hookctl serve",
    ]


def test_a_recipe_is_added_to_a_project(run_cli: Callable[..., Any], project: Callable[..., Path]) -> None:
    root = project({"webhooks.d/team/mine.yml": "name: Mine\nevent: anomaly\nurl: https://siem.example.com/\n"})
    result = run_cli("init", "--recipe", "generic_oauth", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    added = {"webhooks.d/generic_oauth.yaml", "webhooks.d/webhook.schema.json"}
    assert files(root) == {"webhooks.d/team/mine.yml"} | added
    assert 'hookctl test "Generic OAuth"' in result.stdout
    assert run_cli("validate", cwd=root).exit_code == 0


def test_a_recipe_overwrites_nothing(run_cli: Callable[..., Any], project: Callable[..., Path]) -> None:
    root = project({"webhooks.d/slack.yaml": "# mine\n"})
    result = run_cli("init", "--recipe", "slack", cwd=root)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "webhooks.d/slack.yaml already exists, and is not overwritten" in result.stderr
    assert {name: (root / name).read_text() for name in files(root)} == {"webhooks.d/slack.yaml": "# mine\n"}


def test_a_recipe_does_not_repeat_the_name_of_a_webhook(
    run_cli: Callable[..., Any], project: Callable[..., Path]
) -> None:
    root = project({"webhooks.d/chat.yaml": "event: anomaly\nname: 'SLACK'\n"})
    result = run_cli("init", "--recipe", "slack", cwd=root)
    assert result.exit_code == 1
    assert "webhooks.d/ already has a webhook with the name 'Slack'" in result.stderr
    assert files(root) == {"webhooks.d/chat.yaml"}


def test_a_recipe_goes_where_webhooks_are(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text('dir = "hooks"\n')
    result = run_cli("init", "--recipe", "splunk", cwd=tmp_path)
    assert "Wrote  hooks/splunk.yaml" in result.stdout
    assert "hooks/**" in (tmp_path / ".github/workflows/webhooks.yaml").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--recipe", "slak"], "there is no recipe 'slak'. Did you mean slack"),
        (["--recipe", "../slack"], "there is no recipe '../slack'."),
        (["--recipe", "Slack"], "there is no recipe 'Slack'. Did you mean slack"),
        (["--recipe"], "name one of these:"),
    ],
)
def test_an_unknown_recipe_lists_all(given: list[str], said: str, run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("init", *given, cwd=tmp_path)
    assert (result.exit_code, files(tmp_path)) == (64, set())
    assert said in result.stderr
    listed = re.findall(r"^  (\w+) {2,}\S.*$", result.stderr, re.MULTILINE)
    assert [name for name in listed if name in recipe_names()] == recipe_names()


def test_the_help_lists_the_recipes(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    shown = run_cli("init", "--help", cwd=tmp_path).stdout
    assert set(re.findall(r"^    (\w+) {2,}\S.*$", shown, re.MULTILINE)) >= set(recipe_names())
