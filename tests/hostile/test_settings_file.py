"""Values of a wrong type at every place of hookctl.toml, and errors that nobody expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli import session
from hookctl.cli.settings import EACH, LONGEST_SHOWN, SETTINGS

Run = Callable[..., Any]
WRONG = {
    "number": "1",
    "negative": "-1",
    "truth": "true",
    "date": "1979-05-27",
    "nan": "nan",
    "list": "[1]",
    "nested": "[[['x']]]",
    "long": '"' + "a" * 5000 + '"',
    "digits": "0x" + "f" * 6000,
    "nul": '"\\u0000"',
    "empty": '""',
    "table": "{a = 1}",
}
RIGHT = {
    ("safety.removal_percent", "number"),
    ("safety.removal_minimum", "number"),
    ("intake.max_waiting", "number"),
    ("intake.events_per_second", "number"),
    ("metrics.webhook_label", "truth"),
    ("vars.x", "number"),
    ("vars.x", "negative"),
    ("vars.x", "truth"),
    ("vars.x", "long"),
    ("vars.x", "empty"),
    ("environment", "long"),
}
TEXTS = {"dir", "store", "cacert", "cacert_for.x", "proxy", "retention.age", "retention.size", "intake.min_free"}


def places() -> list[str]:
    """Every key that the file may hold, those in tables too."""
    found = []
    for key, rule in SETTINGS.items():
        found.append(key)
        if isinstance(rule, Mapping):
            found += [f"{key}.x" if inner == EACH else f"{key}.{inner}" for inner in rule]
    return found


@pytest.mark.parametrize("place", places())
def test_a_wrong_type_is_named_with_its_place_and_what_is_expected(run_cli: Run, tmp_path: Path, place: str) -> None:
    for kind, value in WRONG.items():
        is_right = (
            (place, kind) in RIGHT
            or (kind == "long" and place in TEXTS)
            or (kind == "table" and place in {"policies", "policies.x", "observers", "observers.x", "vars"})
        )
        if is_right:
            continue
        (tmp_path / "hookctl.toml").write_text(f"{place} = {value}\n", encoding="utf-8")
        result = run_cli("list", cwd=tmp_path)
        error, _, hint = result.stderr.partition("\n")
        assert result.exit_code == 1, (kind, result.stderr)
        assert error.startswith("Error: hookctl.toml: "), (kind, result.stderr)
        assert place in error or f"in [{place}]" in error, (kind, error)
        assert len(error) < LONGEST_SHOWN + 200
        assert "hookctl explain settings" in hint


@pytest.mark.parametrize("text", ["dir = " + "9" * 5000, "dir = [", "x = {" * 2000, "\0", 'dir = "\\ud800"'])
def test_a_file_that_is_not_toml(run_cli: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "hookctl.toml").write_text(text, encoding="utf-8")
    result = run_cli("list", cwd=tmp_path)
    assert (result.exit_code, result.stderr.startswith("Error: hookctl.toml ")) == (1, True), result.stderr


def test_all_problems_are_named_at_once(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text("dir = 1\nconnect_to = [1]\nnonsense = 1\n", encoding="utf-8")
    said = run_cli("list", cwd=tmp_path).stderr
    assert all(word in said for word in ("dir must be", "connect_to must be", "unknown setting 'nonsense'"))


@pytest.mark.parametrize("number", ["99999999999999999999", "9" * 5000, "0", "-1", "nan"])
def test_numbers_that_are_no_limit(run_cli: Run, tmp_path: Path, number: str) -> None:
    result = run_cli("deliveries", "list", "--limit", number, cwd=tmp_path)
    assert (result.exit_code, "--limit" in result.stderr) == (64, True)


@pytest.mark.parametrize("duration", ["9" * 5000, "999999999999999d", "1e9s", "-1s"])
def test_durations_that_are_none(run_cli: Run, tmp_path: Path, duration: str) -> None:
    assert run_cli("send", "/dev/null", "--wait", duration, cwd=tmp_path).exit_code == 64


@pytest.mark.parametrize("option", ["--dir", "--config", "--store"])
@pytest.mark.parametrize("path", ["n" * 300, "d/" * 2100 + "x"], ids=["name", "path"])
def test_paths_that_are_too_long(run_cli: Run, tmp_path: Path, option: str, path: str) -> None:
    result = run_cli(option, f"sqlite:///{path}" if option == "--store" else path, "list", cwd=tmp_path)
    assert (result.exit_code, "File name too long" in result.stderr) == (1, True)
    assert len(result.stderr) < 500


def test_what_nobody_expected_is_a_bug_without_its_text(
    run_cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("a-secret-value")

    monkeypatch.setattr(session, "open_session", fail)
    result = run_cli("list", cwd=tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: unexpected LookupError; this is a bug in hookctl\n")
    assert "a-secret-value" not in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run_cli("list", cwd=tmp_path, env={"HOOKCTL_DEBUG": "1"}).stderr
