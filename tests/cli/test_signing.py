"""``plan --sign`` and ``apply --verify``: only a plan that the key has signed is applied, and nobody sees the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.schema_files import read_schema
from hookctl.store.sqlite.applied import AppliedStore

Run = Callable[..., Any]
KEY = "canary-0123456789abcdef0123456789"
REFERENCE = "${env:HOOKCTL_PLAN_KEY}"
ENV = {"HOOKCTL_PLAN_KEY": KEY}
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": SIEM})


@pytest.fixture
def hookctl(run_cli: Run, root: Path) -> Run:
    """The command line in the project; no run of it shows or leaves the key."""

    def run(*args: str, **env: str) -> Any:
        result = run_cli(*args, cwd=root, env={**ENV, **env})
        assert KEY not in result.stdout + result.stderr
        files = [path for path in root.rglob("*") if path.is_file() and path.name != "key"]
        assert [path for path in files if KEY.encode() in path.read_bytes()] == []
        return result

    return run


def serial(root: Path) -> int:
    return AppliedStore(root / ".hookctl/hookctl.db").read().serial


def test_a_signed_plan_is_applied(hookctl: Run, root: Path) -> None:
    result = hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    command = f"hookctl apply plan.json --verify '{REFERENCE}'"
    assert result.stderr == f"Saved in plan.json. Apply exactly this with: {command}\n"
    document = json.loads((root / "plan.json").read_text())
    jsonschema.validate(document, read_schema("plan.schema.json"), cls=jsonschema.Draft202012Validator)
    result = hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve")
    assert (result.exit_code, result.stderr, serial(root)) == (0, "", 1)


def test_only_the_file_is_signed(hookctl: Run) -> None:
    printed = hookctl("plan", "--out", "plan.json", "--sign", REFERENCE, "--format", "json").stdout
    assert printed == hookctl("plan", "--format", "json").stdout


def test_without_verify_it_is_a_plan_like_any_other(hookctl: Run, root: Path) -> None:
    hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    result = hookctl("apply", "plan.json", "--auto-approve")
    assert (result.exit_code, serial(root)) == (0, 1)
    assert result.stderr == "plan.json is signed, but the signature is not checked without --verify.\n"


def unsigned(document: dict[str, Any]) -> None:
    del document["signature"]


def other_signature(document: dict[str, Any]) -> None:
    document["signature"]["value"] = "0" * 64


def other_effects(document: dict[str, Any]) -> None:
    document["changes"][0]["effects"]["new_hosts"] = []


def other_finding(document: dict[str, Any]) -> None:
    document["findings"] = [{}]


@pytest.mark.parametrize("change", [unsigned, other_signature, other_effects, other_finding])
def test_anything_else_is_refused(hookctl: Run, root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    document = json.loads((root / "plan.json").read_text())
    change(document)
    (root / "plan.json").write_text(json.dumps(document))
    result = hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: the saved plan is not signed" in result.stderr or "Error: the signature of the" in result.stderr
    assert not (root / ".hookctl").exists()
    assert hookctl("apply", "plan.json", "--auto-approve").exit_code == 0  # its digest is right


def test_another_key(hookctl: Run, root: Path) -> None:
    hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    result = hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve", HOOKCTL_PLAN_KEY="f" * 64)
    assert (result.exit_code, "signed with another key" in result.stderr) == (1, True)
    assert not (root / ".hookctl").exists()


def test_a_signed_plan_is_applied_once(hookctl: Run, root: Path) -> None:
    hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve")
    again = hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve")
    assert (again.exit_code, "the plan is stale" in again.stderr, serial(root)) == (1, True, 1)


def test_on_another_store_it_needs_the_same_webhooks_applied(hookctl: Run, root: Path) -> None:
    other = "sqlite:///other.db"
    hookctl("--store", other, "apply", "--auto-approve")
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "method: PUT\n")
    hookctl("apply", "--auto-approve")
    (root / "webhooks.d/siem.yaml").write_text(SIEM + "method: PATCH\n")
    hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    result = hookctl("--store", other, "apply", "plan.json", "--verify", REFERENCE, "--auto-approve")
    assert (result.exit_code, "the plan is stale" in result.stderr) == (1, True)


def test_a_key_from_a_file(hookctl: Run, root: Path) -> None:
    (root / "key").write_text(KEY + "\n")
    hookctl("plan", "--out", "plan.json", "--sign", "${file:key}")
    assert hookctl("apply", "plan.json", "--verify", REFERENCE, "--auto-approve").exit_code == 0


@pytest.mark.parametrize("command", [("plan", "--out", "plan.json", "--sign"), ("apply", "plan.json", "--verify")])
def test_keys_that_are_none(hookctl: Run, root: Path, command: tuple[str, ...]) -> None:
    literal = hookctl(*command, KEY)
    assert (literal.exit_code, "is not a secret reference" in literal.stderr) == (64, True)
    assert hookctl(*command, f"{REFERENCE}{KEY}").exit_code == 64
    empty = hookctl(*command, "")
    assert (empty.exit_code, "single quotes" in empty.stderr) == (64, True)
    for reference, message in [
        ("${env:UNSET_KEY}", "the environment variable UNSET_KEY is not set"),
        ("${env:SHORT_KEY}", "the signing key ${env:SHORT_KEY} has 31 bytes; it needs at least 32"),
        ("${vault:key}", "no plugin resolves 'vault'"),
        ("${file:webhooks.d}", "is not a regular file"),
    ]:
        result = hookctl(*command, reference, SHORT_KEY="x" * 31)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
    assert sorted(path.name for path in root.iterdir()) == ["webhooks.d"]


def test_a_variable_asks_for_signed_plans_alone(hookctl: Run, root: Path) -> None:
    machine = {"HOOKCTL_PLAN_SIGN": REFERENCE, "HOOKCTL_APPLY_VERIFY": REFERENCE}
    assert hookctl("plan", **machine).exit_code == 0  # nothing is saved, so nothing is signed
    assert hookctl("plan", "--out", "plan.json", **machine).exit_code == 0
    assert json.loads((root / "plan.json").read_text())["signature"]
    refused = hookctl("apply", "--auto-approve", **machine)
    assert (refused.exit_code, "--verify needs a saved plan" in refused.stderr) == (64, True)
    assert hookctl("apply", "plan.json", "--auto-approve", **machine).exit_code == 0


def test_sign_without_a_file(hookctl: Run) -> None:
    result = hookctl("plan", "--sign", REFERENCE)
    assert (result.exit_code, "--sign signs the plan that --out saves" in result.stderr) == (64, True)


def test_a_source_that_fails_does_not_tell_the_key(hookctl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> str:
        raise RuntimeError(KEY)

    monkeypatch.setattr("hookctl_plugins.secret.environment.read_variable", fails)
    result = hookctl("plan", "--out", "plan.json", "--sign", REFERENCE)
    assert (result.exit_code, "failed: RuntimeError" in result.stderr) == (1, True)


def test_an_empty_variable_does_not_switch_the_check_off(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("apply", "plan.json", "--auto-approve", cwd=tmp_path, env={"HOOKCTL_APPLY_VERIFY": ""})
    assert (result.exit_code, "HOOKCTL_APPLY_VERIFY is empty" in result.stderr) == (1, True)
