"""docs/plugins.md: every hook has a section there, every example in it works, and every hook is exercised."""

from __future__ import annotations

import csv
import inspect
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hookctl.cli.session import Session
from hookctl.plugin import hookspecs, interfaces
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = sorted(name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("hookctl_"))
SECTIONS = dict(re.findall(r"^### (hookctl_\w+)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE))
CODE = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)

ALL_AT_ONCE = """
name: Welcome
event: user.created
labels: {owner: it}
url: https://siem.example.com/users
auth:
  type: query_key
  parameter: key
  key: ${credential:siem-key}
body_template: |
  {"name": "{{ data.name }}", "company": "{{ data.email | domain }}"}
response_validators:
  - type: receipt
    header: X-Receipt
"""
SPOOLED = """
name: Spooled
event: user.created
labels: {owner: it}
url: spool:users
transport:
  type: spool
  directory: spool
body_template: |
  {"name": "{{ data.name }}"}
"""

Plugin = Mapping[str, ModuleType]
RunCli = Callable[..., Any]


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    """The page's examples, installed as the modules of one distribution."""
    folder = tmp_path / "site"
    metadata = folder / "hookctl_documented-1.0.0.dist-info"
    metadata.mkdir(parents=True)
    for hook, section in SECTIONS.items():
        (folder / f"documented_{hook}.py").write_text(CODE.findall(section)[0])
    metadata.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: hookctl-documented\nVersion: 1.0.0\n")
    metadata.joinpath("entry_points.txt").write_text(
        "[hookctl]\n" + "".join(f"{hook} = documented_{hook}\n" for hook in SECTIONS)
    )
    monkeypatch.syspath_prepend(str(folder))
    load_plugins()
    modules = {hook: sys.modules[f"documented_{hook}"] for hook in SECTIONS}
    yield modules
    for module in modules.values():
        del sys.modules[module.__name__]


@pytest.fixture
def directory(project: Callable[[Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose webhooks use every example, and a credential as systemd passes it."""
    root = project(
        {
            "webhooks.d/welcome.yaml": ALL_AT_ONCE,
            "webhooks.d/spooled.yaml": SPOOLED,
            "credentials/siem-key": "canary-key\n",
            "spool/.keep": "",
        }
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(root / "credentials"))
    return root


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_section_with_an_example(hook: str) -> None:
    assert hook in SECTIONS, f"docs/plugins.md has no section ### {hook}"
    (code,) = CODE.findall(SECTIONS[hook])
    assert f"@hookimpl\ndef {hook}()" in code


def test_no_section_is_of_a_hook_that_is_gone() -> None:
    assert sorted(SECTIONS) == HOOKS


def test_everything_that_a_plugin_can_import_is_named() -> None:
    types_of_arguments = {"Settings", "Validate"}
    assert [name for name in interfaces.__all__ if name not in PAGE and name not in types_of_arguments] == []


# -- each example at work ----------------------------------------------------------------------------------------------


def test_auth_transport_validator_and_filter_meet_in_one_test_delivery(
    examples: Plugin, directory: Path, receiver: Receiver, run_cli: RunCli
) -> None:
    assert examples
    options = ("--connect-to", f"{receiver.host}:443:{receiver.address}:{receiver.port}", "--cacert", receiver.ca_file)
    assert run_cli("validate", cwd=directory).exit_code == 0
    result = run_cli("test", *options, cwd=directory)
    assert result.exit_code == 1, result.stdout
    assert "the response has no header x-receipt" in result.stdout  # the validator
    (request,) = receiver.requests
    assert request.target == "/users?key=canary-key"  # the auth, and the secret source
    assert request.json() == {"name": "Dana Levi", "company": "example.com"}  # the event type's mock, and the filter
    assert json.loads((directory / "spool" / "users.jsonl").read_text()) == {"name": "Dana Levi"}  # the transport
    assert "canary-key" not in result.stdout + result.stderr


def test_validator_is_content_with_a_receipt(
    examples: Plugin, directory: Path, receiver: Receiver, run_cli: RunCli
) -> None:
    from hookctl.testing.answers import Answer

    assert examples
    receiver.default = Answer(headers=(("X-Receipt", "r-1"),))
    options = ("--connect-to", f"{receiver.host}:443:{receiver.address}:{receiver.port}", "--cacert", receiver.ca_file)
    result = run_cli("test", *options, cwd=directory)
    assert result.exit_code == 0, result.stdout


def test_transports_own_url_rule(
    examples: Plugin, project: Callable[[Mapping[str, str]], Path], run_cli: RunCli
) -> None:
    assert examples
    result = run_cli(
        "validate", cwd=project({"webhooks.d/spooled.yaml": SPOOLED.replace("spool:users", "spool:../users")})
    )
    assert result.exit_code == 1
    assert "this does not name a spool" in result.stdout


def test_secret_source_says_what_to_do(examples: Plugin, directory: Path, run_cli: RunCli) -> None:
    assert examples
    (directory / "credentials" / "siem-key").unlink()
    result = run_cli("test", "Welcome", cwd=directory)
    assert result.exit_code == 1
    assert "there is no credential siem-key" in result.stdout


def test_event_type_is_shown_and_kept(examples: Plugin, run_cli: RunCli, directory: Path) -> None:
    assert examples
    assert "data.manager" in run_cli("schema", "event", "user.created").stdout
    (directory / "webhooks.d" / "welcome.yaml").write_text(ALL_AT_ONCE.replace("data.name", "data.nmae"))
    assert "template-unknown-path" in run_cli("validate", cwd=directory).stdout


def test_policy_refuses(examples: Plugin, directory: Path, run_cli: RunCli) -> None:
    assert examples
    (directory / "webhooks.d" / "welcome.yaml").write_text(ALL_AT_ONCE.replace("owner: it", "owner: me"))
    assert run_cli("plan", cwd=directory).exit_code == 0  # nothing sets it yet
    (settings,) = re.findall(r"(?<=^```toml\n).*?(?=^```$)", SECTIONS["hookctl_policies"], re.DOTALL | re.MULTILINE)
    (directory / "hookctl.toml").write_text(settings)
    result = run_cli("plan", cwd=directory)
    assert result.exit_code == 1
    said = (
        "error[owned_by_a_team]: its owner is not a team\n"
        "      Set the label owner to one of: it, security.\n"
        "      at webhooks.d/welcome.yaml:4:17\n"
    )
    assert said in result.stdout
    (directory / "webhooks.d" / "welcome.yaml").write_text(ALL_AT_ONCE)
    assert run_cli("plan", cwd=directory).exit_code == 0


def test_observer_is_told(examples: Plugin, directory: Path, run_cli: RunCli, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=examples["hookctl_observers"].__name__)
    (directory / "webhooks.d" / "welcome.yaml").unlink()
    with (directory / "hookctl.toml").open("a", encoding="utf-8") as settings:
        settings.write("[observers.slow_log]\nseconds = 0\n")
    assert run_cli("apply", "--auto-approve", cwd=directory).exit_code == 0
    result = run_cli("send", "-", cwd=directory, stdin=json.dumps(examples["hookctl_event_types"].MOCK))
    assert result.exit_code == 0, result.stdout + result.stderr
    told = [record.getMessage() for record in caplog.records if record.name == examples["hookctl_observers"].__name__]
    timing = [line for line in told if "slow" not in line]
    assert re.fullmatch(r"Spooled: attempt 1 took \d+\.\d{3} s", timing[0])
    assert timing[1:] == ["Spooled: evt-1 is delivered"]
    assert [line for line in told if "slow" in line] == ["Spooled: attempt 1 was slow"]


def test_format_reports_changes_and_findings(examples: Plugin, directory: Path, run_cli: RunCli) -> None:
    assert examples
    assert "|csv][=FILE]" in run_cli("plan", "--help").stdout
    assert run_cli("plan", "--format", "csv", cwd=directory).stdout == "create,,,Spooled\ncreate,,,Welcome\n"
    (directory / "webhooks.d" / "welcome.yaml").write_text(ALL_AT_ONCE.replace("https:", "http:"))
    result = run_cli("validate", "--format", "csv=out.csv", cwd=directory)
    assert (result.exit_code, result.stdout) == (1, "")
    (row,) = csv.reader((directory / "out.csv").read_text().splitlines())
    assert row[:5] == ["error", "webhooks.d/welcome.yaml", "5", "Welcome", "url-scheme"]
    assert run_cli("test", "--format", "csv", cwd=directory).exit_code == 64


def test_store_keeps_what_is_applied(examples: Plugin, directory: Path, run_cli: RunCli) -> None:
    assert examples
    (directory / "team").mkdir()
    store = f"team:{directory}/team"
    assert run_cli("--store", store, "apply", "--auto-approve", cwd=directory).exit_code == 0
    assert (directory / "team" / "hookctl.db").exists()
    assert run_cli("--store", store, "plan", "--detailed-exitcode", cwd=directory).exit_code == 0


def test_command_runs_and_is_listed(examples: Plugin, directory: Path, run_cli: RunCli) -> None:
    assert examples
    assert "owners" in run_cli("--help").stdout
    assert run_cli("owners", cwd=directory).stdout == "Spooled: it\nWelcome: it\n"


def test_the_page_names_what_a_command_gets() -> None:
    sentence = re.search(r"The object from `click.pass_obj` has (.*?)\. hookctl", PAGE, re.DOTALL)
    assert sentence
    names = re.findall(r"`([a-z_]+)(\(\))?`", sentence[1].partition(", which")[0])
    assert [name for name, _ in names] == ["directory", "store_url", "plugins", "existing_store"]
    for name, called in names:
        assert bool(called) == callable(getattr(Session, name))
