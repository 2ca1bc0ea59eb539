"""A request as a curl command, which a real shell reads as that request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.model import DeliveryPlan, PluginBlock, Request
from hookctl.report.text.curl import MAX_BODY, curl_command
from hookctl.report.text.printable import printable

Build = Callable[..., DeliveryPlan]
URL = "https://siem.example.com/ingest"


def request(body: bytes | None = None, *headers: tuple[str, str], url: str = URL) -> Request:
    return Request("POST", url, headers, body)


def arguments(command: str, **variables: str) -> list[str]:
    """What bash passes to curl."""
    show = 'curl() { printf "%s\\0" "$@"; }\n'
    done = subprocess.run(["bash", "-c", show + command], env=variables, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=25)
@given(st.text(st.characters(exclude_characters="\0*", exclude_categories=["Cs"]), min_size=1))
def test_a_shell_reads_every_text(text: str) -> None:
    command = curl_command(request(text.encode(), ("X-Text", "it's")), None)
    expected = ["--globoff", "--request", "POST", URL, "--header", "X-Text: it's", "--data-raw", text]
    assert arguments(command) == expected
    assert all(printable(line) == line for line in command.split("\n"))


def test_secrets_are_variables(delivery_plan: Build) -> None:
    plan = delivery_plan(
        url=f"{URL}?key=${{env:URL_KEY}}",
        headers={"X-Key": "a ${file:/run/secrets/api-key} b ${env:KEY}"},
        auth=(PluginBlock("bearer", {"token": "${env:TOKEN}"}),),
        body_template='{"key": "${env:KEY}", "note": "***"}',
    )
    sent = request(
        b'{"key": "***", "note": "***"}',
        ("X-Key", "a *** b ***"),
        ("Authorization", "Bearer ***"),
        ("Content-Length", "29"),
        ("X-Empty", ""),
        url=f"{URL}?key=***",
    )
    command = curl_command(sent, plan)
    assert command.split("\ncurl ")[0].split("\n") == [
        "# Set URL_KEY first: ${env:URL_KEY}",
        "# Set RUN_SECRETS_API_KEY first: ${file:/run/secrets/api-key}",
        "# Set KEY first: ${env:KEY}",
        "# Set TOKEN first: ${env:TOKEN}",
        "# Set SECRET first: a secret that is not shown",
    ]
    given_values = {"URL_KEY": "u", "RUN_SECRETS_API_KEY": "f", "KEY": "k e", "TOKEN": "t", "SECRET": "s"}
    assert arguments(command, **given_values) == [
        "--globoff",
        "--request",
        "POST",
        f"{URL}?key=u",
        "--header",
        "X-Key: a f b k e",
        "--header",
        "Authorization: Bearer t",
        "--header",
        "X-Empty;",
        "--data-raw",
        '{"key": "s", "note": "s"}',
    ]


def test_without_secrets_stars_stay(delivery_plan: Build) -> None:
    assert arguments(curl_command(request(b"***"), delivery_plan()))[-1] == "***"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a\0b", b"x" * (MAX_BODY + 1)])
def test_a_body_that_no_argument_can_have(body: bytes) -> None:
    command = curl_command(request(body), None)
    assert command.startswith("# The body is binary or long: save it as body.bin first.\n")
    assert arguments(command)[-2:] == ["--data-binary", "@body.bin"]


def test_variables_that_would_have_the_same_name(delivery_plan: Build) -> None:
    plan = delivery_plan(headers={"A": "${env:K-1}${env:K_1}${file:1}"})
    sent: Any = request(None, ("A", "*********"))
    command = curl_command(sent, plan)
    assert arguments(command, K_1="x", K_1_2="y", SECRET_1="z")[-1] == "A: xyz"
