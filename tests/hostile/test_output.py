"""Text that a terminal, a log or an editor acts on, in files, events and answers: every command shows it as text."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
ACTED_ON = "\x1b[2J\x07\x7f\x85\x9b31m\u202e\u2066\u061c\u200b\u2028\u2029\ufeff\U000e0041"
"""An escape sequence, DEL, two C1 controls, bidi controls, invisible characters, line separators, a tag."""
WRITTEN = "".join(f"\\u{ord(one):04x}" if ord(one) <= 0xFFFF else f"\\U{ord(one):08x}" for one in ACTED_ON)
BODY = '{\\"t' + WRITTEN.partition("\\u0007")[2] + '\\": \\"{{ data.title }}\\"}'
"""JSON allows no control character below U+0020 in a string."""
WEBHOOK = f"""\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
description: "d{WRITTEN}"
labels: {{"k{WRITTEN}": "v{WRITTEN}"}}
body_template: "{BODY}"
custom_validation_error_message: "m{WRITTEN}"
response_validators: [{{json_path: $.data.ok, expected_values: ["e{WRITTEN}"]}}]
retry: {{schedule: []}}
"""
WRONG = f'name: "n{WRITTEN}"\nevent: "e{WRITTEN}"\nurl: "https://a.example/{WRITTEN}"\n"f{WRITTEN}": 1\n'


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    shared.reset()
    body = json.dumps({"ok": f"r{ACTED_ON}"}, ensure_ascii=False).encode()
    shared.answer("/ingest", Answer(200, body=body, headers=(("X-Odd", "a\x7f\x85\x9b"),)))
    return shared


@pytest.fixture
def hookctl(run_cli: Run, project: Callable[..., Path], receiver: Receiver) -> Run:
    """The command line in a project with such a webhook; everything that a run prints or writes is looked at."""
    root = project({"webhooks.d/siem.yaml": WEBHOOK})
    hosts = " ".join(f"{host}:443:{address}:{port}" for host, (address, port) in receiver.connect_to.items())

    def run(*args: str, stdin: str = "") -> Any:
        env = {"HOOKCTL_CONNECT_TO": hosts, "HOOKCTL_CACERT": receiver.ca_file}
        result = run_cli(*args, cwd=root, env=env, stdin=stdin)
        files = [path.read_text() for path in root.glob("report.*")]
        for text in (result.stdout, result.stderr, *files):
            kinds = {unicodedata.category(one) for one in text if one != "\n"}
            assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"}), text
        return result

    run.root = root  # type: ignore[attr-defined]
    return run


def event() -> str:
    from hookctl.plugin.host import load_plugins

    document: dict[str, Any] = json.loads(json.dumps(load_plugins().event_types["anomaly"].mock))
    document["id"] = "e1"
    document["data"]["title"] = f"t{ACTED_ON}"
    return json.dumps(document)


FORMS = ("text", "json", "markdown", "github", "sarif")


@pytest.mark.parametrize("form", FORMS)
def test_of_files(hookctl: Run, form: str) -> None:
    assert hookctl("validate", "--format", form).exit_code == 0
    assert hookctl("plan", "--format", form).exit_code == 0
    assert hookctl("apply", "--auto-approve", "--format", form).exit_code == 0
    (hookctl.root / f"webhooks.d/w{ACTED_ON}.yaml").write_text(WRONG)  # type: ignore[attr-defined]
    assert hookctl("validate", "--format", form).exit_code == 1
    assert hookctl("plan", "--format", form).exit_code == 1


@pytest.mark.parametrize("form", FORMS)
def test_of_answers(hookctl: Run, form: str) -> None:
    result = hookctl("test", "--show-invocation", "--format", form, "--junit", "report.xml")
    assert (result.exit_code, "u001b" in result.stdout) == (1, True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_events_and_deliveries(hookctl: Run, receiver: Receiver, form: str) -> None:
    hookctl("apply", "--auto-approve")
    bad = json.dumps({"id": f"x{ACTED_ON}", "event_type": f"y{ACTED_ON}"})
    assert hookctl("send", "-", "--format", form, stdin=f"{event()}\n{bad}\nnot JSON {ACTED_ON}\n").exit_code == 1
    assert receiver.count == 1
    listed = json.loads(hookctl("deliveries", "list", "--format", "json").stdout)
    commands = ("list", "show Siem", "doctor", "deliveries list", f"deliveries show {listed[0]['id']}")
    for command in commands:
        assert hookctl(*command.split(), "--format", form).exit_code == 0, command
    (hookctl.root / "event.json").write_text(event())  # type: ignore[attr-defined]
    assert hookctl("render", "Siem", "--event", "event.json", "--format", form).exit_code == 0


def test_a_parser_gets_what_was_written(hookctl: Run) -> None:
    hookctl("apply", "--auto-approve")
    shown = hookctl("show", "Siem", "--format", "json").stdout
    assert shown.isascii()
    assert json.loads(shown)["applied"]["description"] == f"d{ACTED_ON}"


@pytest.mark.parametrize(
    "args",
    [
        ("show", f"x{ACTED_ON}"),
        ("plan", "--only", f"x{ACTED_ON}"),
        ("plan", "--against", f"x{ACTED_ON}"),
        ("plan", "--out", f"gone{ACTED_ON}/x"),
        ("plan", "--format", f"x{ACTED_ON}"),
        ("apply", f"x{ACTED_ON}"),
        ("unlock", f"x{ACTED_ON}"),
        ("explain", f"x{ACTED_ON}"),
        ("schema", "event", f"x{ACTED_ON}"),
        ("deliveries", "show", f"x{ACTED_ON}"),
        ("deliveries", "resume", f"x{ACTED_ON}"),
        ("--dir", f"x{ACTED_ON}", "validate"),
        ("--store", f"x{ACTED_ON}", "list"),
        ("--store", f"sqlite:////proc/x{ACTED_ON}/y", "apply", "--auto-approve"),
        ("--config", f"x{ACTED_ON}", "list"),
        (f"x{ACTED_ON}",),
        ("validate", f"--x{ACTED_ON}"),
    ],
    ids=lambda args: " ".join(args).replace(ACTED_ON, ""),
)
def test_of_arguments(hookctl: Run, args: tuple[str, ...]) -> None:
    assert hookctl(*args).exit_code in {1, 64}
