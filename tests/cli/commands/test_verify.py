"""``hookctl verify``: what receivers type, what they get, and what never appears."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.cli.commands import verify
from hookctl.signatures import Message, Recipe, Signer, decode_key
from hookctl.signatures.schemes import SCHEMES
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"test": 2432232314}'
SIGNATURE = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": f"v1,{SIGNATURE}",
}
AT = ["--at", "2021-02-25T15:03Z"]
RAW = "POST /in?a=1 HTTP/1.1\nHost: api.example.com\n" + "".join(f"{key}: {value}\n" for key, value in HEADERS.items())
WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/
auth:
  - {type: bearer, token: "${env:TOKEN}"}
  - AUTH
"""


def options(headers: dict[str, str] = HEADERS) -> list[str]:
    return [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]


@pytest.fixture
def run(project: Callable[[dict[str, str]], Path], run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(*args, env=..., stdin=..., **files)``, without a network."""

    def no_network(*_: Any, **__: Any) -> Any:
        raise AssertionError("verify dials")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)

    def run(*args: str, env: dict[str, str] | None = None, stdin: str = "", **files: str) -> Any:
        root = project({"body.json": BODY, **{name.replace("__", "/"): text for name, text in files.items()}})
        return run_cli("verify", *args, cwd=root, env={"KEY": SECRET, **(env or {})}, stdin=stdin)

    return run


def test_a_valid_signature(run: Run) -> None:
    result = run("body.json", "--secret", "env:KEY", *AT, *options())
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "✓ The signature is valid.",
        "  Checked: webhook-signature by standard_webhooks",
        "  Body: 20 bytes, SHA-256 ae858931f67887e8150d6f96c9fe03062c1df36b4464c4ddc8e002c084d5d198",
    ]


def test_what_differs_and_what_to_change(run: Run) -> None:
    result = run("-", "--secret", "${env:KEY}", *options(), stdin=f"{BODY}\n")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "✗ The signature is not valid."
    assert "  It matches with these differences" in lines
    assert "  - body: The signed body does not have the line break that this one ends with." in lines
    assert any(line.startswith("  - clock: The timestamp is ") for line in lines)


def test_a_right_signature_that_is_too_old(run: Run) -> None:
    result = run("body.json", "--secret", "env:KEY", *options())
    assert result.exit_code == 1
    assert result.stdout.startswith("✗ The signature matches, but receivers reject the request.")
    assert run("body.json", "--secret", "env:KEY", "--tolerance", "3650d", *options()).exit_code == 0


def test_another_secret(run: Run) -> None:
    result = run("body.json", "--secret", "env:OTHER", *AT, *options(), env={"OTHER": "whsec_" + "A" * 40})
    assert result.exit_code == 1
    assert "Most likely the sender signs with another secret" in result.stdout


def test_json(run: Run) -> None:
    document = json.loads(run("body.json", "--secret", "env:KEY", "--format", "json", *options()).stdout)
    assert document["age_seconds"] > 10**8
    assert document["differences"][0]["part"] == "clock"
    del document["age_seconds"], document["differences"]
    assert document == {
        "verified": False,
        "signature": "matches",
        "scheme": "standard_webhooks",
        "header": "webhook-signature",
        "body": {"bytes": 20, "sha256": "ae858931f67887e8150d6f96c9fe03062c1df36b4464c4ddc8e002c084d5d198"},
        "signatures": 1,
        "notes": [],
        "tried": 0,
    }
    body = run("-", "--secret", "env:KEY", "--format", "json", *AT, *options(), stdin='{"test":2432232314}').stdout
    assert json.loads(body)["signature"] == "matches_with_differences"
    none = run("body.json", "--secret", "env:KEY", "--format", "json", "--scheme", "github", "-H", "a: b").stdout
    assert json.loads(none)["signature"] == "no_match"


@pytest.mark.parametrize(
    "text",
    [
        f"{RAW}\n{BODY}",
        f"{RAW}\n".replace("\n", "\r\n") + BODY,
        "".join(f"{key.upper()}: {value}\n" for key, value in HEADERS.items()) + f"\n{BODY}",
    ],
    ids=["line feeds", "as HTTP has it", "without a request line"],
)
def test_a_file_with_a_whole_request(run: Run, text: str) -> None:
    assert run("--request", "request", "--secret", "env:KEY", *AT, request=text).exit_code == 0


def test_what_curl_prints_has_no_body(run: Run) -> None:
    text = "* Connected\n" + "".join(f"> {line}\n" for line in RAW.splitlines()) + "> \n< HTTP/1.1 400 Bad Request\n"
    assert run("body.json", "--request", "dump", "--secret", "env:KEY", *AT, dump=text).exit_code == 0
    missing = run("--request", "dump", "--secret", "env:KEY", *AT, dump=text)
    assert (missing.exit_code, "Name the file with the body" in missing.stderr) == (64, True)


def test_the_url_comes_from_the_request_or_an_option(run: Run) -> None:
    url = "https://api.example.com/in?a=1"
    made = Signer(SCHEMES["twilio"], [b"token"]).sign(Message("", 0, "POST", url, BODY.encode()))
    request = f"POST {made.url.removeprefix('https://api.example.com')} HTTP/1.1\nHost: api.example.com\n"
    request += f"X-Twilio-Signature: {made.headers[0][1]}\n\n{BODY}"
    secret = {"env": {"KEY": "token"}}
    assert run("--request", "request", "--secret", "env:KEY", request=request, **secret).exit_code == 0
    wrong = run("--request", "request", "--secret", "env:KEY", "--url", made.url.replace("https", "http"), **secret)
    assert "- url: The signed URL begins with https://." in wrong.stdout


def test_a_recipe_of_your_own(run: Run) -> None:
    recipe = ["--recipe", "header=X-Sign", "--recipe", "content=v2:{body}", "--recipe", "key_encoding=hex"]
    made = Signer(Recipe(header="X-Sign", content="v2:{body}", key="hex"), [b"\1" * 16]).sign(
        Message("", 0, "POST", "", BODY.encode())
    )
    result = run("body.json", *recipe, "--secret", "env:KEY", *options(dict(made.headers)), env={"KEY": "01" * 16})
    assert (result.exit_code, "X-Sign by your own recipe" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--recipe", "heder=X"], "NAME is one of header, algorithm, key_encoding"),
        (["--recipe", "header"], "--recipe takes NAME=VALUE"),
        (["--recipe", "algorithm=md5"], "algorithm is one of sha1, sha256"),
        (["--recipe", "content={bdy}"], "unknown name {bdy}"),
        (["--webhook", "Siem", "--scheme", "github"], "--scheme and --recipe are not allowed"),
        (["-H", "no header"], "a header has the form 'Name: value'"),
        (["--secret", "canary-secret"], "a secret is named by a reference"),
        (["--secret", "canary:secret"], "a secret is named by a reference"),
        (["--scheme", "github", "--secret", ""], "Name the secret"),
        (["--at", "soon"], "is not a time"),
    ],
)
def test_wrong_usage(run: Run, args: list[str], message: str) -> None:
    result = run("body.json", *options(), *([] if "--secret" in args else ["--secret", "env:KEY"]), *args)
    assert result.exit_code == 64
    assert message in " ".join(result.stderr.split())
    assert "canary" not in result.stderr


def test_headers_that_show_no_scheme(run: Run) -> None:
    result = run("body.json", "--secret", "env:KEY", "-H", "Host: a")
    assert (result.exit_code, "Name the scheme with --scheme" in result.stderr) == (64, True)


def test_files_that_cannot_be_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("missing.json", "--secret", "env:KEY", *options()).exit_code == 1
    missing = run("--request", "missing", "--secret", "env:KEY")
    assert (missing.exit_code, "missing cannot be read" in missing.stderr) == (1, True)
    empty = run("--request", "request", "--secret", "env:KEY", request="no headers here")
    assert "contains no headers of a request" in empty.stderr
    monkeypatch.setattr("hookctl.cli.received_request.LARGEST", 10)
    assert "larger than 10 bytes" in run("body.json", "--secret", "env:KEY", *options()).stderr


def test_the_secret_is_asked_for_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.cli.verifying_keys.is_terminal", lambda: True)
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: SECRET)
    result = run("body.json", *AT, *options())
    assert result.exit_code == 0
    assert SECRET not in result.stdout + result.stderr


def test_two_secrets(run: Run) -> None:
    env = {"NEW": "whsec_" + "B" * 32}
    result = run("body.json", "--secret", "env:NEW", "--previous-secret", "env:KEY", *AT, *options(), env=env)
    assert result.exit_code == 0
    assert "Note: Only the previous secret matches" in result.stdout


@pytest.mark.parametrize(
    ("auth", "scheme"),
    [
        ('{type: standard_webhooks, secret: "${env:NEW}", previous_secret: "${env:KEY}"}', "standard_webhooks"),
        ('{type: hmac, preset: stripe, secret: "${env:KEY}"}', "stripe"),
        ('{type: hmac, preset: slack, header: X-Sign, key_encoding: whsec, secret: "${env:KEY}"}', "own"),
    ],
)
def test_recipe_and_secrets_of_a_webhook(run: Run, auth: str, scheme: str) -> None:
    recipe = SCHEMES.get(scheme) or Recipe(
        header="X-Sign",
        content="v0:{timestamp}:{body}",
        format="v0={signature}",
        timestamp_header="X-Slack-Request-Timestamp",
        key="whsec",
    )
    made = Signer(recipe, [decode_key(SECRET, recipe.key)]).sign(
        Message("msg_1", 1614265330, "POST", "", BODY.encode())
    )
    result = run(
        *("body.json", "--webhook", "Siem", *AT, *options(dict(made.headers))),
        env={"NEW": "whsec_" + "B" * 32},
        **{"webhooks.d__siem.yaml": WEBHOOK.replace("AUTH", auth)},
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert "of Siem" in result.stdout


def test_secrets_beside_those_of_a_webhook(run: Run) -> None:
    files = {"webhooks.d__siem.yaml": WEBHOOK.replace("AUTH", '{type: standard_webhooks, secret: "${env:NEW}"}')}
    words, env = ["body.json", "--webhook", "Siem", *AT, *options()], {"NEW": "whsec_" + "B" * 32}
    assert run(*words, env=env, **files).exit_code == 1
    assert run(*words, "--previous-secret", "env:KEY", env=env, **files).exit_code == 0
    assert run(*words, "--secret", "env:KEY", **files).exit_code == 0  # the variable NEW is not needed


def test_a_webhook_that_signs_nothing(run: Run) -> None:
    files = {"webhooks.d__siem.yaml": WEBHOOK.replace("  - AUTH\n", "")}
    result = run("body.json", "--webhook", "Siem", *options(), **files)
    assert (result.exit_code, "has no auth whose signature can be verified" in result.stderr) == (1, True)


def test_nothing_secret_is_printed(run: Run) -> None:
    signature = Signer(SCHEMES["github"], [b"canary-key"]).sign(Message("", 0, "POST", "", b"other")).headers[0][1]
    for text in ("other", "other\n", "unlike"):
        for form in ("text", "json"):
            result = run(
                *("-", "--secret", "env:KEY", "-H", f"X-Hub-Signature-256: {signature}", "--format", form),
                env={"KEY": "canary-key"},
                stdin=text,
            )
            shown = result.stdout + result.stderr
            right = Signer(SCHEMES["github"], [b"canary-key"]).sign(Message("", 0, "POST", "", text.encode()))
            assert "canary" not in shown
            assert signature[7:] not in shown
            assert right.headers[0][1][7:] not in shown


def test_the_help_names_each_scheme() -> None:
    scheme = next(param for param in verify.command.params if param.name == "scheme")
    assert list(getattr(scheme.type, "choices", ())) == list(SCHEMES)


def test_what_hookctl_sends_verifies(
    project: Callable[[dict[str, str]], Path], run_cli: Run, receiver: Receiver, reach_siem: dict[str, str]
) -> None:
    auth = '{type: standard_webhooks, secret: "${env:KEY}"}'
    text = WEBHOOK.replace("AUTH", auth) + 'body_template: \'{"name": "{{ data.requester.name }}"}\'\n'
    root = project({"webhooks.d/siem.yaml": text})
    env = {**reach_siem, "KEY": SECRET, "TOKEN": "a-token"}
    assert run_cli("test", cwd=root, env=env).exit_code == 0
    (request,) = receiver.requests
    head = "".join(f"{name}: {value}\n" for name, value in request.headers)
    dump = f"{request.method} {request.target} HTTP/1.1\n{head}\n".encode() + request.body
    (root / "request").write_bytes(dump)
    result = run_cli("verify", "--request", "request", "--webhook", "Siem", cwd=root, env=env)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "✓ The signature is valid.")
