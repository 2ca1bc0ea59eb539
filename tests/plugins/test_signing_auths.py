"""Requests that hookctl signs, as a receiver gets them, checked by the libraries that receivers use.

The requests are those of `test` and of `send`. The libraries of npm run in one process of Node.js.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from hookctl.plugin.host import load_plugins
from hookctl.signatures import PRESETS, STANDARD_WEBHOOKS_ED25519, Mismatch, Received, decode_key, verify
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

WHSEC, OLD_WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
ED25519 = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
SECRETS = {"NEW": "the new secret ä", "OLD": "the old secret", "WHSEC": WHSEC, "OLD_WHSEC": OLD_WHSEC, "KEY": ED25519}
STANDARD = """{type: standard_webhooks, secret: "${env:WHSEC}", previous_secret: "${env:OLD_WHSEC}"}"""
JSON_BODY = """body_template: '{"id": "{{ id }}", "title": "Zürich {{ data.severity }}"}'\n"""
FORM = "form: {Title: 'Zürich {{ data.severity }}', Empty: '', A: 'b&c=d'}\n"
NPM = Path(__file__).parent / "npm"


def hmac(preset: str, *more: str) -> str:
    return "{" + ", ".join([f"type: hmac, preset: {preset}", 'secret: "${env:NEW}"', *more]) + "}"


PREVIOUS = 'previous_secret: "${env:OLD}"'
CONVOY_SIMPLE = "content: '{body}', format: '{signature}'"
SHOPIFY = "headers: {X-Shopify-Topic: a/b, X-Shopify-Shop-Domain: a.myshopify.com, X-Shopify-Webhook-Id: '1', "
WEBHOOKS = {
    "standard": f"auth: {STANDARD}\n{JSON_BODY}",
    "ed25519": 'auth: {type: standard_webhooks, secret: "${env:WHSEC}", ed25519_key: "${env:KEY}"}\n' + JSON_BODY,
    "github": f"auth: {hmac('github')}\n{JSON_BODY}",
    "github-text": f"auth: {hmac('github')}\nbody_format: text\n" + r"""body_template: " ü {{ id }} \n \n" """ + "\n",
    "stripe": f"auth: {hmac('stripe', PREVIOUS)}\n{JSON_BODY}",
    "slack": f"auth: {hmac('slack')}\n{JSON_BODY}",
    "shopify": f"{SHOPIFY}X-Shopify-API-Version: 2025-01}}\nauth: {hmac('shopify')}\n{JSON_BODY}",
    "convoy": f"auth: {hmac('convoy', PREVIOUS)}\n{JSON_BODY}",
    "convoy-simple": f"auth: {hmac('convoy', CONVOY_SIMPLE)}\n{JSON_BODY}",
    "outpost": f"auth: {hmac('outpost', PREVIOUS)}\n{JSON_BODY}",
    "grafana": f"auth: {hmac('grafana')}\n{JSON_BODY}",
    "twilio": f"auth: {hmac('twilio')}\n{JSON_BODY}",
    "twilio-query": f"query: ?a=b\nauth: {hmac('twilio', 'algorithm: sha256')}\n{JSON_BODY}",
    "twilio-form": f"auth: {hmac('twilio')}\n{FORM}",
}
"""What each webhook has beside its name, event and URL."""


def webhook(name: str, rest: str) -> str:
    query = "?a=b" if rest.startswith("query: ") else ""
    rest = rest.removeprefix("query: ?a=b\n")
    return f"name: {name}\nevent: anomaly\nurl: https://siem.example.com/{name}{query}\n{rest}"


# -- the libraries ---------------------------------------------------------------------------------------------------


def library(name: str) -> Any:
    """A module that has no types."""
    return importlib.import_module(name)


def accepts_standard(request: ReceivedRequest, secret: str) -> bool:
    standardwebhooks = library("standardwebhooks.webhooks")
    try:
        return bool(standardwebhooks.Webhook(secret).verify(request.body, dict(request.headers)))
    except standardwebhooks.WebhookVerificationError:
        return False


def accepts_stripe(request: ReceivedRequest, secret: str) -> bool:
    stripe = library("stripe")
    header = request.header("Stripe-Signature")
    try:
        return bool(stripe.WebhookSignature.verify_header(request.body, header, secret, tolerance=300))
    except stripe.SignatureVerificationError:
        return False


def accepts_slack(request: ReceivedRequest, secret: str) -> bool:
    verifier = library("slack_sdk.signature").SignatureVerifier(secret)
    return bool(verifier.is_valid_request(request.body, dict(request.headers)))


def accepts_twilio(request: ReceivedRequest, secret: str, algorithm: str = "HMAC_SHA1") -> bool:
    validator = library("twilio.request_validator").RequestValidator(secret)
    is_form = "form" in (request.header("Content-Type") or "")
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True)) if is_form else request.body.decode()
    url, signature = f"https://siem.example.com{request.target}", request.header("X-Twilio-Signature")
    return bool(validator.validate(url, fields, signature, algorithm))


def accepts_convoy(request: ReceivedRequest, secret: str) -> bool:
    """Convoy's library verifies only its simple signatures: of others, it does not check the timestamp's signature."""
    verifier = library("convoy.utils.webhook").Webhook(secret)
    return verifier.verify_signature(request.body.decode(), request.header("X-Convoy-Signature")) is True


def accepts_by_recipe(name: str) -> Callable[[ReceivedRequest, str], bool]:
    """For systems without a library. tests/signatures compares their recipes with what they document."""

    def accepts(request: ReceivedRequest, secret: str) -> bool:
        received = Received(dict(request.headers), request.body)
        outcome = verify(PRESETS[name], [decode_key(secret, "utf-8")], received, now=time.time())
        assert outcome in {None, Mismatch.DIFFERENT}
        return outcome is None

    return accepts


NEW, OLD = SECRETS["NEW"], SECRETS["OLD"]
ACCEPTS: dict[str, tuple[Callable[[ReceivedRequest, str], bool], list[str]]] = {
    "standard": (accepts_standard, [WHSEC, OLD_WHSEC]),
    "ed25519": (accepts_standard, [WHSEC]),
    "stripe": (accepts_stripe, [NEW, OLD]),
    "slack": (accepts_slack, [NEW]),
    "convoy": (accepts_by_recipe("convoy"), [NEW, OLD]),
    "convoy-simple": (accepts_convoy, [NEW]),
    "outpost": (accepts_by_recipe("outpost"), [NEW, OLD]),
    "grafana": (accepts_by_recipe("grafana"), [NEW]),
    "twilio": (accepts_twilio, [NEW]),
    "twilio-query": (lambda request, secret: accepts_twilio(request, secret, "HMAC_SHA256"), [NEW]),
    "twilio-form": (accepts_twilio, [NEW]),
}
"""By webhook: the library, and each secret with which it accepts the request."""
OF_NPM = {
    "standard": ("standard_webhooks", [WHSEC, OLD_WHSEC]),
    "github": ("github", [NEW]),
    "github-text": ("github", [NEW]),
    "shopify": ("shopify", [NEW]),
}
"""By webhook: the library of npm, and each secret with which it accepts the request."""


@pytest.fixture(scope="session")
def node_libraries(npm_install: Callable[[Path], Path]) -> Path:
    """A folder with the pinned libraries."""
    return npm_install(NPM)


def verdicts_of_npm(
    run_node: Callable[..., str], folder: Path, cases: list[tuple[str, str, ReceivedRequest]]
) -> list[bool]:
    """For each library, secret and request, whether the library accepts it."""
    written = [
        {
            "library": name,
            "secret": secret,
            "headers": {key.lower(): value for key, value in request.headers},
            "body": request.body.decode(),
        }
        for name, secret, request in cases
    ]
    verdicts: list[bool] = json.loads(run_node("verify.mjs", cwd=folder, given=json.dumps(written)))
    return verdicts


# -- what is sent ----------------------------------------------------------------------------------------------------


@pytest.fixture
def send(
    project: Callable[[Mapping[str, str]], Path], run_cli: Callable[..., Any], receiver: Receiver, reach: dict[str, str]
) -> Callable[..., dict[str, ReceivedRequest]]:
    """``send("test", {"github": "auth: ..."})``: the last request of each webhook, sent by that command."""

    def send(command: str, webhooks: Mapping[str, str], *, exit_code: int = 0) -> dict[str, ReceivedRequest]:
        event = dict(load_plugins().event_types["anomaly"].mock)
        documents = [webhook(name, rest) for name, rest in webhooks.items()]
        root = project({"webhooks.d/all.yaml": "---\n".join(documents), "events.jsonl": json.dumps(event)})
        for step in {"test": [["test"]], "send": [["apply", "--auto-approve"], ["send", "events.jsonl"]]}[command]:
            result = run_cli(*step, cwd=root, env=reach)
            assert result.exit_code == exit_code, result.stdout + result.stderr
        return {one.path.removeprefix("/"): one for one in receiver.requests}

    return send


@pytest.fixture
def reach(receiver: Receiver) -> dict[str, str]:
    address = f"siem.example.com:443:{receiver.address}:{receiver.port}"
    return SECRETS | {"HOOKCTL_CONNECT_TO": address, "HOOKCTL_CACERT": receiver.ca_file}


@pytest.mark.parametrize("command", ["test", "send"])
def test_the_libraries_of_receivers_accept_what_is_sent(
    send: Callable[..., dict[str, ReceivedRequest]], node_libraries: Path, run_node: Callable[..., str], command: str
) -> None:
    sent = send(command, WEBHOOKS)
    assert sent.keys() == WEBHOOKS.keys() == {*ACCEPTS, *OF_NPM}
    assert sent["github-text"].body.startswith(" ü ".encode())
    assert sent["github-text"].body.endswith(b" \n \n")
    for name, (accepts, secrets) in ACCEPTS.items():
        assert [accepts(sent[name], secret) for secret in secrets] == [True] * len(secrets), name
        assert not accepts(sent[name], "d3Jvbmc="), name
    cases = [
        (kind, secret, sent[name]) for name, (kind, secrets) in OF_NPM.items() for secret in [*secrets, "d3Jvbmc="]
    ]
    assert verdicts_of_npm(run_node, node_libraries, cases) == [secret != "d3Jvbmc=" for _, secret, _ in cases]


def test_the_experimental_signature_stands_beside_the_other(send: Callable[..., dict[str, ReceivedRequest]]) -> None:
    request = send("test", {"ed25519": WEBHOOKS["ed25519"]})["ed25519"]
    first, second = (request.header("webhook-signature") or "").split(" ")
    assert (first[:3], second[:4]) == ("v1,", "v1a,")
    recipe = replace(STANDARD_WEBHOOKS_ED25519, key="whpk")
    public = decode_key(ED25519, "whsk")[32:]
    received = Received(dict(request.headers), request.body)
    assert verify(recipe, [public], received, now=time.time()) is None
    assert verify(recipe, [public], replace(received, body=b""), now=time.time()) is Mismatch.DIFFERENT


def test_a_retry_has_the_same_id_and_a_signature_of_its_own_time(
    send: Callable[..., dict[str, ReceivedRequest]], receiver: Receiver
) -> None:
    receiver.answer("/standard", Answer(503), Answer(200))
    send("send", {"standard": WEBHOOKS["standard"] + "retry: {schedule: [1s]}\n"})
    first, second = receiver.requests
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.header("webhook-timestamp") != second.header("webhook-timestamp")
    assert first.header("webhook-signature") != second.header("webhook-signature")
    assert accepts_standard(first, WHSEC)
    assert accepts_standard(second, WHSEC)


def test_a_signature_is_masked_in_records(
    send: Callable[..., dict[str, ReceivedRequest]], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    sent = send("send", {"stripe": WEBHOOKS["stripe"]})["stripe"]
    shown = run_cli("deliveries", "list", "--format", "json", cwd=tmp_path / "project").stdout
    (delivery,) = json.loads(shown)
    record = run_cli("deliveries", "show", str(delivery["id"]), cwd=tmp_path / "project").stdout
    assert "Stripe-Signature: ***" in record
    assert (sent.header("Stripe-Signature") or "")[-64:] not in record
