"""The settings of ``standard_webhooks`` and ``hmac``: what is checked, what a plan shows, and unusable secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.errors import SecretError
from hookctl.model import Json, Secret
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.signatures import PRESETS
from hookctl.signatures.templates import CONTENT_NAMES, FORMAT_NAMES
from hookctl.testing.receiver import Receiver
from hookctl_plugins.auth.recipes import FIELDS, expanded, headers_of, recipe_of

WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth:
  type: hmac
  secret: ${env:KEY}
  {settings}
body_template: '{"id": "{{ id }}"}'
"""
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture
def write(project: Callable[[Mapping[str, str]], Path]) -> Callable[..., Path]:
    """``write("preset: github", "format: x")``: a project whose webhook has this auth ``hmac``."""

    def write(*settings: str, type: str = "hmac") -> Path:  # noqa: A002 - the name of the field
        text = WEBHOOK.replace("{settings}", "\n  ".join(settings)).replace("type: hmac", f"type: {type}")
        return project({"webhooks.d/siem.yaml": text})

    return write


# -- the schema ------------------------------------------------------------------------------------------------------


def test_the_schema_knows_every_preset_and_name(plugins: Plugins) -> None:
    properties: Any = plugins.auth["hmac"].schema["properties"]
    assert properties["preset"]["enum"] == sorted(PRESETS)
    assert all(f"`{{{name}}}`" in properties["content"]["description"] for name in CONTENT_NAMES)
    assert all(f"`{{{name}}}`" in properties["format"]["description"] for name in FORMAT_NAMES)
    assert FIELDS.keys() == properties.keys() - {"preset", "secret", "previous_secret"}


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_preset_expands_to_is_valid_and_expands_to_itself(plugins: Plugins, name: str) -> None:
    settings: dict[str, Json] = {"preset": name, "secret": "${env:KEY}"}
    full = expanded(settings)
    jsonschema.validate(full, plugins.auth["hmac"].schema)
    assert (expanded(full), recipe_of(full)) == (full, PRESETS[name])
    assert not plugins.auth["hmac"].problems(full)  # type: ignore[misc]


def test_a_setting_changes_one_part_of_a_preset() -> None:
    settings: dict[str, Json] = {"preset": "convoy", "secret": "${env:KEY}", "algorithm": "sha512"}
    full = expanded(settings)
    assert full == {**expanded({**settings, "algorithm": "sha256"}), "algorithm": "sha512"}


def test_start_up_does_not_import_the_signatures() -> None:
    code = (
        "import sys, hookctl_plugins.auth; print([name for name in sys.modules if name.startswith('hookctl.signat')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# -- findings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        (["header: X-A", "content: '{timestmp}.{body}'"], "8:13", "unknown name {timestmp}"),
        (["preset: github", "content: 'a{body'"], "8:14", "this brace does not enclose a name"),
        (["header: X-A", "content: 'a ${env:KEY}'"], "8:16", "this brace does not enclose a name"),
        (["header: X-A", "format: 'sha={sig}'"], "8:16", "unknown name {sig}"),
        (["header: X-A", "format: sha="], "8:11", "format does not contain {signature} exactly once"),
        (["preset: github", "previous_secret: ${env:OLD}"], "8:20", "has place for only one signature"),
        (["content: '{body}'"], "5:3", "the auth hmac has neither a preset nor a header"),
        (["header: Content-Length"], "7:11", "the request needs the header Content-Length itself"),
        (["preset: slack", "timestamp_header: x-slack-signature"], "8:21", "timestamp_header and header are the same"),
        (["header: X-A", "id_header: host"], "8:14", "the request needs the header host itself"),
        (["header: Webhook-Id"], "7:11", "the request needs the header Webhook-Id itself"),
        (["header: Accept-Encoding"], "7:11", "the request needs the header Accept-Encoding itself"),
        (["header: X-A", "id_header: webhook-timestamp"], "8:14", "the request needs the header webhook-timestamp"),
    ],
)
def test_what_no_schema_can_express_is_found_at_its_place(
    run_cli: Run, write: Callable[..., Path], settings: list[str], place: str, message: str
) -> None:
    result = run_cli("validate", cwd=write(*settings))
    (line,) = [line for line in result.stdout.splitlines() if "error[" in line]
    assert line.startswith(f"webhooks.d/siem.yaml:{place}: error[setting-invalid]: "), result.stdout
    assert message in line


def test_with_another_finding_only_that_is_reported(run_cli: Run, write: Callable[..., Path]) -> None:
    result = run_cli("validate", cwd=write("preset: githb", "content: '{nothing}'"))
    assert "error[wrong-value]" in result.stdout
    assert "setting-invalid" not in result.stdout


def test_a_rotated_secret_is_fine_where_the_format_has_place_for_it(run_cli: Run, write: Callable[..., Path]) -> None:
    root = write("preset: github", "previous_secret: ${env:OLD}", "format: '{signature}[,{signature}]'")
    assert run_cli("validate", cwd=root).exit_code == 0


# -- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_shows_the_recipe_of_a_preset(run_cli: Run, write: Callable[..., Path]) -> None:
    root = write("preset: stripe", "previous_secret: ${env:OLD}")
    shown = run_cli("plan", cwd=root).stdout
    for line in (
        "+ auth.algorithm: sha256",
        "+ auth.content: {timestamp}.{body}",
        "+ auth.encoding: hex",
        "+ auth.format: t={timestamp},v1={signature}[,v1={signature}]",
        "+ auth.header: Stripe-Signature",
        "+ auth.key_encoding: utf-8",
        "+   headers.Stripe-Signature: t=***,v1=***,v1=***",
    ):
        assert line in shown
    assert "preset" not in shown
    assert "Stripe-Signature: t=***,v1=***,v1=***" in run_cli("render", "Siem", cwd=root).stdout


def test_a_preset_and_its_recipe_make_the_same_plan(run_cli: Run, write: Callable[..., Path]) -> None:
    assert run_cli("apply", "--auto-approve", cwd=write("preset: slack")).exit_code == 0
    recipe = expanded({"preset": "slack", "secret": ""})
    root = write(*(f"{name}: {json.dumps(value)}" for name, value in recipe.items() if name != "secret"))
    assert "No changes" in run_cli("plan", cwd=root).stdout
    shown = run_cli("plan", cwd=write("preset: slack", "content: '{body}'")).stdout
    assert "auth.content" in shown
    assert "auth.algorithm" not in shown


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({"preset": "github"}, {"X-Hub-Signature-256": "sha256=***"}),
        ({"preset": "slack"}, {"X-Slack-Signature": "v0=***", "X-Slack-Request-Timestamp": "***"}),
        ({"preset": "outpost", "previous_secret": "${env:OLD}"}, {"x-outpost-signature": "v0=***,***"}),
        ({"header": "X-A", "id_header": "X-B"}, {"X-A": "***", "X-B": "***"}),
    ],
)
def test_headers_are_declared(settings: dict[str, Json], headers: dict[str, str]) -> None:
    assert headers_of({"secret": "${env:KEY}", **settings}) == headers


def test_the_headers_of_standard_webhooks_are_declared(plugins: Plugins) -> None:
    adds = plugins.auth["standard_webhooks"].adds
    settings: dict[str, Json] = {"secret": "${env:A}", "previous_secret": "${env:B}", "ed25519_key": "${env:C}"}
    assert adds
    assert adds(settings) == {"webhook-signature": "v1,*** v1,*** v1a,***"}


# -- secrets ---------------------------------------------------------------------------------------------------------

CANARY = "canary-that-is-not-base64!"


@pytest.mark.parametrize("kind", ["hmac", "standard_webhooks"])
def test_a_key_that_cannot_be_decoded_is_named_without_being_shown(plugins: Plugins, kind: str) -> None:
    settings: dict[str, Any] = {"secret": Secret("d3Jvbmc="), "previous_secret": Secret(CANARY)}
    if kind == "hmac":
        settings |= {"preset": "stripe", "key_encoding": "base64"}
    with pytest.raises(SecretError, match=r"^the previous_secret of the auth is not usable: the key is not ") as raised:
        plugins.auth[kind].build(settings, None)  # type: ignore[arg-type]
    assert CANARY not in f"{raised.value.message}{raised.value.hint}"


def reach(receiver: Receiver, **secrets: str) -> dict[str, str]:
    address = f"siem.example.com:443:{receiver.address}:{receiver.port}"
    return secrets | {"HOOKCTL_CONNECT_TO": address, "HOOKCTL_CACERT": receiver.ca_file}


def test_an_unusable_key_fails_a_test_and_is_a_problem_for_doctor(
    run_cli: Run, write: Callable[..., Path], receiver: Receiver
) -> None:
    root, env = write(type="standard_webhooks"), reach(receiver, KEY=CANARY)
    tested = run_cli("test", cwd=root, env=env)
    assert tested.exit_code == 1
    reason = "the secret of the auth is not usable: the key is not whsec_ followed by base64"
    assert reason in tested.stdout
    assert not receiver.requests
    run_cli("apply", "--auto-approve", cwd=root, env=env)
    checks = json.loads(run_cli("doctor", "--format", "json", cwd=root, env=env).stdout)
    (check,) = [check for check in checks if check["name"] == "secrets" and check["verdict"] == "problem"]
    assert check["message"] == f"Siem: {reason}"
    assert CANARY not in tested.stdout + tested.stderr + json.dumps(checks)


@pytest.mark.parametrize("kind", ["standard_webhooks", "hmac"])
def test_a_short_key_is_a_warning(run_cli: Run, write: Callable[..., Path], receiver: Receiver, kind: str) -> None:
    settings = ["header: X-A", "key_encoding: whsec"] if kind == "hmac" else []
    root, env = write(*settings, type=kind), reach(receiver, KEY="whsec_plJ3nmyCDGBKInavdOK15jsl")
    warning = "Siem: the secret has 18 bytes; Standard Webhooks requires at least 24"
    tested = run_cli("test", cwd=root, env=env)
    assert (tested.exit_code, len(receiver.requests)) == (0, 1)
    assert f"Warning: {warning}\n" in tested.stderr
    run_cli("apply", "--auto-approve", cwd=root, env=env)
    checks = json.loads(run_cli("doctor", "--format", "json", cwd=root, env=env).stdout)
    assert [check["message"] for check in checks if check["name"] == "secrets" and check["verdict"] == "warning"] == [
        warning
    ]
    long = reach(receiver, KEY="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert not run_cli("test", cwd=root, env=long).stderr


def test_an_attempts_record_shows_the_timestamp_and_no_signature(
    run_cli: Run, write: Callable[..., Path], receiver: Receiver
) -> None:
    root, env = write("preset: slack"), reach(receiver, KEY="key")
    shown = run_cli("test", "--show-invocation", cwd=root, env=env).stdout
    (request,) = receiver.requests
    assert f"X-Slack-Request-Timestamp: {request.header('webhook-timestamp')}" in shown
    assert "X-Slack-Signature: ***" in shown
    assert str(request.header("X-Slack-Signature"))[-64:] not in shown


@pytest.mark.parametrize("preset", ["twilio", "slack"])
def test_a_signed_exchange_is_recorded_and_replayed(
    run_cli: Run, write: Callable[..., Path], receiver: Receiver, preset: str
) -> None:
    root, env = write(f"preset: {preset}"), reach(receiver, KEY="key")
    assert run_cli("test", "--record", cwd=root, env=env).exit_code == 0
    (request,) = receiver.requests
    (recorded,) = (root / "tests" / "cassettes").glob("*.yaml")
    assert str(request.header("webhook-timestamp")) not in recorded.read_text()
    replayed = run_cli("test", "--replay", cwd=root, env=env)
    assert replayed.exit_code == 0, replayed.stdout + replayed.stderr
