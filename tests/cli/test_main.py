"""The command line as a whole: help, usage errors, settings."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import hookctl
from hookctl.cli.command_list import COMMANDS


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hookctl", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    result = run("--help", cwd=tmp_path)
    assert result.returncode == 0
    for name, summary in COMMANDS.items():
        assert name in result.stdout
        assert summary.split()[0] in result.stdout
    assert "Examples:" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    command = import_module(f"hookctl.cli.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.help
    assert "Examples:" in (command.epilog or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_of_a_group_have_examples_and_whole_summaries(name: str) -> None:
    group = import_module(f"hookctl.cli.commands.{name}").command
    if not isinstance(group, click.Group):
        return
    for sub, command in group.commands.items():
        assert f"hookctl {name} {sub}" in (command.epilog or "").replace("--store postgresql://hookctl@db/hookctl ", "")
        assert not command.get_short_help_str(limit=60).endswith("...")


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from hookctl.cli.main import hookctl; "
        "hookctl(['--help'], standalone_mode=False); print(*sys.modules, sep='\\n')"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert "click" in loaded
    assert not {
        "yaml",
        "jsonschema",
        "jsonschema_rs",
        "jinja2",
        "requests",
        "pycurl",
        "pluggy",
        "sqlite3",
        "jmespath",
        "hookctl.model",
    } & set(loaded)


def test_a_plan_imports_nothing_that_only_deliveries_and_large_directories_need(tmp_path: Path) -> None:
    run("init", cwd=tmp_path)
    code = (
        "import sys; from hookctl.cli.main import hookctl; "
        "hookctl(['plan'], standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stderr.split()
    assert "hookctl.config.effects.find" in loaded
    ours = {
        "hookctl.config.cache",
        "hookctl.config.load.revision",
        "hookctl.queue",
        "hookctl.delivery.attempt.prepare",
        "hookctl.delivery.runner.runner",
    }
    assert not ours & set(loaded)
    assert not {"requests", "pycurl", "subprocess", "shutil", "secrets", "difflib"} & set(loaded)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["plan", "--nonsense"],
        ["explain", "a", "b", "c"],
        ["--color", "sometimes", "plan"],
    ],
)
def test_wrong_usage_exits_64(arguments: list[str], tmp_path: Path) -> None:
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 64
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("dir = 1", "dir must be a string that is not empty, not 1"),
        ("nonsense = 1", "unknown setting 'nonsense'"),
        ("dir = ", "hookctl.toml cannot be read"),
        ('[allow]\n"a.example" = ["not a network"]', "not a network"),
        ('connect_to = ["a.example"]', "a.example"),
    ],
)
def test_wrong_settings_are_named(settings: str, says: str, tmp_path: Path) -> None:
    tmp_path.joinpath("hookctl.toml").write_text(settings)
    tmp_path.joinpath("webhooks.d").mkdir()
    tmp_path.joinpath("webhooks.d", "a.yaml").write_text(
        "name: A\nevent: anomaly\nurl: https://a.example.com/\nbody_template: '{}'\n"
    )
    result = run("test", cwd=tmp_path)
    assert result.returncode == 1
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_store_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    result = run("--store", "redis://localhost", "list", cwd=tmp_path)
    assert result.returncode == 1
    assert "redis://" in result.stderr
    assert "sqlite:///" in result.stderr


def test_option_wins_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def directory(*arguments: str) -> str:
        result = run(*arguments, "validate", cwd=tmp_path)
        assert result.returncode == 1  # no such directory: the message names the one that was meant
        return result.stdout + result.stderr

    tmp_path.joinpath("hookctl.toml").write_text('dir = "from-file"')
    assert "from-file" in directory()
    monkeypatch.setenv("HOOKCTL_DIR", "from-environment")
    assert "from-environment" in directory()
    assert "from-option" in directory("--dir", "from-option")


@pytest.mark.parametrize("arguments", [["--store", "x\x1b[31m\u202e"], ["--dir", "x\x1b[31m\u202e", "--store", "y"]])
def test_an_error_cannot_drive_the_terminal(arguments: list[str], tmp_path: Path) -> None:
    result = run(*arguments, "plan", cwd=tmp_path)
    assert result.returncode == 1
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)


def test_a_usage_error_cannot_drive_the_terminal(tmp_path: Path) -> None:
    result = run("--color", "x\x1b[31m", "plan", cwd=tmp_path)
    assert result.returncode == 64
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sned"], "No such command 'sned'. Did you mean 'send'?"),
        (["PLAN"], "No such command 'PLAN'. Did you mean 'plan'?"),
        (["deliveries", "lsit"], "No such command 'lsit'. Did you mean 'list'?"),
        (["schema", "webhok"], "No such command 'webhok'. Did you mean 'webhook'?"),
        (["xyzzy"], "No such command 'xyzzy'."),
        (["help"], "No such command 'help'. `hookctl --help` lists the commands."),
        (["--dirr", "x", "plan"], "No such option '--dirr'. Did you mean '--dir'?"),
        (["plan", "--dir", "x"], "No such option '--dir'. Write it before the command: hookctl --dir DIR plan."),
        (
            ["events", "list", "--debug"],
            "No such option '--debug'. Write it before the command: hookctl --debug events list.",
        ),
        (["destroy", "--auto-approve"], "No such option '--auto-approve'. Write --yes."),
        (["apply", "--yes"], "No such option '--yes'. Write --auto-approve."),
        (["plan", "--detailed-exit"], "No such option '--detailed-exit'. Did you mean '--detailed-exitcode'?"),
    ],
)
def test_a_misspelled_command_gets_a_suggestion(run_cli: Callable[..., Any], arguments: list[str], said: str) -> None:
    result = run_cli(*arguments)
    assert (result.exit_code, result.stdout) == (64, "")
    error, usage, hint = result.stderr.splitlines()
    assert (error, usage.startswith("  Usage: hookctl ")) == (f"Error: {said}", True)
    assert (hint.startswith("  See `hookctl"), hint.endswith(" --help`.")) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "message", "command"),
    [
        (["show"], "Missing argument 'NAME'.", "hookctl show"),
        (["listen", "--answer", "foo"], "Invalid value for --answer: 'foo' is not PATH=JSON.", "hookctl listen"),
        (["test", "--record", "--replay"], "--record, --replay and --scenario cannot be combined.", "hookctl test"),
        (["deliveries", "show"], "Missing argument 'ID'.", "hookctl deliveries show"),
    ],
)
def test_wrong_usage_says_where_to_read_more(
    run_cli: Callable[..., Any], arguments: list[str], message: str, command: str
) -> None:
    result = run_cli(*arguments)
    assert (result.exit_code, result.stdout) == (64, "")
    error, usage, hint = result.stderr.splitlines()
    assert (error, hint) == (f"Error: {message}", f"  See `{command} --help`.")
    assert usage.startswith(f"  Usage: {command} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "absent"],
        ["plan", "--sample", "absent"],
        ["plan", "--events", "absent"],
        ["render", "A", "--event", "absent"],
        ["test", "--event", "absent"],
        ["apply", "absent"],
        ["--config", "absent", "list"],
        ["test", "--cacert", "absent"],
    ],
)
def test_a_missing_file_is_an_error_and_not_wrong_usage(
    run_cli: Callable[..., Any], tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/a.yaml").write_text("name: A\nevent: anomaly\nurl: https://a.example.com/\n")
    result = run_cli(*arguments, cwd=tmp_path)
    assert result.exit_code == 1
    assert "absent cannot be read: No such file or directory\n" in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_no_text_names_a_file_of_the_repository() -> None:
    """Whoever installed the wheel has no docs/: texts refer to `hookctl explain`."""
    found = []
    for path in Path(hookctl.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in documentation]
        found += [path.name for node in texts if isinstance(node.value, str) and "docs/" in node.value]
    assert found == []
    for name in COMMANDS:
        assert "docs/" not in (import_module(f"hookctl.cli.commands.{name}").command.help or "")
