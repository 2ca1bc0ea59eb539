"""``hookctl doctor`` and client certificates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

AUTHORITY = trustme.CA()
WEBHOOK = """
name: Siem
event: anomaly
status: {status}
url: https://siem.example.com/ingest
auth: {{type: mtls, certificate: "${{env:CRT}}", key: "${{env:KEY}}"}}
"""
EXPIRES = {"later": 20, "soon": 13, "tomorrow": 1, "expired": -1}


@pytest.mark.parametrize(
    ("when", "status", "expected"),
    [
        ("later", "active", None),
        ("soon", "active", ("warning", "Siem: the client certificate expires in less than 13 days")),
        ("tomorrow", "active", ("warning", "Siem: the client certificate expires in less than 1 day")),
        ("expired", "active", ("problem", "Siem: the certificate of auth mtls expired on ")),
        ("expired", "inactive", None),
        ("missing", "active", None),
    ],
)
def test_a_certificate_that_expires(
    project: Callable[..., Path],
    run_cli: Callable[..., Any],
    when: str,
    status: str,
    expected: tuple[str, str] | None,
) -> None:
    root = project({"webhooks.d/a.yaml": WEBHOOK.format(status=status)})
    env: dict[str, str] = {}
    if when in EXPIRES:
        now = datetime.now(UTC)
        leaf = AUTHORITY.issue_cert(
            "a@b.example", not_before=now - timedelta(days=30), not_after=now + timedelta(days=EXPIRES[when])
        )
        env = {"CRT": leaf.cert_chain_pems[0].bytes().decode(), "KEY": leaf.private_key_pem.bytes().decode()}
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    result = run_cli("doctor", "--format", "json", cwd=root, env=env)
    found = [check for check in json.loads(result.stdout) if check["name"] == "certificates"]
    if expected is None:
        assert found == []
        return
    (check,) = found
    assert check["verdict"] == expected[0]
    assert check["message"].startswith(expected[1])
    assert check["hint"]
    assert not env or env["KEY"].splitlines()[1] not in result.stdout
