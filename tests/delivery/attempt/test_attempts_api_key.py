"""``api_key_query`` inside attempts: the key arrives escaped, is masked everywhere, and plans show ``***``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hookctl.model import Attempt, DeliveryPlan
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]

KEY = "canary/1+2 3&x=ü?#%41"
AUTH = {"type": "api_key_query", "parameter": "api_key", "key": "${env:API_KEY}"}
URL = "https://siem.example.com/ingest"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)


@pytest.mark.parametrize("query", ["", "?tenant=eu%2B&b", "?when={{ data.severity }}"])
def test_the_key_arrives_and_is_masked(
    attempt: MakeAttempt,
    make_plan: MakePlan,
    receiver: Receiver,
    transport: str,
    query: str,
) -> None:
    receiver.answer("/ingest", Answer(400, headers=(("X-Query", "none"),), body=f'{{"got": "{KEY}"}}'.encode()))
    made = attempt(make_plan(transport=transport, auth=(AUTH,), url=URL + query))
    target = receiver.requests[0].target
    pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    assert pairs[-1] == ("api_key", KEY)
    assert query.startswith("?when") or target.startswith(f"/ingest{query}")  # as it was written
    assert made.request is not None
    assert made.request.url.endswith(("?" if not query else "&") + "api_key=***")
    assert made.response is not None
    assert made.response.body == b'{"got": "***"}'
    assert "canary" not in repr(made)


def test_a_target_that_repeats_the_escaped_key_reveals_nothing(
    attempt: MakeAttempt, make_plan: MakePlan, receiver: Receiver
) -> None:
    receiver.default = Answer(404, body=b"no canary%2F1%2B2%203%26x%3D%C3%BC%3F%23%2541 here")
    made = attempt(make_plan(auth=(AUTH,)))
    assert made.response is not None
    assert made.response.body == b"no *** here"


FILE = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest?tenant=eu
auth:
  type: api_key_query
  parameter: {parameter}
  key: {key}
"""


def test_plan_and_render_show_the_parameter(
    project: Callable[..., Path], run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("API_KEY", raising=False)  # a plan reads no secret
    root = project({"webhooks.d/a.yaml": FILE.format(parameter="api_key", key="${env:API_KEY}")})
    shown = "https://siem.example.com/ingest?tenant=eu&api_key=***"
    assert shown in run_cli("plan", cwd=root).stdout
    assert shown in run_cli("render", "Siem", cwd=root).stdout
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    project({"webhooks.d/a.yaml": FILE.format(parameter="api_key", key="${env:OTHER_KEY}")})
    assert "url" in run_cli("plan", cwd=root).stdout  # another key is a change of the URL, though both are masked


@pytest.mark.parametrize(
    ("parameter", "key", "rules"),
    [
        ("tenant", "${env:API_KEY}", {"parameter-set-by-auth"}),
        ("api_key", "canary-literal", {"secret-literal"}),
        ("a b", "${env:API_KEY}", {"wrong-format"}),
        ("ten%61nt", "${env:API_KEY}", {"wrong-format"}),
    ],
)
def test_wrong_settings_are_findings(
    project: Callable[..., Path], run_cli: Callable[..., Any], parameter: str, key: str, rules: set[str]
) -> None:
    root = project({"webhooks.d/a.yaml": FILE.format(parameter=parameter, key=key)})
    result = run_cli("validate", "--format", "json", cwd=root)
    assert {finding["code"] for finding in json.loads(result.stdout)["diagnostics"]} == rules
    assert "canary" not in result.stdout


def test_two_auths_with_the_same_parameter(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    block = "{type: api_key_query, parameter: k, key: '${env:A}'}"
    text = f"name: Siem\nevent: anomaly\nurl: {URL}?K=1\nauth: [{block}, {block}]\n"
    result = run_cli("validate", "--format", "json", cwd=project({"webhooks.d/a.yaml": text}))
    (finding,) = json.loads(result.stdout)["diagnostics"]
    assert (finding["code"], "auth before it" in finding["summary"]) == ("parameter-set-by-auth", True)
