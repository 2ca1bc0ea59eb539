"""``hookctl tokens``: what it creates, shows and never shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.model.token import token_digest

Run = Callable[..., Any]


def test_a_token_is_shown_once_and_is_nowhere_else(run_cli: Run, tmp_path: Path) -> None:
    created = run_cli("tokens", "create", "shop", "--scope", "intake", "--event-type", "anomaly", cwd=tmp_path)
    assert created.exit_code == 0, created.stderr
    token = created.stdout.strip()
    secret = token.split("_", 2)[2]
    assert len(secret) == 43
    assert secret not in created.stderr
    listed = run_cli("tokens", "list", cwd=tmp_path)
    as_json = run_cli("tokens", "list", "--format", "json", cwd=tmp_path)
    revoked = run_cli("tokens", "revoke", "shop", cwd=tmp_path)
    assert revoked.stdout == "Revoked the token shop.\n"
    assert "revoked" in run_cli("tokens", "list", cwd=tmp_path).stdout
    for shown in (listed, as_json, revoked):
        assert secret not in shown.stdout + shown.stderr
    files = [path for path in (tmp_path / ".hookctl").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert secret.encode() not in content
    assert token_digest(token).encode() in content  # the search would find it
    document = json.loads(as_json.stdout)[0]
    assert document["name"] == "shop"
    assert document["scopes"] == ["intake"]
    assert document["event_types"] == ["anomaly"]
    assert document["last_used_at"] is None
    assert "digest" not in document


def test_the_log_has_tokens(run_cli: Run, tmp_path: Path) -> None:
    created = run_cli("tokens", "create", "shop", "--scope", "read", "--scope", "intake", cwd=tmp_path)
    assert run_cli("tokens", "create", "shop", "--scope", "operate", cwd=tmp_path).exit_code == 1
    run_cli("tokens", "revoke", "shop", cwd=tmp_path)
    assert run_cli("tokens", "revoke", "shop", cwd=tmp_path).exit_code == 1
    log = run_cli("log", "--format", "json", cwd=tmp_path)
    assert created.stdout.strip() not in log.stdout
    assert [(one["action"], one["what"]) for one in json.loads(log.stdout)] == [
        ("revoke token", "shop"),
        ("create token", "shop --scope intake --scope read"),
    ]
    (token,) = json.loads(run_cli("tokens", "list", "--format", "json", cwd=tmp_path).stdout)
    assert {one["who"] for one in json.loads(log.stdout)} == {token["created_by"]}


def test_no_tokens_and_no_store(run_cli: Run, tmp_path: Path) -> None:
    assert run_cli("tokens", "list", cwd=tmp_path).stdout.startswith("No tokens.")
    assert run_cli("tokens", "revoke", "shop", cwd=tmp_path).exit_code == 1
    assert not (tmp_path / ".hookctl").exists()


def test_a_token_for_signatures_names_its_path(run_cli: Run, tmp_path: Path) -> None:
    options = ("--signature", "github", "--secret", "${env:A}", "--secret", "${env:B}", "--wrap", "anomaly")
    created = run_cli("tokens", "create", "github", *options, "--expires", "30d", cwd=tmp_path)
    assert created.exit_code == 0, created.stderr
    assert f"/v1/inbound/{created.stdout.split('_')[1]}" in created.stderr
    (document,) = json.loads(run_cli("tokens", "list", "--format", "json", cwd=tmp_path).stdout)
    assert document["scopes"] == ["intake"]
    assert (document["wrap"], document["event_types"]) == ("anomaly", ["anomaly"])
    assert document["secrets"] == ["${env:A}", "${env:B}"]
    assert document["expires_at"] == pytest.approx(document["created_at"] + 30 * 86400)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "--scope is missing"),
        (("--scope", "admin"), "Invalid value for '--scope'"),
        (("--scope", "read", "--event-type", "anomaly"), "restricts --scope intake"),
        (("--scope", "intake", "--event-type", "anomali"), "Did you mean 'anomaly'?"),
        (("--scope", "intake", "--secret", "${env:A}"), "need --signature"),
        (("--signature", "stripe", "--wrap", "anomaly"), "needs --secret"),
        (("--signature", "stripe", "--secret", "whsec_canary", "--wrap", "anomaly"), "not the secret"),
        (("--signature", "stripe", "--secret", "${env:A}"), "needs --wrap"),
        (("--signature", "stripe", "--secret", "${env:A}", "--wrap", "anomaly", "--scope", "read"), "intake alone"),
        (
            ("--signature", "stripe", "--secret", "${env:A}", "--wrap", "anomaly", "--event-type", "anomaly"),
            "leave out --event-type",
        ),
    ],
)
def test_wrong_options_create_nothing(run_cli: Run, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    result = run_cli("tokens", "create", "shop", *args, cwd=tmp_path)
    assert result.exit_code == 64
    assert message in result.stderr
    assert "whsec_canary" not in result.stderr
    assert not (tmp_path / ".hookctl").exists()


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "é", "a" * 65])
def test_names_are_plain(run_cli: Run, tmp_path: Path, name: str) -> None:
    assert run_cli("tokens", "create", "--scope", "read", "--", name, cwd=tmp_path).exit_code == 64
