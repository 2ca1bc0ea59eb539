"""A ``hookctl.toml`` that is not valid: which commands work anyway, and what the others say about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM})


@pytest.mark.parametrize("settings", ["nonsense = 1\n", "dir = [\n", 'dir = "../elsewhere"\n', 'store = "../x"\n'])
@pytest.mark.parametrize(
    "command",
    [
        ("plan", "--help"),
        ("deliveries", "list", "--help"),
        ("explain",),
        ("explain", "settings"),
        ("explain", "secret-literal"),
        ("schema", "webhook"),
        ("schema", "event", "anomaly"),
        ("plugins",),
    ],
    ids=" ".join,
)
def test_a_command_without_settings_works(run_cli: Run, root: Path, settings: str, command: tuple[str, ...]) -> None:
    (root / "hookctl.toml").write_text(settings)
    result = run_cli(*command, cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("command", [("list",), ("validate",), ("plan",), ("send", "/dev/null"), ("init",)])
def test_a_command_with_settings_reports_the_error(run_cli: Run, root: Path, command: tuple[str, ...]) -> None:
    (root / "hookctl.toml").write_text("nonsense = 1\n")
    result = run_cli(*command, cwd=root)
    assert (result.exit_code, "unknown setting 'nonsense'" in result.stderr) == (1, True)


CONNECT_TO = "'x' is not HOST:443:ADDRESS:PORT"
CACERT = "absent.pem cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("settings", "env", "options", "message"),
    [
        ('connect_to = ["x"]\n', {}, (), f"hookctl.toml: connect_to: {CONNECT_TO}"),
        ("", {"HOOKCTL_CONNECT_TO": "x"}, (), f"HOOKCTL_CONNECT_TO: {CONNECT_TO}"),
        ("", {"HOOKCTL_TEST_CONNECT_TO": "x"}, (), f"HOOKCTL_TEST_CONNECT_TO: {CONNECT_TO}"),
        ("", {}, ("--connect-to", "x"), f"--connect-to: {CONNECT_TO}"),
        ('cacert = "absent.pem"\n', {}, (), f"hookctl.toml: cacert: {CACERT}"),
        ("", {"HOOKCTL_CACERT": "absent.pem"}, (), f"HOOKCTL_CACERT: {CACERT}"),
        ('connect_to = ["y"]\n', {}, ("--cacert", "absent.pem", "--connect-to", "x"), f"--connect-to: {CONNECT_TO}"),
    ],
)
def test_an_error_names_the_place_of_the_value(
    run_cli: Run, root: Path, *, settings: str, env: dict[str, str], options: tuple[str, ...], message: str
) -> None:
    (root / "hookctl.toml").write_text(settings)
    result = run_cli("test", *options, cwd=root, env=env)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (1, f"Error: {message}")


def test_an_error_about_a_path_names_its_place(run_cli: Run, root: Path) -> None:
    (root / "hookctl.toml").write_text(f'dir = "{"n" * 300}"\n')
    assert "hookctl.toml: dir: nnn" in run_cli("--config", "hookctl.toml", "list", cwd=root).stderr
    assert "HOOKCTL_DIR: nnn" in run_cli("list", cwd=root, env={"HOOKCTL_DIR": "n" * 300}).stderr
    assert "--dir: nnn" in run_cli("--dir", "n" * 300, "list", cwd=root).stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('[retention]\nage = "3 weeks"\n', "retention.age must be a duration"),
        ('[intake]\nmin_free = "much"\n', "intake.min_free must be a size"),
        ('[allow]\n"a.example" = ["nowhere"]\n', "[allow]: a.example"),
        ('cacert = "absent.pem"\n', "hookctl.toml: cacert: absent.pem"),
        ('connect_to = ["x"]\n', "hookctl.toml: connect_to: 'x'"),
        ('store = "sqlite:///../x.db"\n', "hookctl.toml: store is outside"),
        ("[policies.nonsense]\n", "unknown policy 'nonsense'"),
    ],
)
def test_validate_checks_all_settings(run_cli: Run, root: Path, settings: str, message: str) -> None:
    (root / "hookctl.toml").write_text(settings)
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, message in result.stderr) == (1, True), result.stderr


def test_validate_reports_every_wrong_setting(run_cli: Run, root: Path) -> None:
    (root / "hookctl.toml").write_text('cacert = "absent.pem"\n[retention]\nage = "3 weeks"\n')
    assert run_cli("validate", cwd=root).stderr.count("Error: ") == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("dri = 1\n", "hookctl.toml: unknown setting 'dri'. Did you mean 'dir'?"),
        ("[retention]\nagee = 1\n", "hookctl.toml: unknown setting 'agee' in [retention]. Did you mean 'age'?"),
        ("[safety]\nq = 1\n", "unknown setting 'q' in [safety]; its settings are removal_minimum, removal_percent"),
    ],
)
def test_a_misspelled_setting_gets_a_suggestion(run_cli: Run, root: Path, settings: str, message: str) -> None:
    (root / "hookctl.toml").write_text(settings)
    assert message in run_cli("list", cwd=root).stderr
