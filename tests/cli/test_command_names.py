"""A plugin's command or policy with the name of one of hookctl's own: it is left out, and everything else works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMAND = """
import click
from hookctl.plugin import hookimpl

@click.command("{name}")
def command():
    click.echo("Acme's own")

@hookimpl
def hookctl_commands():
    return [command]
"""

POLICY = """
from hookctl.plugin import Policy, hookimpl

@hookimpl
def hookctl_policies():
    schema = {{"type": "object"}}
    return [Policy(name="{name}", summary="Acme's own.", schema=schema, build=lambda settings: lambda plan: [])]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``install("plan")``: a distribution whose plugin adds a command of that name, as pip would leave it."""

    def write(name: str, source: str = COMMAND) -> None:
        site = tmp_path / "site"
        information = site / "acme-1.0.dist-info"
        information.mkdir(parents=True)
        module = f"acme_{name.replace('-', '_')}"
        (site / f"{module}.py").write_text(source.format(name=name))
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[hookctl]\nacme = {module}\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.setattr("sys.dont_write_bytecode", True)

    return write


@pytest.mark.parametrize("arguments", [("plan",), ("plugins",), ("--help",), ("acme",)])
def test_it_is_left_out_and_named_wherever_plugins_are_loaded(
    run_cli: Callable[..., Any], tmp_path: Path, install: Callable[..., None], arguments: Any
) -> None:
    install("plan")
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d" / "siem.yaml").write_text("name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n")
    result = run_cli(*arguments, cwd=tmp_path)
    warning = "plugin acme adds the command 'plan', but hookctl has a command of that name"
    assert result.stderr.startswith(
        f"Warning: {warning}\n  hookctl continues without it. Uninstall the plugin, or ask its author to rename it.\n"
    )
    assert result.stderr.count("Warning") == 1
    assert result.exit_code == (64 if arguments == ("acme",) else 0)
    assert "Acme's own" not in result.stdout
    if arguments == ("plugins",):
        assert warning in result.stdout


def test_another_name_is_a_command(run_cli: Callable[..., Any], tmp_path: Path, install: Callable[..., None]) -> None:
    install("plan-more")
    assert run_cli("plan-more", cwd=tmp_path).stdout == "Acme's own\n"


@pytest.mark.parametrize("name", ["drift", "never-matches", "policy"])
def test_a_policy_may_not_have_the_name_of_a_rule(
    run_cli: Callable[..., Any], tmp_path: Path, install: Callable[..., None], name: str
) -> None:
    install(name, POLICY)
    result = run_cli("plugins", cwd=tmp_path)
    message = f"plugin acme adds the policy {name!r}, but a rule has that name"
    assert (
        result.stderr == f"Warning: {message}\n"
        "  hookctl continues without it. Uninstall the plugin, or ask its author to rename it.\n"
    )
    assert f"  {message}\n" in result.stdout
    assert "Acme's own." not in result.stdout
    assert result.exit_code == 0


def test_another_policy_is_explained(run_cli: Callable[..., Any], tmp_path: Path, install: Callable[..., None]) -> None:
    install("frozen", POLICY)
    assert run_cli("explain", "frozen", cwd=tmp_path).stdout.startswith("frozen: Acme's own.\n")


def test_a_misspelled_command_of_a_plugin_gets_a_suggestion(
    run_cli: Callable[..., Any], install: Callable[..., None]
) -> None:
    install("rotate")
    result = run_cli("rotaet")
    assert result.exit_code == 64
    assert "Error: No such command 'rotaet'. Did you mean 'rotate'?" in result.stderr.split("\n")
