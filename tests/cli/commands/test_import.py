"""``hookctl import``: files that validate or findings that say why not, and no secret anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CANARIES = {name: f"canary{number}Zq7{number}x" for number, name in enumerate("abcdefghij")}
CURL = """\
curl 'https://user:{a}@hooks.example.com/in/{b}9f8e7d6c5b4a?sig={c}&X-Amz-Signature={d}&page=2' \\
  -H 'X-Auth-Token: {e}' -b 'session={f}' -H 'X-Trace: {g}9f8e7d6c5b4a3f2e' \\
  --data-raw '{{"password": "{h}", "note": "{e}", "inner": "{{\\"client_secret\\": \\"{i}\\"}}"}}' \\
  -H 'X-Signature: {j}' --unix-socket /a
"""
ALERTMANAGER = """\
receivers:
- name: ops {a}
  webhook_configs:
  - url: https://hooks.example.com/{b}9f8e7d6c5b4a?token={c}
    http_config:
      basic_auth: {{username: me, password: {d}}}
      http_headers: {{X-Key: {{secrets: [{e}]}}, X-Api-Key: {{values: [{f}]}}}}
      proxy_url: https://me:{g}@proxy.example.com
    payload: '{{"a": "{h}", "token": "{i}", "x": "{{{{ template "{j}" . }}}}"}}'
"""
SVIX = {
    "data": [
        {
            "url": "https://hooks.example.com/in?key={a}",
            "secret": "whsec_{b}",
            "description": "whsec_{b}",
            "headers": {"Authorization": "Bearer {c}"},
            "metadata": {"note": "{c}"},
            "transformation": "{d}",
        }
    ]
}
TERRAFORM = """\
resource "apono_manual_webhook" "x" {{
  name   = "X"
  active = true
  type   = {{
    http_request = {{ method = "POST", url = "https://t.example.com/?token={a}", headers = {{ "X-Token" = "{b}" }} }}
  }}
  body_template = jsonencode({{ api_key = "{c}", text = "{b}" }})
  authentication_config = {{
    oauth = {{
      client_id = "c", client_secret = "{d}", scopes = [], token_endpoint_url = "https://l.example.com/t"
    }}
  }}
}}
"""


def everything(root: Path, result: Any) -> str:
    files = "".join(path.read_text() for path in (root / "webhooks.d").rglob("*"))
    return f"{files}{result.stdout}{result.stderr}"


@pytest.mark.parametrize(
    ("command", "text", "used"),
    [
        ("curl", CURL, "abcdefghij"),
        ("alertmanager", ALERTMANAGER, "bcdefgi"),
        ("svix", json.dumps(SVIX), "abc"),
        ("apono", TERRAFORM, "abcd"),
    ],
)
def test_no_secret_is_written_or_shown(
    run_cli: Callable[..., Any], tmp_path: Path, command: str, text: str, used: str
) -> None:
    for name, canary in CANARIES.items():
        text = text.replace(f"{{{name}}}", canary)
    text = text.replace("{{", "{").replace("}}", "}") if command != "svix" else text
    source = tmp_path / {"apono": "main.tf"}.get(command, "source")
    source.write_text(text)
    arguments = [] if command == "curl" else [source.name]
    for more in ((), ("--stdout",), ("--format", "json")):
        result = run_cli("import", command, *arguments, *more, "--event", "anomaly", cwd=tmp_path, stdin=text)
        shown = everything(tmp_path, result)
        assert "url: " in shown
        for name in used:
            for form in (CANARIES[name], base64.b64encode(CANARIES[name].encode()).decode()):
                assert form not in shown, name


def test_files_that_are_written_validate(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    command = "curl https://siem.example.com/in --json '{\"id\": \"{{ data.id }}\"}' -H 'Authorization: Bearer abc'"
    result = run_cli("import", "curl", cwd=tmp_path, stdin=command)
    assert (result.exit_code, result.stdout) == (0, "1 webhook imported, no problems found.\n")
    assert result.stderr == (
        "Wrote  webhooks.d/siem-example-com.yaml\nSet    SIEM_EXAMPLE_COM_TOKEN: the token of siem example com\n"
    )
    assert run_cli("validate", cwd=tmp_path).exit_code == 0


def test_existing_files_are_kept(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "webhooks.d" / "mine.yaml"
    path.parent.mkdir()
    path.write_text("kept")
    result = run_cli("import", "curl", "--name", "Mine", cwd=tmp_path, stdin="curl https://a.example.com/")
    assert "Kept   webhooks.d/mine.yaml, which already exists" in result.stderr
    assert path.read_text() == "kept"


def test_output_can_be_printed_instead(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("import", "curl", "--stdout", cwd=tmp_path, stdin="curl http://a.example.com/")
    assert result.exit_code == 1
    assert result.stdout.startswith("name: a example com\n")
    assert "error[url-scheme]" in result.stderr
    assert not (tmp_path / "webhooks.d").exists()


def test_a_directory_is_read_as_one_module(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "terraform"
    (folder / ".terraform").mkdir(parents=True)
    (folder / ".terraform" / "cached.tf").write_text("not read {{{")
    (folder / "variables.tf").write_text('variable "url" { default = "https://a.example.com/in" }\n')
    (folder / "main.tf").write_text(
        'resource "apono_manual_webhook" "a" {\n  name = "A"\n  active = true\n'
        '  type = { http_request = { method = "POST", url = var.url, headers = {} } }\n'
        '  body_template = "{{{formatDate data.id}}}"\n}\n'
    )
    result = run_cli("import", "apono", "terraform", "--event", "anomaly", "--format", "json", cwd=tmp_path)
    assert "https://a.example.com/in" in (tmp_path / "webhooks.d" / "a.yaml").read_text()
    (finding,) = json.loads(result.stdout)["diagnostics"]
    place = finding["range"]["filename"], finding["range"]["start"]["line"]
    assert (finding["code"], *place) == ("import-unconverted", "terraform/main.tf", 5)
    assert result.exit_code == 1


def test_a_command_that_cannot_be_read_is_not_shown(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("import", "curl", cwd=tmp_path, stdin=f"curl https://a.example.com/ -H 'X: {CANARIES['a']}")
    assert "a quote is not closed" in result.stdout
    assert CANARIES["a"] not in result.stdout + result.stderr


def test_a_source_that_cannot_be_read_is_a_finding_at_its_place(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n  "name": 1,,\n}')
    result = run_cli("import", "svix", "a.json", "--format", "json", cwd=tmp_path)
    (finding,) = json.loads(result.stdout)["diagnostics"]
    assert (finding["code"], finding["range"]["start"]["line"], result.exit_code) == ("import-source", 2, 1)
    assert run_cli("import", "svix", "missing.json", cwd=tmp_path).exit_code == 1


def test_event_types_of_files_count(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    """They are known to what is imported, to --set and to mock events."""
    paid = {"type": "object", "description": "d", "properties": {"amount": {"type": "number", "description": "d"}}}
    body = {"content": {"application/json": {"schema": paid, "example": {"amount": 3}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "webhooks": {"invoice.paid": {"post": {"requestBody": body}}},
    }
    (tmp_path / "api.json").write_text(json.dumps(document))
    assert run_cli("import", "events", "api.json", cwd=tmp_path).exit_code == 0
    svix = [{"url": "https://a.example.com/in", "filterTypes": ["invoice.paid"]}]
    (tmp_path / "svix.json").write_text(json.dumps(svix))
    result = run_cli("import", "svix", "svix.json", cwd=tmp_path)
    assert (result.exit_code, "no problems found" in result.stdout) == (0, True)
    mock = run_cli("events", "mock", "invoice.paid", "--set", "data.amount=4", cwd=tmp_path)
    assert json.loads(mock.stdout)["data"] == {"amount": 4}
    wrong = run_cli("events", "mock", "invoice.paid", "--set", "data.amount=x", cwd=tmp_path)
    assert wrong.exit_code == 1
    assert "--set: error[test-field]" in wrong.stdout + wrong.stderr
