"""Each built-in policy, with the command line and real files: what it accepts and refuses, and where it points."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Project = Callable[..., Path]

ROOT = Path(__file__).parents[3]
GOOD = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
labels: {owner: security}
auth:
  type: oauth2
  client_id: ${env:ID}
  client_secret: ${env:SECRET}
  token_url: https://login.example.com/oauth/token
  audience: https://elsewhere.example.net/
timeout_seconds: 10
retry:
  schedule: [5s, 12h, 12h]
"""
HOSTS = '[policies.allowed_hosts]\nhosts = ["*.example.com"]\n'
AUTHENTICATED = "[policies.authenticated]\n"
TIMEOUT = "[policies.timeout_at_most]\nseconds = 10\n"
HORIZON = '[policies.retry_horizon_at_least]\nduration = "1d"\n'
OWNER = "[policies.owner_label]\n"
ALL = HOSTS + AUTHENTICATED + TIMEOUT + HORIZON + OWNER
AUTH = GOOD[GOOD.index("auth:") : GOOD.index("timeout_seconds:")]


def test_each_is_off_until_it_is_set(run_cli: Run, project: Project) -> None:
    root = project(
        {
            "webhooks.d/bare.yaml": (
                "name: Bare\nevent: anomaly\nurl: https://anywhere.example.org/\n"
                "timeout_seconds: 300\nretry: {schedule: []}\n"
            )
        }
    )
    assert run_cli("plan", cwd=root).exit_code == 0
    (root / "hookctl.toml").write_text(ALL)
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 1
    for name in ("allowed_hosts", "authenticated", "timeout_at_most", "retry_horizon_at_least", "owner_label"):
        assert f"    error[{name}]: " in result.stdout


def test_a_webhook_that_keeps_them_all(run_cli: Run, project: Project) -> None:
    result = run_cli("plan", cwd=project({"webhooks.d/siem.yaml": GOOD, "hookctl.toml": ALL}))
    assert result.exit_code == 0
    assert "error" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("settings", "old", "new", "said", "line"),
    [
        (
            HOSTS,
            "siem.example.com",
            "siem.example.net",
            "`url` goes to siem.example.net, which is not an allowed host",
            "url: https",
        ),
        (
            HOSTS,
            "siem.example.com",
            "example.com",
            "`url` goes to example.com, which is not an allowed host",
            "url: https",
        ),
        (
            HOSTS,
            "siem.example.com",
            "evilexample.com",
            "`url` goes to evilexample.com, which is not an allowed host",
            "url: https",
        ),
        (
            HOSTS,
            "siem.example.com",
            "example.com.example.net",
            "`url` goes to example.com.example.net, which is not an allowed host",
            "url: https",
        ),
        (
            HOSTS,
            "siem.example.com/",
            "siem.example.net/a@b.example.com/",
            "`url` goes to siem.example.net, which is not an allowed host",
            "url: https",
        ),
        (
            HOSTS,
            "//login.example.com",
            "//login.example.net",
            "`token_url` goes to login.example.net, which is not an allowed host",
            "  token_url: ",
        ),
        (AUTHENTICATED, AUTH, "", "its requests are not authenticated", "name: "),
        (AUTHENTICATED, AUTH, "headers: {X-Source: hookctl}\n", "its requests are not authenticated", "name: "),
        (
            TIMEOUT,
            "timeout_seconds: 10",
            "timeout_seconds: 10.5",
            "timeout_seconds is 10.5 s; the maximum is 10 s",
            "timeout_seconds: ",
        ),
        (TIMEOUT, "timeout_seconds: 10\n", "", "timeout_seconds is 15 s; the maximum is 10 s", "name: "),
        (
            HORIZON,
            "12h, 12h",
            "12h, 11h",
            "the last attempt comes 23h 5s after the first; the minimum is 1d",
            "  schedule: ",
        ),
        (HORIZON, "[5s, 12h, 12h]", "[]", "it has no retries; the minimum is 1d", "  schedule: "),
        (OWNER, "owner:", "team:", "the label `owner` is missing", "labels: "),
        (OWNER, "owner: security", 'owner: " "', "the label `owner` is missing", "labels: "),
        (OWNER, "labels: {owner: security}\n", "", "the label `owner` is missing", "name: "),
        (OWNER + 'label = "cost-center"\n', "", "", "the label `cost-center` is missing", "labels: "),
    ],
)
def test_what_each_refuses_and_where(
    run_cli: Run, project: Project, *, settings: str, old: str, new: str, said: str, line: str
) -> None:
    text = GOOD.replace(old, new) if old else GOOD
    root = project({"webhooks.d/siem.yaml": text, "hookctl.toml": settings})
    result = run_cli("plan", "--out", "plan.json", cwd=root)
    assert result.exit_code == 1
    (name,) = tomllib.loads(settings)["policies"]
    assert f"    error[{name}]: {said}\n" in result.stdout
    assert not (root / "plan.json").exists()
    (finding,) = json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)["findings"]
    assert (finding["policy"], finding["webhook"], finding["severity"], finding["message"]) == (
        name,
        "Siem",
        "error",
        said,
    )
    start = finding["range"]["start"]
    assert finding["range"]["filename"] == "webhooks.d/siem.yaml"
    assert text.splitlines()[start["line"] - 1].startswith(line)
    assert f"      at webhooks.d/siem.yaml:{start['line']}:{start['column']}\n" in result.stdout
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 1
    assert json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)["serial"] == 0  # nothing was applied


@pytest.mark.parametrize("index", [0, 1])
def test_a_place_in_a_list_of_auths(run_cli: Run, project: Project, index: int) -> None:
    signature = "  - type: headers\n    headers: {X-Signature: '${env:TOKEN}'}\n"
    block = "  - " + AUTH.removeprefix("auth:\n").strip().replace("\n", "\n  ") + "\n"
    text = GOOD.replace(AUTH, f"auth:\n{block + signature if index == 0 else signature + block}").replace(
        "//login.example.com", "//login.example.net"
    )
    result = run_cli("plan", cwd=project({"webhooks.d/siem.yaml": text, "hookctl.toml": HOSTS}))
    assert result.exit_code == 1
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if "token_url" in line]
    said = "`token_url` goes to login.example.net, which is not an allowed host"
    assert (
        f"    error[allowed_hosts]: {said}\n"
        f"      Allowed hosts: *.example.com.\n      at webhooks.d/siem.yaml:{number}:16\n" in result.stdout
    )


def test_a_host_is_allowed_by_its_name_alone(run_cli: Run, project: Project) -> None:
    many = [f"h{number}.example.net" for number in range(7)]
    root = project(
        {
            "webhooks.d/siem.yaml": GOOD,
            "hookctl.toml": f"policies.allowed_hosts.hosts = {json.dumps(['siem.example.com', *many])}\n",
        }
    )
    result = run_cli("plan", cwd=root)
    assert result.exit_code == 1
    assert "`url` goes" not in result.stdout
    assert (
        "`token_url` goes to login.example.com, which is not an allowed host\n"
        "      Allowed hosts: siem.example.com, h0.example.net, h1.example.net, h2.example.net, h3.example.net "
        "and 3 more.\n"
    ) in result.stdout


def test_ours_keep_what_the_page_asks_for(run_cli: Run, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    settings = page.partition("```toml\n")[2].partition("```")[0]
    shutil.copytree(ROOT / "webhooks.d", tmp_path / "webhooks.d")
    (tmp_path / "hookctl.toml").write_text(settings)
    policies = run_cli("plugins", "--format", "json", cwd=tmp_path)
    names = {row["name"] for row in json.loads(policies.stdout)["plugins"] if row["kind"] == "policy"}
    assert set(tomllib.loads(settings)["policies"]) == names
    assert all(f"| `{name}` |" in page for name in names)
    findings = json.loads(run_cli("plan", "--format", "json", cwd=tmp_path).stdout)["findings"]
    assert {finding["policy"] for finding in findings if finding["severity"] == "error"} <= {
        "retry_horizon_at_least",
        "authenticated",
    }
    assert {finding["severity"] for finding in findings if finding["policy"] == "owner_label"} == {"warning"}
