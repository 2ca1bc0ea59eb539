"""``hookctl doctor``: each problem and warning that it knows, and a house in order."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.store.records import Circuit
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.store.sqlite.version import is_affected

Run = Callable[..., Any]
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:SIEM_TOKEN}"}
"""


@pytest.fixture
def applied(tmp_path: Path, run_cli: Run) -> Run:
    """The command line in a project with one webhook applied."""
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")

    def run(*args: str, **env: str) -> Any:
        return run_cli(*args, cwd=tmp_path, env=env)

    assert run("apply", "--auto-approve").exit_code == 0
    return run


def found(run: Run, **env: str) -> dict[str, tuple[str, str]]:
    result = run("doctor", "--format", "json", **env)
    checks = json.loads(result.stdout)
    assert result.exit_code == any(check["verdict"] == "problem" for check in checks)
    return {check["name"]: (check["verdict"], check["message"]) for check in checks}


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
        ((3, 44, 6), False),
        ((3, 50, 7), False),
        ((3, 44, 5), True),
        ((3, 45, 9), True),
    ],
)
def test_which_sqlite_is_affected(version: tuple[int, ...], affected: bool) -> None:
    assert is_affected(version) is affected


def test_a_house_in_order(applied: Run) -> None:
    checks = found(applied, SIEM_TOKEN="canary-4711")
    checks.pop("sqlite")  # as this Python has it
    assert {verdict for verdict, _ in checks.values()} == {"ok"}
    assert checks["applied"] == ("ok", "1 webhook, serial 1")
    assert checks["plugins"] == ("ok", "7 plugins loaded (7 built in)")
    assert "canary" not in applied("doctor", SIEM_TOKEN="canary-4711").stdout


def test_before_anything_was_applied(run_cli: Run, tmp_path: Path) -> None:
    result = run_cli("doctor", cwd=tmp_path)
    assert (result.exit_code, "does not exist yet" in result.stdout) == (0, True)
    assert list(tmp_path.iterdir()) == []


def test_an_unset_secret(applied: Run) -> None:
    verdict, message = found(applied)["secrets"]
    assert (verdict, message.startswith("${env:SIEM_TOKEN} of Siem: ")) == ("problem", True)


EVERYWHERE = """
name: Everywhere
event: anomaly
url: https://siem.example.com/${env:IN_PATH}/x?k=${env:IN_QUERY}&also=${env:IN_QUERY}
headers: {X-Api-Key: "a ${env:IN_HEADER} ${file:o'neill\\\\key}"}
auth:
  - {type: bearer, token: "${env:IN_AUTH}"}
  - {type: headers, headers: {X-Signed: "${env:IN_SETTINGS}"}}
body_template: '{"a": "${env:IN_BODY}", "b": "${5}"}'
"""


def test_each_place_of_a_reference(run_cli: Run, tmp_path: Path) -> None:
    """Wherever a delivery resolves one: it is read, and named when it is missing."""
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/a.yaml").write_text(EVERYWHERE)
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0
    (tmp_path / "o'neill\\key").write_text("canary-4711")
    env = dict.fromkeys(("IN_PATH", "IN_QUERY", "IN_HEADER", "IN_AUTH", "IN_SETTINGS", "IN_BODY"), "canary-4711")

    def secrets(**present: str) -> list[tuple[str, str]]:
        result = run_cli("doctor", "--format", "json", cwd=tmp_path, env=present)
        assert "canary" not in result.stdout + result.stderr
        checks = json.loads(result.stdout)
        return [(check["verdict"], check["message"]) for check in checks if check["name"] == "secrets"]

    assert secrets(**env) == [("ok", "all 7 needed secrets are available")]
    for name in env:
        ((verdict, message),) = secrets(**{other: value for other, value in env.items() if other != name})
        assert verdict == "problem"
        assert message == f"${{env:{name}}} of Everywhere: the environment variable {name} is not set"


def test_a_source_that_fails(applied: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> str:
        raise RuntimeError("canary-4711")

    monkeypatch.setattr("hookctl_plugins.secret.environment.read_variable", fails)
    verdict, message = found(applied)["secrets"]
    assert (verdict, message.endswith("failed: RuntimeError")) == ("problem", True)


def test_a_store_that_others_can_read(applied: Run, tmp_path: Path) -> None:
    (tmp_path / ".hookctl/hookctl.db").chmod(0o644)
    assert found(applied)["store"] == ("warning", "other users of this machine can read .hookctl/hookctl.db")


def test_no_room(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text('[intake]\nmin_free = "900000TB"\n', encoding="utf-8")
    assert found(applied)["room"][0] == "problem"


def test_settings_that_are_none(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text('[retention]\nage = "soon"\n', encoding="utf-8")
    assert found(applied)["settings"][0] == "problem"


@pytest.mark.parametrize("settings", ["[policies.nonsense]\n", "[policies.timeout_at_most]\nseconds = 'many'\n"])
def test_rules_that_a_plan_would_refuse(applied: Run, tmp_path: Path, settings: str) -> None:
    (tmp_path / "hookctl.toml").write_text(settings)
    assert found(applied)["settings"][0] == "problem"


def test_a_damaged_store(applied: Run, tmp_path: Path) -> None:
    (tmp_path / ".hookctl/hookctl.db").write_bytes(b"nonsense" * 1000)
    verdict, message = found(applied)["store"]
    assert (verdict, "damaged or is not a database" in message) == ("problem", True)


def test_a_circuit_that_is_open(applied: Run, tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
    queue.set_circuits({"Siem": Circuit("open", "HTTP 503", 1000.0, 1010.0)})
    queue.close()
    assert found(applied)["circuit"] == ("warning", "Siem: the circuit is open because the target failed: HTTP 503")
    assert "! circuit" in applied("doctor").stdout


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (20_000, ("ok", "20,000 open files")),
        (64, ("warning", "only 64 open files are allowed, so few requests are sent at the same time")),
        (resource.RLIM_INFINITY, ("ok", "unlimited open files")),
    ],
)
def test_how_many_files_may_be_open(
    applied: Run, monkeypatch: pytest.MonkeyPatch, files: int, expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (32, files))
    assert found(applied)["limits"] == expected


def test_a_webhook_that_waits_for_this_machine(applied: Run, tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / ".hookctl/hookctl.db")
    queue.set_circuits({"Siem": Circuit("local", "local: this machine is out of memory", 1.0, 2.0)})
    queue.close()
    message = (
        "Siem: nothing is sent because this machine has run out of a resource: local: this machine is out of memory"
    )
    assert found(applied)["local"] == ("problem", message)


def test_one_error_is_reported_once(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text('[retention]\nage = "a month"\n', encoding="utf-8")
    result = applied("doctor")
    assert result.exit_code == 1
    assert result.stdout.count("retention.age must be a duration") == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("dri = 'x'\n", "unknown setting 'dri'"),
        ("dir = 1\n", "dir must be a string"),
        ("dir = [\n", "hookctl.toml cannot be read"),
    ],
)
def test_a_settings_file_that_is_not_valid(applied: Run, tmp_path: Path, settings: str, message: str) -> None:
    (tmp_path / "hookctl.toml").write_text(settings)
    result = applied("doctor", "--format", "json")
    checks = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    (problem,) = (check for check in checks if check["verdict"] == "problem")
    assert (problem["name"], message in problem["message"]) == ("settings", True)
    assert {"limits", "plugins"} <= {check["name"] for check in checks}
    assert "✗ settings" in applied("doctor").stdout


def test_the_store_is_checked_without_a_settings_file_if_it_is_named(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text("nonsense = 1\n")
    checks = found(applied, SIEM_TOKEN="x", HOOKCTL_STORE="sqlite:///.hookctl/hookctl.db")
    assert checks["settings"][0] == "problem"
    assert (checks["applied"], checks["secrets"][0]) == (("ok", "1 webhook, serial 1"), "ok")


def test_every_wrong_setting_is_a_problem_of_the_settings(applied: Run, tmp_path: Path) -> None:
    (tmp_path / "hookctl.toml").write_text(
        'dir = "../x"\nstore = "sqlite:///../x.db"\ncacert = "absent.pem"\n[retention]\nage = "3 weeks"\n'
    )
    checks = json.loads(applied("doctor", "--format", "json").stdout)
    problems = [(check["name"], check["message"]) for check in checks if check["verdict"] == "problem"]
    assert problems == [
        ("settings", "hookctl.toml: dir is outside the directory of hookctl.toml"),
        ("settings", "hookctl.toml: store is outside the directory of hookctl.toml"),
        ("settings", "hookctl.toml: cacert: absent.pem cannot be read: No such file or directory"),
        ("settings", "hookctl.toml: retention.age must be a duration, not '3 weeks'"),
    ]
    assert ("settings", "ok") not in {(check["name"], check["verdict"]) for check in checks}


def test_variables_that_no_option_reads(applied: Run) -> None:
    env = {"HOOKCTL_STOR": "x", "HOOKCTL_PLAN_FORMT": "json", "HOOKCTL_QQQQQQQQ": "x"}
    read = {"HOOKCTL_PLAN_FORMAT": "json", "HOOKCTL_DELIVERIES_LIST_STATUS": "dead", "HOOKCTL_PLAN_KEY": "secret"}
    result = applied("doctor", "--format", "json", SIEM_TOKEN="x", **env, **read)
    warnings = [check for check in json.loads(result.stdout) if check["name"] == "variables"]
    assert result.exit_code == 0
    assert [(check["message"].rpartition(" ")[2], check["hint"]) for check in warnings] == [
        ("HOOKCTL_PLAN_FORMT", "Did you mean HOOKCTL_PLAN_FORMAT?"),
        ("HOOKCTL_QQQQQQQQ", "`hookctl explain settings` lists the variables."),
        ("HOOKCTL_STOR", "Did you mean HOOKCTL_STORE?"),
    ]


def test_a_variable_of_a_secret_is_not_unknown(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK.replace("SIEM_TOKEN", "HOOKCTL_TOKEN"))
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0
    assert "variables" not in run_cli("doctor", cwd=tmp_path, env={"HOOKCTL_TOKEN": "x"}).stdout
