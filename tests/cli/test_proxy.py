"""The proxy as a setting: option, variable, key of ``hookctl.toml``; what the commands say, and what they hide."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookctl.testing.proxy import ConnectProxy
from hookctl.testing.receiver import Receiver
from hookctl.testing.tokens import TokenEndpoint

Run = Callable[..., Any]
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth:
  type: oauth2
  client_id: hookctl
  client_secret: ${env:CLIENT_SECRET}
  token_url: https://login.example.com/oauth/token
"""
SECRETS = {"PROXY_USER": "egress", "PROXY_PASSWORD": "canary-31415", "CLIENT_SECRET": "client-canary-2718"}
NOTE = "which resolves the names of targets and decides which addresses it connects to"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(token_endpoint=TokenEndpoint("hookctl", SECRETS["CLIENT_SECRET"])) as receiver:
        receiver.require_token("/ingest")
        yield receiver


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def proxy(request: pytest.FixtureRequest, receiver: Receiver) -> Iterator[ConnectProxy]:
    with ConnectProxy(receiver, tls=request.param, credentials=("egress", SECRETS["PROXY_PASSWORD"])) as proxy:
        yield proxy


def said(result: Any) -> str:
    return str(result.stdout) + str(result.stderr)


def with_credentials(url: str) -> str:
    return url.replace("://", "://${env:PROXY_USER}:${env:PROXY_PASSWORD}@")


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver, proxy: ConnectProxy) -> Path:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    (tmp_path / "ca.pem").write_bytes(Path(receiver.ca_file).read_bytes())
    (tmp_path / "proxy.pem").write_bytes(Path(proxy.ca_file).read_bytes())
    (tmp_path / "hookctl.toml").write_text('cacert = "ca.pem"\n[cacert_for]\n"127.0.0.1" = "proxy.pem"\n')
    return tmp_path


@pytest.fixture
def run(project: Path, run_cli: Run) -> Run:
    return lambda *args, **env: run_cli(*args, cwd=project, env={**SECRETS, **env})


def test_requests_and_tokens_go_through_it(run: Run, receiver: Receiver, proxy: ConnectProxy) -> None:
    result = run("test", "--proxy", with_credentials(proxy.url))
    assert result.exit_code == 0, said(result)
    assert f"Requests go through the proxy {proxy.url}, {NOTE}." in result.stdout
    assert sorted(proxy.asked) == ["login.example.com:443", "siem.example.com:443"]
    assert receiver.requests[-1].path == "/ingest"


@pytest.mark.parametrize("place", ["variable", "file"])
def test_where_it_is_set(run: Run, project: Path, proxy: ConnectProxy, place: str) -> None:
    env = {}
    if place == "variable":
        env = {"HOOKCTL_PROXY": with_credentials(proxy.url)}
    else:
        settings = project / "hookctl.toml"
        settings.write_text(f'proxy = "{with_credentials(proxy.url)}"\n{settings.read_text()}')
    plan = run("plan", **env)
    assert f"Requests go through the proxy {proxy.url}, {NOTE}." in plan.stdout
    assert run("apply", "--auto-approve", **env).exit_code == 0
    doctor = run("doctor", **env)
    assert (doctor.exit_code, f"requests go through {proxy.url}, {NOTE}" in doctor.stdout) == (0, True), doctor.stdout
    assert run("test", **env).exit_code == 0
    assert "siem.example.com:443" in proxy.asked


def test_nothing_repeats_its_password(run: Run, project: Path, proxy: ConnectProxy) -> None:
    proxy.credentials = ("egress", "another one")
    result = run("test", "--show-invocation", "--proxy", with_credentials(proxy.url))
    assert result.exit_code == 1
    assert f"the proxy {proxy.url} answered 407 to CONNECT" in result.stdout
    assert "Name them in the proxy's URL as secret references" in result.stdout.replace("\n    ", " ")
    written = [said(result), *(said(run(one, HOOKCTL_PROXY=with_credentials(proxy.url))) for one in ("plan", "doctor"))]
    assert run("apply", "--auto-approve", HOOKCTL_PROXY=with_credentials(proxy.url)).exit_code == 0
    files = [path.read_bytes() for path in project.rglob("*") if path.is_file()]
    assert all("canary-31415" not in text for text in written)
    assert all(b"canary-31415" not in content for content in files)


def test_a_missing_secret_of_the_proxy(run: Run, proxy: ConnectProxy) -> None:
    url = proxy.url.replace("://", "://egress:${env:ABSENT_PASSWORD}@")
    doctor = run("doctor", HOOKCTL_PROXY=url)
    assert (doctor.exit_code, "ABSENT_PASSWORD is not set" in doctor.stdout) == (1, True)
    result = run("test", "--proxy", url)
    assert (result.exit_code, "ABSENT_PASSWORD is not set" in result.stdout) == (1, True)
    assert proxy.asked == []


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_doctor_names_variables_without_effect(run: Run, proxy: ConnectProxy, name: str) -> None:
    ignored = f"hookctl does not read the environment variable {name}"
    warned = json.loads(run("doctor", "--format", "json", **{name: "http://127.0.0.1:9"}).stdout)
    assert [check["verdict"] for check in warned if ignored in check["message"]] == ["warning"]
    own = json.loads(run("doctor", "--format", "json", "--proxy", proxy.url, **{name: "http://127.0.0.1:9"}).stdout)
    assert [check["verdict"] for check in own if ignored in check["message"]] == ["ok"]


def test_doctor_lists_what_is_reached_directly(run: Run, project: Path, proxy: ConnectProxy) -> None:
    settings = project / "hookctl.toml"
    allow = '[allow]\n"in.example" = ["10.0.0.0/8"]\n"splunk.example:8088" = []\n'
    settings.write_text(f'connect_to = ["siem.example.com:443:127.0.0.1:1"]\n{settings.read_text()}{allow}')
    doctor = run("doctor", "--proxy", proxy.url)
    assert "not through the proxy, because of connect_to or allow: in.example, siem.example.com" in doctor.stdout


def test_a_variable_with_a_secret_of_the_proxy_is_known(run: Run, proxy: ConnectProxy) -> None:
    url = proxy.url.replace("://", "://egress:${env:HOOKCTL_EGRESS_PASSWORD}@")
    doctor = run("doctor", HOOKCTL_PROXY=url, HOOKCTL_EGRESS_PASSWORD="canary-31415")
    assert "HOOKCTL_EGRESS_PASSWORD" not in doctor.stdout


def test_a_plan_without_changes_or_proxy_says_nothing(run: Run, proxy: ConnectProxy) -> None:
    assert "proxy" not in run("plan").stdout
    run("apply", "--auto-approve")
    assert "proxy" not in run("plan", "--proxy", proxy.url).stdout


@pytest.mark.parametrize(
    "url", ["http://user:literal-canary@127.0.0.1:1", "socks5://127.0.0.1:1", "127.0.0.1:3128", "http://127.0.0.1"]
)
def test_not_a_proxy(run: Run, url: str) -> None:
    for command in ("plan", "test", "doctor"):
        result = run(command, "--proxy", url)
        assert result.exit_code == 1
        assert "--proxy" in said(result)
        assert "canary" not in said(result)
