"""What shells propose for a command line that is being typed, and that nothing else is ever printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.pages import page, topics
from hookctl.config.check.catalog import GROUPS, RULES
from hookctl.plugin.host import load_plugins
from hookctl.report.text.page import page_text

RunCli = Callable[..., Any]
WEBHOOK = "name: {name}  # as its team calls it\nevent: anomaly\nurl: https://siem.example.com/\n"
HOOKCTL = Path(sys.executable).parent / "hookctl"


@pytest.fixture
def root(project: Callable[..., Path], run_cli: RunCli) -> Path:
    """Two webhooks in files, one of them applied, one whose file is gone, and a file with an error."""
    root = project(
        {
            "webhooks.d/one.yaml": WEBHOOK.format(name="Siem"),
            "webhooks.d/gone.yaml": WEBHOOK.format(name="Silent"),
        }
    )
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    (root / "webhooks.d/gone.yaml").unlink()
    return project(
        {"webhooks.d/two.yaml": WEBHOOK.format(name='"Siem two"'), "webhooks.d/bad.yaml": "name: $(reboot)\n{"}
    )


@pytest.fixture
def proposed(run_cli: RunCli, root: Path) -> Callable[..., list[str]]:
    """``proposed("hookctl show S")`` gives what a shell is told to propose for the last word."""

    def ask(line: str, shell: str = "zsh", **env: str) -> list[str]:
        words = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
            "_HOOKCTL_COMPLETE": f"{shell}_complete",
        }
        result = run_cli(cwd=root, env={**words, **env})
        assert result.stderr == ""
        lines = result.stdout.rstrip("\n").split("\n")
        return lines[1::3] if shell == "zsh" else [one.removeprefix("plain,") for one in lines if one]

    return ask


@pytest.mark.parametrize(
    "line",
    [
        "show",
        "render",
        "test",
        "test Siem",
        "plan --only",
        "apply --only",
        "deliveries list --webhook",
        "deliveries replay --webhook",
        "deliveries cancel --webhook",
        "deliveries resume",
    ],
)
def test_webhook_names(proposed: Callable[..., list[str]], line: str) -> None:
    assert proposed(f"hookctl {line} ") == ["Siem", "Siem two", "Silent"]
    assert proposed(f"hookctl {line} sil") == ["Silent"]


def test_rules_pages_and_policies(proposed: Callable[..., list[str]]) -> None:
    everything = proposed("hookctl explain ")
    assert set(RULES) | set(topics()) < set(everything)
    assert "timeout_at_most" in everything
    assert proposed("hookctl explain secret-l") == ["secret-literal"]


def test_event_types(proposed: Callable[..., list[str]]) -> None:
    assert proposed("hookctl schema event an") == ["anomaly"]


def test_commands_and_options(proposed: Callable[..., list[str]]) -> None:
    assert proposed("hookctl sho") == ["show"]
    assert proposed("hookctl deliveries re") == ["replay", "resume"]
    assert "--detailed-exitcode" in proposed("hookctl plan --d")


def test_delivery_ids(proposed: Callable[..., list[str]], root: Path, run_cli: RunCli) -> None:
    event = json.dumps({**load_plugins().event_types["anomaly"].mock, "id": "e1"})
    run_cli(
        "send",
        "-",
        "--wait",
        "0",
        cwd=root,
        stdin=event,
        env={"HOOKCTL_CONNECT_TO": "siem.example.com:443:127.0.0.1:1"},
    )
    listed = [row["id"] for row in json.loads(run_cli("deliveries", "list", "--format", "json", cwd=root).stdout)]
    assert len(listed) == 2
    assert proposed("hookctl deliveries show ") == sorted(one[16:28] for one in listed)


def test_the_line_says_where_the_files_are(proposed: Callable[..., list[str]], root: Path) -> None:
    (root / "other").mkdir()
    (root / "other/new.yaml").write_text(WEBHOOK.format(name="Elsewhere"), encoding="utf-8")
    assert proposed("hookctl --dir other --store sqlite:///none.db show ") == ["Elsewhere"]
    assert proposed("hookctl show ", HOOKCTL_DIR="other", HOOKCTL_STORE="sqlite:///none.db") == ["Elsewhere"]


@pytest.mark.parametrize("harm", ["settings", "store", "directory", "line"])
def test_nothing_is_printed_when_something_is_broken(proposed: Callable[..., list[str]], root: Path, harm: str) -> None:
    if harm == "settings":
        (root / "hookctl.toml").write_text("[nonsense", encoding="utf-8")
        assert proposed("hookctl show ") == []
    elif harm == "store":
        (root / ".hookctl/hookctl.db").write_bytes(b"not a database" * 100)
        assert proposed("hookctl show ") == ["Siem", "Siem two"]
    elif harm == "directory":
        shutil.rmtree(root / "webhooks.d")
        assert proposed("hookctl show ") == ["Siem", "Silent"]
    else:
        assert proposed("hookctl deliveries nonsense --wrong x") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_itself(root: Path) -> None:
    """The script that bash sources, called as bash calls it; a space in a name is quoted."""
    script = f"""
    source <(_HOOKCTL_COMPLETE=bash_source {HOOKCTL})
    COMP_WORDS=({HOOKCTL} show Siem) COMP_CWORD=2
    _hookctl_completion {HOOKCTL}
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    result = subprocess.run(
        ["bash", "-c", script], cwd=root, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    # `complete` sets up interactive shells; a script may not have the option that it is given.
    assert (result.stdout, result.returncode) == ("Siem\nSiem\\ two\n", 0), result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(run_cli: RunCli, shell: str) -> None:
    result = run_cli(env={"_HOOKCTL_COMPLETE": f"{shell}_source"})
    assert result.exit_code == 0
    assert "_HOOKCTL_COMPLETE" in result.stdout


def test_pages_have_names_of_their_own() -> None:
    assert not set(topics()) & set(RULES)


@pytest.mark.parametrize("topic", ["settings", "plan"])
def test_a_page_is_printed(run_cli: RunCli, topic: str) -> None:
    result = run_cli("explain", topic)
    assert (result.exit_code, result.stdout) == (0, page_text(page(topic), topics()))
    assert run_cli("explain", topic.upper()).stdout == result.stdout


def test_rules_policies_and_pages_are_listed(run_cli: RunCli) -> None:
    listed = run_cli("explain").stdout
    assert all(f"\n{title}:\n" in f"\n{listed}" for title in GROUPS)
    assert all(f"\n  {name} " in listed for name in RULES)
    assert "\nPolicies: allowed_hosts, authenticated, owner_label, " in listed
    assert f"\nPages: {', '.join(topics())}\n" in listed


def test_case_does_not_matter_in_a_topic(run_cli: RunCli) -> None:
    for topic in ("secret-literal", "allowed_hosts", "policy/allowed_hosts"):
        result = run_cli("explain", topic.upper() if "/" not in topic else "policy/ALLOWED_HOSTS")
        assert (result.exit_code, result.stdout) == (0, run_cli("explain", topic).stdout)


def test_a_page_is_as_wide_as_the_terminal(run_cli: RunCli) -> None:
    narrow = run_cli("explain", "settings", env={"COLUMNS": "72"}).stdout
    assert narrow == page_text(page("settings"), topics(), width=72)


def test_an_unknown_topic_is_suggested(run_cli: RunCli) -> None:
    result = run_cli("explain", "setings")
    assert result.exit_code == 64
    assert "there is no rule, policy or page 'setings'. Did you mean settings?" in result.stderr


def test_recipes_are_proposed(proposed: Callable[..., list[str]]) -> None:
    assert proposed("hookctl init --recipe s", "bash") == [
        "servicenow",
        "servicenow_import_set",
        "slack",
        "splunk",
    ]
    assert proposed("hookctl init --recipe pager") == ["pagerduty"]
