"""Secrets that are written out: which are recognized, which are not, and that no report repeats them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.check.literals import SHAPES, Literal, in_body, in_header, in_url, shapes_in
from hookctl.model import Finding

A = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"
HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
# Put together here, so that no scanner of repositories takes this file for a leak.
EXAMPLES = {
    "a Slack token": ["xox" + "b-123456789012-abcDEF", "xapp-" + "1-A012-345-abcdef"],
    "a secret URL of Slack": [
        "hooks.slack.com" + f"/services/T0A1B2C3D/B0A1B2C3D/{A[:24]}",
        "hooks.slack.com" + f"/workflows/T0A1B2C3D/A0A1B2C3D/123456789012345678/{A[:24]}",
    ],
    "a secret URL of Discord": ["discord.com" + f"/api/webhooks/123456789012345678/{A}{A}"],
    "a secret URL of Microsoft Teams": [
        "webhook" + f".office.com/webhookb2/{HEX}abcd@{HEX}abcd/IncomingWebhook/{HEX}/{HEX}abcd"
    ],
    "a Telegram token": ["123456789" + ":AA" + A + "b"],
    "a GitHub token": ["gh" + "p_" + A + "abcd", "github" + "_pat_" + A],
    "a GitLab token": ["gl" + "pat-" + A[:20]],
    "a Stripe key": ["sk" + "_live_" + A[:24], "rk" + "_test_" + A[:24]],
    "a signing secret of webhooks": ["wh" + "sec_" + A],
    "an AWS access key": ["AK" + "IA" + "QWERTYUIOPASDFGH"],
    "a PagerDuty key": [
        "events.pagerduty.com" + f"/integration/{HEX}/enqueue",
        "R0" + "3ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
        "u+" + "aB3dE5gH7jK9mN1pQ2",
        "pd" + "us+_0XBPWQQ_" + A,
    ],
    "a Datadog key": ["datadoghq" + f".com/v1/input/{HEX}", "dd" + "app_" + A],
    "a SendGrid key": ["SG" + f".{A[:22]}.{A}{A[:11]}"],
    "a Google API key": ["AI" + "za" + A + "abc"],
    "a Google OAuth token": ["ya" + "29." + A],
    "a Shopify token": ["shp" + "at_" + HEX],
    "an API key of OpenAI or Anthropic": ["sk" + "-proj-" + A, "sk" + "-" + A + A[:16]],
    "a JSON Web Token": ["ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3In0." + A],
    "a private key": [
        "-----BEGIN " + "PRIVATE KEY-----",
        "-----BEGIN RSA " + f"PRIVATE KEY-----\n{A}/+\n{A}=\n-----END RSA " + "PRIVATE KEY-----",
    ],
}
SECRETS = [(what, secret) for what, secrets in EXAMPLES.items() for secret in secrets]
PLACEHOLDERS = [
    *("changeme", "change-me", "xxx", "XXXXXXXX", "<token>", "[token]", "***", "...", "example", "my-example-token"),
    *(
        "YOUR_API_KEY",
        "your-token-here",
        "insert token here",
        "%TOKEN%",
        "none",
        "null",
        "true",
        "no-check",
        "redacted",
        "expired",
    ),
    *(
        "{{ data.id }}",
        "Bearer {{ data.id }}",
        "{{ data.id | default('none') }}",
        "{{ data.id }} was found in {{ data.type }}",
        "${env:KEY}",
        "Bearer ${env:KEY}",
        "abc",
    ),
    *(
        "the token that we sent you",
        "AK" + "IAIOSFODNN7EXAMPLE",
        "hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
    ),
]
NAMES = [
    *("password", "db_password", "token", "accessToken", "api_key", "apiKey", "x-api-key", "dd-api-key", "routing_key"),
    *("DD-APPLICATION-KEY", "client_secret", "Authorization", "cookie", "integration_key", "pwd", "private_key"),
]
OTHER_NAMES = ["dedup_key", "key", "tokens", "token_type", "secrets", "author", "x-atlassian-token", "partition key"]


def marked(text: str, found: Iterable[Literal]) -> list[tuple[str, str]]:
    return [(one.what, text[one.start : one.end]) for one in found]


def test_every_shape_has_an_example() -> None:
    assert set(EXAMPLES) == {shape.what for shape in SHAPES}


@pytest.mark.parametrize(("what", "secret"), SECRETS)
def test_a_secret_is_recognized_wherever_it_stands(what: str, secret: str) -> None:
    body = json.dumps({"a": [f"see {secret}", "{{ data.id }}"]})
    assert marked(body, in_body(body)) == [(what, json.dumps(secret)[1:-1])]
    assert marked(f"x {secret}", in_header("X-Custom", f"x {secret}")) == [(what, secret)]
    url = f"https://x.{secret}" if "/" in secret and what != "a private key" else f"https://x.example.com/a?b={secret}"
    assert marked(url, in_url(url)) == [(what, secret)]


@pytest.mark.parametrize("secret", [secret for _, secret in SECRETS])
def test_a_longer_word_or_a_shorter_one_is_not_it(secret: str) -> None:
    assert marked(secret, shapes_in("a" + secret)) == []
    assert marked(secret, shapes_in(secret[: min(len(secret) // 3, 20)])) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_that_its_value_is_a_secret(name: str) -> None:
    body = json.dumps({"a": {name: "hunter2", "text": json.dumps({name: "hunter3"})}}, indent=2)
    assert marked(body, in_body(body)) == [(name, "hunter2"), (name, "hunter3")]
    assert marked("hunter2", in_header(name, "hunter2")) == [(name, "hunter2")]
    url = f"https://x.example.com/?a=1&{name}=hunter2&b={{{{ data.id }}}}"
    assert marked(url, in_url(url)) == [(name, "hunter2")]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_do_not(name: str) -> None:
    assert [*in_body(json.dumps({name: "hunter2"})), *in_header(name, "hunter2")] == []
    assert [*in_url(f"https://x.example.com/?{name}=hunter2")] == []


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders_references_and_expressions_are_no_secrets(value: str) -> None:
    body = '{"token": "' + value + '"}'
    assert [*in_body(body), *in_header("X-Token", value), *in_url(f"https://x.example.com/?token={value}")] == []


@pytest.mark.parametrize(
    "value", ["s3cret{{ data.id }}", "{{ 's3cret' }}", 'Bearer {{ "s3cret" }}', "Basic aHVudGVyMg=="]
)
def test_text_beside_an_expression_is_looked_at(value: str) -> None:
    assert marked(value, in_header("X-Token", value)) == [("X-Token", value)]


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        (r'{"password": "a\"b\\c"}', r"a\"b\\c"),
        (r'{"a": "{\"password\": \"hunter2\", \"b\": \"c\"}"}', "hunter2"),
        ('{"link": "https://x.example.com/?a=1&api_key=hunter2&b=2"}', "hunter2"),
        ('{"link": "https://x.example.com/?api_key=hunter2", "b": "c"}', "hunter2"),
        (r'{"text": "{\"password\": \"hunter2\"}"}', "hunter2"),
        (r'{"text": "{\"text\": \"{\\\"password\\\": \\\"hunter2\\\"}\"}"}', "hunter2"),
        (r'{"text": "see \"token\": \"hunter2\""}', "hunter2"),
        ('{"text": "token=hunter2"}', "hunter2"),
        ("{'text': 'token=hunter2&a=b'}", "hunter2"),
        (r'{"text": "a=1\ntoken=hunter2\nb=2"}', "hunter2"),
        ("time=1 token=hunter2 user={{ data.id }}", "hunter2"),
        ("<a><wsse:Password Type='text'>hunter2</wsse:Password><id>{{ data.id }}</id></a>", "hunter2"),
        ('<login user="{{ data.id }}" password="hunter2"/>', "hunter2"),
    ],
)
def test_a_value_in_a_body_is_marked_to_its_end(body: str, secret: str) -> None:
    assert [text for _, text in marked(body, in_body(body))] == [secret]


def test_a_known_shape_is_named_rather_than_the_field() -> None:
    what, secret = SECRETS[0]
    body = json.dumps({"token": f"Bearer {secret}", "password": "hunter2"})
    assert marked(body, in_body(body)) == [(what, secret), ("password", "hunter2")]
    assert marked(f"Bearer {secret}", in_header("Authorization", f"Bearer {secret}")) == [(what, secret)]


def test_a_url_in_a_header_is_looked_at() -> None:
    value = "https://x.acme.com/?id={{ data.id }}&token=hunter2"
    assert marked(value, in_header("Link", value)) == [("token", "hunter2")]
    assert marked(value, in_header("X-Token", value)) == [("X-Token", value)]


def test_a_parameter_with_a_common_name_counts_only_with_a_random_value() -> None:
    url = f"https://x.example.com/?key=ticket&code=1234&sig={A}&signature={{{{ data.id }}}}"
    assert marked(url, in_url(url)) == [("sig", A)]


def test_the_variable_of_a_shell_is_named() -> None:
    (literal,) = in_header("X-Api-Key", "$SIEM_KEY")
    assert literal.variable == "SIEM_KEY"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${KEY}", "${env:KEY}"),
        ("${ KEY }", "${env:KEY}"),
        ("${env: KEY}", "${env:KEY}"),
        ("${ENV:KEY}", "${env:KEY}"),
        ("${env.KEY}", "${env:KEY}"),
        ("${process.env.KEY}", "${env:KEY}"),
        ("${KEY:-a default}", "${env:KEY}"),
        ("${KEY:?not set}", "${env:KEY}"),
        ("${KEY", "${env:KEY}"),
        ("${env:KEY", "${env:KEY}"),
        ("${a.b}", None),
        ("${env:}", None),
    ],
)
def test_a_variable_of_a_shell_is_a_finding_that_offers_the_reference(
    check: Callable[..., list[Finding]], text: str, meant: str | None
) -> None:
    for field in (f"headers: {{X-A: '{text}'}}", f"body_template: '[\"{text}\"]'"):
        (finding,) = check(f"name: A\nevent: anomaly\nurl: https://siem.example.com/\n{field}\n")
        assert (finding.rule, finding.suggestions) == ("secret-malformed", (meant,) if meant else ())


def test_a_reference_that_contains_an_expression_is_named_so(check: Callable[..., list[Finding]]) -> None:
    text = "name: A\nevent: anomaly\nurl: https://siem.example.com/\nbody_template: '[\"${env:{{ data.id }}}\"]'\n"
    (finding,) = check(text)
    assert (finding.message, finding.suggestions) == ("a secret reference cannot contain an expression", ())


@pytest.mark.parametrize(
    ("line", "rule", "meant"),
    [
        ("url: https://siem.example.com/{{ data.id }}/${KEY}", "url-character", ("${env:KEY}",)),
        ("url: https://siem.example.com/${KEY}/{{ data.id }}", "url-character", ("${env:KEY}",)),
        ("url: https://siem.example.com/{{ data.id }}/${KEY", "url-character", ()),
        ("headers: {X-A: '{{ data.id }} ${KEY}'}", "secret-malformed", ("${env:KEY}",)),
        ("headers: {X-A: '${KEY} {{ data.id }}'}", "secret-malformed", ("${env:KEY}",)),
        ("form: {a: '{{ data.id }} ${KEY}'}", "secret-malformed", ("${env:KEY}",)),
    ],
)
def test_a_variable_next_to_an_expression_is_one_finding(
    check: Callable[..., list[Finding]], line: str, rule: str, meant: tuple[str, ...]
) -> None:
    url = "" if line.startswith("url") else "url: https://siem.example.com/\n"
    (finding,) = check(f"name: A\nevent: anomaly\n{url}{line}\n")
    assert (finding.rule, finding.suggestions) == (rule, meant)
    assert "expression" not in finding.message or rule == "url-character"


FILE = """\
name: Siem
event: anomaly
url: https://siem.example.com/?dd-api-key=hunter2-url
headers: {{X-Custom: {stripe}, X-Other: "{{{{ data.severty }}}}", X-Api-Key: $SIEM_KEY}}
body_template: |
  {{"routing_key": "hunter2-body", "severity": "{{{{ data.severty }}}}", "x": "${{TENANT}}"}}
"""
STRIPE = EXAMPLES["a Stripe key"][0]


def test_findings_are_warnings_at_the_secret(check: Callable[..., list[Finding]]) -> None:
    text = FILE.format(stripe=STRIPE)
    found = [one for one in check(text) if one.rule == "secret-literal"]
    assert {one.severity.value for one in found} == {"warning"}
    lines = text.splitlines()
    spans = [one.span for one in found]
    assert [span and lines[span.line - 1][span.column - 1 : span.end_column - 1] for span in spans] == [
        "hunter2-url",
        STRIPE,
        "$SIEM_KEY",
        "hunter2-body",
    ]
    assert [one.suggestions for one in found] == [(), (), ("${env:SIEM_KEY}",), ()]


@pytest.mark.parametrize("output", ["text", "json", "sarif", "github", "gitlab", "junit", "markdown"])
def test_no_report_repeats_a_secret(run_cli: Callable[..., Any], project: Callable[..., Path], output: str) -> None:
    """Nor does the source line of another finding that stands in the same line."""
    root = project({"webhooks.d/siem.yaml": FILE.format(stripe=STRIPE)})
    for command in (["validate"], ["test"], ["plan"]):
        result = run_cli(*command, "--format", output, cwd=root)
        if result.exit_code == 64:
            continue  # the command does not have this format
        assert result.exit_code == 1
        assert "hunter2" not in result.stdout + result.stderr
        assert STRIPE not in result.stdout + result.stderr


HOSTILE = [
    "{{",
    '"',
    '"password":"',
    "eyJ",
    "eyJaaaaaaaa.eyJ",
    "xoxb-",
    "?token=",
    "PRIVATE KEY-----BEGIN ",
    "SG.a.",
    "{{ '",
]


@pytest.mark.usefixtures("cpu_limit")
@pytest.mark.parametrize(
    "piece", [*HOSTILE, "Bearer ", "gh", "AKIA", "hooks.slack.com/services/", "\\\\", '"a" : ', "{%"]
)
def test_the_cost_is_bounded(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    for found in (in_body(text), in_url(text), in_header("password", text)):
        assert all(one.end <= len(text) for one in found)


@given(st.text(st.sampled_from("{}%'\"\\ :=&?$abT0-")))
def test_any_text_is_read_and_spans_lie_in_it(text: str) -> None:
    for found in (in_body(text), in_url(text), in_header("token", text)):
        for one in found:
            assert 0 <= one.start < one.end <= len(text)
