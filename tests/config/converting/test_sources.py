"""Apono, Alertmanager and Svix: what is read, what is refused, and where findings are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.converting.alertmanager import read_alertmanager
from hookctl.config.converting.apono import read_apono
from hookctl.config.converting.source_tree import MAX_VALUES, SourceError, read_json, read_yaml
from hookctl.config.converting.svix import read_svix
from hookctl.config.converting.vault import Vault
from hookctl.config.converting.writing import write
from hookctl.errors import SettingsError
from hookctl.model.source import SourceFile
from hookctl.plugin.calls import Plugins

TERRAFORM = """\
variable "base" { default = "https://tickets.example.com" }
variable "client_secret" { type = string }
locals { path = "in" }

resource "apono_manual_webhook" "tickets" {
  name   = "Tickets: prod"
  active = false
  type = {
    http_request = {
      method  = "POST"
      url     = "${var.base}/${local.path}"
      headers = { "X-Source" = "apono", "X-Api-Key" = "sk-literal-key", "X-Tenant" = var.tenant }
    }
  }
  body_template = <<-EOT
    {
      "severity": "{{data.severity}}",
      "id": {{#if data.id}}"{{data.id}}"{{else}}null{{/if}}
    }
  EOT
  authentication_config = {
    oauth = {
      client_id          = "client-1"
      client_secret      = var.client_secret
      scopes             = ["write"]
      token_endpoint_url = "https://login.example.com/token"
    }
  }
  response_validators = [{ json_path = "$.data.status", expected_values = ["ok", "queued"] }]
  timeout_in_sec      = 30
}
resource "aws_s3_bucket" "other" { bucket = "b" }
"""


@pytest.fixture
def apono(made: Callable[..., Any]) -> Callable[..., Any]:
    def read(text: str, path: str = "main.tf") -> Any:
        vault = Vault()
        return made(read_apono([SourceFile(path, text)], vault, event="anomaly"), vault)

    return read


@pytest.fixture
def alertmanager(made: Callable[..., Any]) -> Callable[..., Any]:
    def read(text: str, event: str = "anomaly") -> Any:
        vault = Vault()
        return made(read_alertmanager(SourceFile("alertmanager.yml", text), vault, event=event), vault)

    return read


@pytest.fixture
def svix(made: Callable[..., Any]) -> Callable[..., Any]:
    def read(value: object, event: str | None = None) -> Any:
        vault = Vault()
        source = SourceFile("endpoints.json", json.dumps(value, indent=1))
        return made(read_svix(source, vault, event=event, fallback="anomaly"), vault)

    return read


def test_a_resource_of_terraform(apono: Callable[..., Any]) -> None:
    result = apono(TERRAFORM)
    assert [finding.message for finding in result.findings] == []
    assert result.webhooks == [
        {
            "name": "Tickets prod",
            "status": "inactive",
            "event": "anomaly",
            "method": "POST",
            "url": "https://tickets.example.com/in",
            "headers": {
                "X-Source": "apono",
                "X-Api-Key": "${env:TICKETS_PROD_X_API_KEY}",
                "X-Tenant": "${env:TENANT}",
            },
            "auth": {
                "type": "oauth2",
                "client_id": "client-1",
                "client_secret": "${env:CLIENT_SECRET}",
                "token_url": "https://login.example.com/token",
                "scopes": ["write"],
            },
            "body_template": '{\n  "severity": "{{ data.severity }}",\n'
            '  "id": {% if data.id %}"{{ data.id }}"{% else %}null{% endif %}\n}\n',
            "timeout_seconds": 30,
            "response_validators": [{"json_path": "$.data.status", "expected_values": ["ok", "queued"]}],
        }
    ]
    assert "# Set CLIENT_SECRET:" in result.text
    assert "sk-literal-key" not in result.text


def test_jsonencode_and_escapes(apono: Callable[..., Any]) -> None:
    body = 'jsonencode({ text = "{{data.title}}", n = 1, list = [true, null] })'
    text = TERRAFORM.replace(TERRAFORM[TERRAFORM.index("<<-EOT") : TERRAFORM.index("  EOT\n") + 6], f"{body}\n")
    (webhook,) = apono(text).webhooks
    assert json.loads(webhook["body_template"]) == {"text": "{{ data.title }}", "n": 1, "list": [True, None]}


def test_findings_are_at_their_place_in_terraform(apono: Callable[..., Any]) -> None:
    text = TERRAFORM.replace("{{data.severity}}", "{{formatDate data.detected_at}}").replace(
        "/${local.path}", ":8443/in"
    )
    result = apono(text.replace('"https://login.example.com/token"', "var.login"))
    places = {(finding.rule, finding.span.line) for finding in result.findings}
    lines = {
        word: text[: text.index(word)].count("\n") + 1 for word in ("{{formatDate", "url     =", "token_endpoint_url")
    }
    assert ("import-unconverted", lines["{{formatDate"]) in places
    assert ("url-port", lines["url     ="]) in places
    assert len(result.webhooks) == 1
    assert any("var.login, which only Terraform knows" in message for message in result.errors)


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"data": [one], "pagination": {}}])
def test_exported_json(apono: Callable[..., Any], wrap: Callable[[object], object]) -> None:
    webhook = {
        "id": "1",
        "name": "Siem",
        "active": True,
        "type": {
            "http_request": {"method": "PUT", "url": "https://siem.example.com/in", "headers": {"X-Token": "abc"}}
        },
        "body_template": '{"a": "{{data.title}}"}',
        "authentication_config": None,
        "response_validators": [],
    }
    result = apono(json.dumps(wrap(webhook)), "export.json")
    assert result.errors == []
    assert result.webhooks == [
        {
            "name": "Siem",
            "event": "anomaly",
            "method": "PUT",
            "url": "https://siem.example.com/in",
            "headers": {"X-Token": "${env:SIEM_X_TOKEN}"},
            "body_template": '{"a": "{{ data.title }}"}',
        }
    ]


def test_the_kind_of_a_webhook_is_its_event_type() -> None:
    def read(**more: object) -> dict[str, Any]:
        value = {"name": "A", "url": "https://a.example.com/", "body_template": "{}", **more}
        (draft,) = read_apono([SourceFile("a.json", json.dumps(value))], Vault(), event=None)
        return draft.fields

    assert read(type="AUDIT_LOG")["event"] == "audit_log"
    assert read(type="Anomaly")["event"] == "anomaly"
    assert read(type="Integration")["event"] == "integration"
    request = read(type="Request", triggers=["RequestCreated", "RequestGranted"])
    assert (request["event"], request["when"]) == ("access_request", "contains(['created', 'granted'], data.trigger)")


def test_an_action_of_an_integration_is_an_error(apono: Callable[..., Any]) -> None:
    value = {"name": "A", "active": True, "type": {"integration": {"integration_id": "1", "action_name": "x"}}}
    assert any("action of an integration" in message for message in apono(json.dumps(value), "a.json").errors)


ALERTMANAGER = """\
route: &r {receiver: ops}
receivers:
- name: ops
  webhook_configs:
  - url: https://hooks.example.com/services/T0/B1?token=abc
    send_resolved: false
    timeout: 10s
    http_config:
      oauth2:
        client_id: me
        client_secret: the-client-secret
        token_url: https://login.example.com/token
        scopes: [a]
        endpoint_params: {audience: x, tenant: y}
      http_headers:
        X-Scope: {values: [a]}
        X-Key: {files: [/run/key]}
    payload:
      title: '{{ .CommonLabels.alertname | title }}: "{{ .Status }}"'
      alerts: '{{ .Alerts | toJson }}'
      count: 3
"""


def test_an_alertmanager_configuration(alertmanager: Callable[..., Any]) -> None:
    result = alertmanager(ALERTMANAGER)
    (webhook,) = result.webhooks
    assert webhook["when"] == "data.status == 'firing'"
    assert webhook["timeout_seconds"] == 10
    assert webhook["url"] == "https://hooks.example.com/services/T0/B1?token=${env:OPS_TOKEN}"
    assert webhook["headers"] == {"X-Scope": "a", "X-Key": "${file:/run/key}"}
    assert webhook["auth"] == {
        "type": "oauth2",
        "client_id": "me",
        "client_secret": "${env:OPS_CLIENT_SECRET}",
        "token_url": "https://login.example.com/token",
        "scopes": ["a"],
        "audience": "x",
        "endpoint_params": {"tenant": "y"},
    }
    assert webhook["body_template"] == (
        '{\n  "title": "{{ data.commonLabels.alertname | title }}: \\"{{ data.status }}\\"",\n'
        '  "alerts": {{ data.alerts }},\n  "count": 3\n}\n'
    )
    assert {finding.rule for finding in result.findings} == {"when-unknown-path", "template-unknown-path"}
    assert {finding.span.line for finding in result.findings} == {6, 18}


def test_an_unknown_event_type_is_the_only_finding(alertmanager: Callable[..., Any]) -> None:
    text = "receivers: [{name: a, webhook_configs: [{url: 'https://a.example.com/'}]}]"
    assert [finding.rule for finding in alertmanager(text, "alerts").findings] == ["unknown-event-type"]
    assert alertmanager(text, "alertmanager").findings == []


def test_other_receivers_of_alertmanager_are_led_to_their_recipes(alertmanager: Callable[..., Any]) -> None:
    text = (
        "receivers: [{name: a, slack_configs: [{}], email_configs: [{}], pagerduty_configs: [{}], "
        "webhook_configs: [{url: 'https://a.example.com/'}]}]"
    )
    [finding] = alertmanager(text, "alertmanager").findings
    assert finding.message == (
        "the receiver also has email_configs, pagerduty_configs, slack_configs, which are not imported"
    )
    assert finding.hint == (
        "Write a webhook for each: begin with `hookctl init --recipe pagerduty` and `hookctl init --recipe slack`."
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("url_file: /run/url", "the whole URL is in a file"),
        ("url: 'http://a.example.com/'", "the scheme is http"),
        ("url: 'https://a.example.com/', payload: '{{ template \"x\" . }}'", "has no counterpart"),
        ("url: 'https://a.example.com/', http_config: {tls_config: {cert_file: a}}", "client certificate"),
    ],
)
def test_what_alertmanager_has_and_hookctl_has_not(alertmanager: Callable[..., Any], config: str, message: str) -> None:
    errors = alertmanager(f"receivers: [{{name: a, webhook_configs: [{{{config}}}]}}]").errors
    assert any(message in error for error in errors)


def test_endpoints_of_svix(svix: Callable[..., Any]) -> None:
    result = svix(
        {
            "data": [
                {
                    "id": "ep_1",
                    "uid": "siem",
                    "url": "https://siem.example.com/in",
                    "description": "To the SIEM",
                    "filterTypes": ["anomaly"],
                    "rateLimit": 5,
                    "disabled": True,
                    "metadata": {"team": "ops"},
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                },
                {
                    "id": "ep_2",
                    "url": "https://b.example.com/",
                    "filterTypes": ["anomaly", "invoice.paid"],
                    "channels": ["x"],
                },
            ],
            "done": True,
        }
    )
    first, second = result.webhooks
    assert first == {
        "name": "siem",
        "description": "To the SIEM",
        "labels": {"team": "ops"},
        "status": "inactive",
        "event": "anomaly",
        "method": "POST",
        "url": "https://siem.example.com/in",
        "auth": {"type": "standard_webhooks", "secret": "${env:SIEM_SIGNING_SECRET}"},
        "body_template": "{{ data }}",
        "rate_limit": "5/s",
    }
    assert (second["name"], second["event"]) == ("b example com", ["anomaly", "invoice.paid"])
    assert any("channels are not imported" in message for message in result.errors)
    assert "MfKQ9r8GKYq" not in result.text


@pytest.mark.parametrize(
    "read",
    [
        lambda: read_apono([SourceFile("a.json", "{")], Vault(), event=None),
        lambda: read_apono([SourceFile("a.json", "{}")], Vault(), event=None),
        lambda: read_apono([SourceFile("a.json", "[" * 100_000)], Vault(), event=None),
        lambda: read_apono([SourceFile("a.tf", "resource {{{")], Vault(), event=None),
        lambda: read_apono([SourceFile("a.tf", "a = " + "[" * 5000)], Vault(), event=None),
        lambda: read_apono([SourceFile("a.tf", "a = 1\n" * 100_000)], Vault(), event=None),
        lambda: read_alertmanager(SourceFile("a.yml", "a: [b"), Vault(), event="x"),
        lambda: read_alertmanager(SourceFile("a.yml", "receivers: [{name: a}]"), Vault(), event="x"),
        lambda: read_svix(SourceFile("a.json", '{"eventTypes": []}'), Vault(), event=None, fallback="x"),
        lambda: read_yaml("[" * 1000),
        lambda: read_yaml("a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(40))),
        lambda: read_json(json.dumps([1] * (MAX_VALUES + 1))),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(read: Callable[[], object]) -> None:
    with pytest.raises(SourceError):
        read()


def test_what_only_terraform_knows_is_an_error(apono: Callable[..., Any]) -> None:
    errors = apono(TERRAFORM.replace('["write"]', "var.scopes").replace('"POST"', "var.method")).errors
    assert {error.split(",")[0] for error in errors} == {"the list of scopes is var.scopes", "the method is var.method"}


@given(st.data())
def test_broken_sources_are_refused_or_imported(plugins: Plugins, data: st.DataObject) -> None:
    path, text = data.draw(st.sampled_from([("a.tf", TERRAFORM), ("a.yml", ALERTMANAGER)]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.sampled_from(["{{", "}", '"', "'", "null", "[", "${", "\n", "*r", "0", "var.x", "{{/if}}"]))
        text = text[:at] + new + text[at + data.draw(st.integers(0, 20)) :]
    vault, source = Vault(), SourceFile(path, text)
    try:
        is_terraform = path == "a.tf"
        drafts = (
            read_apono([source], vault, event=None) if is_terraform else read_alertmanager(source, vault, event="x")
        )
    except SourceError:
        return
    _, findings = write(drafts, vault, plugins)
    lines = text.count("\n") + 1
    assert all(finding.span is None or finding.span.line <= lines for finding in findings)


def test_terraform_needs_its_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hcl2", None)
    with pytest.raises(SettingsError, match="python-hcl2"):
        read_apono([SourceFile("a.tf", TERRAFORM)], Vault(), event=None)


def test_a_secret_of_which_terraform_knows_a_part(apono: Callable[..., Any]) -> None:
    text = TERRAFORM.replace("var.client_secret", '"hunter2-${var.client_secret}"').replace(
        '"sk-literal-key"', '"hunter2-${var.key}"'
    )
    assert "hunter2" in text
    assert "hunter2" not in apono(text).text


def test_more_webhooks_than_one_import_makes_are_refused(svix: Callable[..., Any]) -> None:
    with pytest.raises(SourceError, match="more than 1,000 webhooks"):
        svix([{"url": f"https://a.example.com/{number}"} for number in range(1001)])


def test_a_user_name_of_alertmanager_that_is_a_token(alertmanager: Callable[..., Any]) -> None:
    user = "a1b2c3d4e5f6g7h8i9"
    config = f"{{url: 'https://a.example.com/', http_config: {{basic_auth: {{username: {user}, password: x}}}}}}"
    assert user not in alertmanager(f"receivers: [{{name: a, webhook_configs: [{config}]}}]").text
