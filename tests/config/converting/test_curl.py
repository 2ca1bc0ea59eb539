"""Curl commands become webhooks that send the same request."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.converting.curl import read_curl
from hookctl.config.converting.curl_words import split_command
from hookctl.config.converting.source_tree import SourceError
from hookctl.config.converting.vault import Vault
from hookctl.model.source import SourceFile


@pytest.fixture
def curl(made: Callable[..., Any]) -> Callable[[str], Any]:
    def read(command: str) -> Any:
        vault = Vault()
        return made(read_curl(SourceFile("<stdin>", command), vault, event="anomaly"), vault)

    return read


def test_a_command_as_browsers_copy_it(curl: Callable[[str], Any]) -> None:
    result = curl(
        "curl 'https://api.example.com/v1/alerts?team=ops' \\\n"
        "  -X 'PUT' \\\n  -H 'accept: application/json' -H 'Authorization: Bearer 0123456789' \\\n"
        '  --data-raw $\'{"text": "it\\\'s \\u2713 \\ud83d\\ude00"}\' \\\n  --compressed'
    )
    (webhook,) = result.webhooks
    assert result.errors == []
    assert webhook == {
        "name": "api example com",
        "event": "anomaly",
        "method": "PUT",
        "url": "https://api.example.com/v1/alerts?team=ops",
        "headers": {"accept": "application/json"},
        "auth": {"type": "bearer", "token": "${env:API_EXAMPLE_COM_TOKEN}"},
        "body_template": '{"text": "it\'s ✓ 😀"}',
    }
    assert "0123456789" not in result.text


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-d a=1 --data-urlencode 'b=x y&z'", {"method": "POST", "form": {"a": "1", "b": "x y&z"}}),
        ("--json '{\"a\": 1}'", {"method": "POST", "body_template": '{"a": 1}'}),
        ("-d '{\"a\": 1}' -H 'Content-Type: application/json'", {"body_template": '{"a": 1}'}),
        ("-d '<a/>' -H 'Content-Type: text/xml'", {"body_format": "xml", "body_template": "<a/>"}),
        ("-d 'plain words' -H 'Content-Type: text/plain'", {"body_format": "text", "body_template": "plain words"}),
        ("-G -d q=1 -d 'r=2'", {"method": "GET", "url": "https://t.example.com/?q=1&r=2"}),
        ("-sSfXDELETE", {"method": "DELETE"}),
        ("-u me:pass-word", {"auth": {"type": "basic", "username": "me", "password": "${env:T_EXAMPLE_COM_PASSWORD}"}}),
        (
            "-H 'Authorization: Basic bWU6cGFzcy13b3Jk'",
            {"auth": {"type": "basic", "username": "me", "password": "${env:T_EXAMPLE_COM_PASSWORD}"}},
        ),
        ("--oauth2-bearer $TOKEN", {"auth": {"type": "bearer", "token": "${env:TOKEN}"}}),
        ('-H "Authorization: Token $T"', {"headers": {"Authorization": "Token ${env:T}"}}),
        ("-m 10", {"timeout_seconds": 10}),
        ("-H 'Host: t.example.com' -H 'Content-Length: 3' -H 'X-A: b'", {"headers": {"X-A": "b"}}),
    ],
)  # fmt: skip
def test_options(curl: Callable[[str], Any], options: str, expected: dict[str, Any]) -> None:
    result = curl(f"curl https://t.example.com/ {options}")
    assert result.errors == []
    assert {name: result.webhooks[0].get(name) for name in expected} == expected
    assert "pass-word" not in result.text


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("-F file=@a.txt", "multipart/form-data"),
        ("-d @body.json", "the body is in the file body.json"),
        ("--cert a.pem --key b.pem", "client certificate"),
        ("-I", "HEAD"),
        ("https://other.example.com/", "2 URLs"),
        ("--aws-sigv4 aws:amz", "AWS"),
    ],
)
def test_what_cannot_be_imported_is_an_error(curl: Callable[[str], Any], options: str, error: str) -> None:
    result = curl(f"curl https://t.example.com/ {options}")
    assert any(error in message for message in result.errors)
    assert len(result.webhooks) == 1


def test_a_finding_is_at_its_option(curl: Callable[[str], Any]) -> None:
    (finding,) = curl("curl https://t.example.com/ \\\n  --insecure").findings
    assert (finding.rule, finding.span.line, finding.span.column) == ("import-left-out", 2, 3)


def test_only_the_first_command_is_imported_and_nothing_is_run(curl: Callable[[str], Any]) -> None:
    result = curl('curl https://t.example.com/ -H "X-A: $(touch /nowhere)" | jq .; curl https://u.example.com/')
    assert [webhook["url"] for webhook in result.webhooks] == ["https://t.example.com/"]
    assert result.webhooks[0]["headers"] == {"X-A": "${env:COMMAND_OUTPUT}"}
    assert {finding.message for finding in result.findings} == {
        "the output of a command inside the command is not known",
        "what follows | is not imported",
    }


@pytest.mark.parametrize(
    "text", ["", "wget https://t.example.com", "curl", "curl 'https://t", "curl --no-such-option u"]
)
def test_what_is_not_a_command_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        read_curl(SourceFile("<stdin>", text), Vault(), event="anomaly")


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1), min_size=1, max_size=5))
def test_words_are_those_of_the_shell(words: list[str]) -> None:
    quoted = shlex.join(["curl", *words])
    expected = [word.replace("\r\n", "\n") for word in words]
    assert split_command(quoted).words == ["curl", *expected]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl https://t.example.com/ -u $USER_ID:$TOKEN", {"username": "${env:USER_ID}", "password": "${env:TOKEN}"}),
        ("curl https://t.example.com/ -u admin:password", {"password": "${env:T_EXAMPLE_COM_PASSWORD}"}),
    ],
)
def test_users_and_passwords(curl: Callable[[str], Any], command: str, expected: dict[str, str]) -> None:
    result = curl(command)
    assert result.errors == []
    assert expected.items() <= result.webhooks[0]["auth"].items()


def test_a_here_document_is_the_body(curl: Callable[[str], Any]) -> None:
    result = curl("curl https://t.example.com/ -H 'Content-Type: application/json' -d @- <<'EOF'\n{\"a\": 1}\nEOF\n")
    assert (result.findings, result.webhooks[0]["body_template"]) == ([], '{"a": 1}')


def test_a_path_that_is_a_secret_and_the_default_port(curl: Callable[[str], Any]) -> None:
    slack = curl("curl https://hooks.slack.com/services/T00000000/B00000001/XXXXXXXXXXXXXXXXXXXXXXXX -d '{}'")
    assert slack.webhooks[0]["url"].count("${env:") == 3
    assert curl("curl https://t.example.com:443/in").webhooks[0]["url"] == "https://t.example.com/in"


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        ("curl https://a.example.com/ -u 'shortkey:' -d a=b", "shortkey"),
        ("curl https://sk1a2b3c4d5e6f7g8h9@a.example.com/ -d a=b", "sk1a2b3c4d5e6f7g8h9"),
        ("curl https://a.example.com/ -u 1a2b3c4d5e6f7g8h9:X -d a=b", "1a2b3c4d5e6f7g8h9"),
        ("curl https://a.example.com/ -H 'Authorization: Basic c2hvcnRrZXk6' -d a=b", "shortkey"),
        ('curl https://a.example.com/ -H "X-Api-Key: hunter2_$A" -d a=b', "hunter2_"),
        ('curl https://a.example.com/ -H "Cookie: sid=hunter2; x=$A" -d a=b', "hunter2"),
        ('curl "https://a.example.com/?token=hunter2$A" -d a=b', "hunter2"),
        ('curl https://a.example.com/ --json "{\\"api_key\\": \\"hunter2$A\\"}"', "hunter2"),
    ],
)
def test_a_secret_that_is_a_user_name_or_a_part_of_a_value(
    curl: Callable[[str], Any], command: str, secret: str
) -> None:
    result = curl(command)
    assert secret not in result.text
    assert "${env:" in result.text


def test_a_reference_keeps_its_scheme_and_its_name(curl: Callable[[str], Any]) -> None:
    (webhook,) = curl('curl https://a.example.com/ -H "X-Token: Bearer $T" -H "X-Signature: sha256=$S"').webhooks
    assert webhook["headers"] == {"X-Token": "Bearer ${env:T}", "X-Signature": "sha256=${env:S}"}


def test_too_many_secrets_are_refused(curl: Callable[[str], Any]) -> None:
    headers = " ".join(f"-H 'X-{number}-Token: secret-{number}'" for number in range(1001))
    with pytest.raises(SourceError, match="more than 1,000 secrets"):
        curl(f"curl https://a.example.com/ {headers}")
