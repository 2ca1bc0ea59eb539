"""Commands beside a plugin that is broken: it is named, and hookctl goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
Install = Callable[[str], None]
CANARY = "canary-K7x/+of-a-secret"
PATIENCE = 30.0
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
ENDINGS = {
    "Exception": "raise RuntimeError(SECRET)",
    "SystemExit(0)": "raise SystemExit(0)",
    "SystemExit(3)": "raise SystemExit(3)",
    "KeyboardInterrupt": "raise KeyboardInterrupt(SECRET)",
    "CancelledError": "raise asyncio.CancelledError(SECRET)",
    "GeneratorExit": "raise GeneratorExit(SECRET)",
    "RecursionError": "forever()",
    "MemoryError": "raise MemoryError(SECRET)",
    "own BaseException": "raise Own(SECRET)",
    "hostile __str__": "raise HostileError",
    "hang": "threading.Event().wait()",
}
HEAD = """
import asyncio, os, threading
import click
from hookctl.plugin import *
from hookctl.model import reveal

SECRET = os.environ.get("SECRET", "")

class Own(BaseException):
    pass

class HostileError(Exception):
    def __str__(self):
        raise SystemExit(4)
    __repr__ = __str__

def forever():
    return forever()

def end(*args, **kwargs):
    {ending}
"""


@pytest.fixture(params=ENDINGS)
def ending(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for the plugin, as an installer leaves it."""
    site = tmp_path / "site"
    information = site / "acme-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hookctl-acme\nVersion: 1.0\n")
    return site


@pytest.fixture
def install(request: pytest.FixtureRequest, site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(code)``: a plugin of that code, in this process. A call that hangs is given up soon."""
    names: list[str] = []

    def write(code: str) -> None:
        names.append(f"acme_broken_{time.monotonic_ns()}")
        (site / f"{names[-1]}.py").write_text(code)
        (site / "acme-1.0.dist-info" / "entry_points.txt").write_text(f"[hookctl]\nacme = {names[-1]}\n")

    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    if "ending" in request.fixturenames and request.getfixturevalue("ending") == "hang":
        monkeypatch.setattr("hookctl.plugin.contain.CALL_SECONDS", 0.2)
        monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.5)
    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d" / "siem.yaml").write_text(WEBHOOK)
    return tmp_path


def code(ending: str, more: str = "") -> str:
    return HEAD.format(ending=ENDINGS[ending]) + more


# -- start-up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--help"], ["validate"], ["plan"], ["plugins"], ["doctor"]], ids=lambda arguments: arguments[0]
)
def test_a_plugin_that_cannot_be_imported(
    run_cli: Run, root: Path, install: Install, ending: str, arguments: list[str]
) -> None:
    install(code(ending, "end()\n"))
    result = run_cli(*arguments, cwd=root)
    if arguments == ["doctor"]:  # it reports the failure itself
        assert result.stderr == ""
        assert "Fix or uninstall the plugin" in result.stdout
    else:
        assert result.stderr.startswith("Warning: plugin acme: importing acme_broken_")
        assert result.stderr.count("Warning: ") == 1
        assert "  hookctl continues without it. Fix or uninstall the plugin" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert result.exit_code == (1 if arguments == ["doctor"] else 0)
    if arguments[0] in {"plugins", "doctor"}:
        assert "plugin acme: importing acme_broken_" in result.stdout


def test_it_is_told_to_machines(run_cli: Run, root: Path, install: Install) -> None:
    install(code("Exception", "end()\n"))
    document = json.loads(run_cli("plugins", "--format", "json", cwd=root, env={"SECRET": "no licence"}).stdout)
    (failure,) = document["failures"]
    assert (failure["plugin"], failure["distribution"]) == ("acme", "hookctl-acme")
    assert failure["message"].endswith(" raised RuntimeError: no licence")
    assert failure["hint"]
    assert document["plugins"]


def test_what_refers_to_it_has_a_hint(run_cli: Run, root: Path, install: Install) -> None:
    text = "auth: {type: sigv4}\nheaders: {X-A: '${vault:a}', X-B: '{{ data.severity | shout }}'}\n"
    (root / "webhooks.d" / "siem.yaml").write_text(WEBHOOK.replace("anomaly", "leaver") + text)
    (root / "webhooks.d" / "b.yaml").write_text(
        WEBHOOK.replace("Siem", "B") + "headers: {X-B: '{{ data.severity | shout }}'}\n"
    )
    hint = "acme could not be loaded completely and may contain it: see `hookctl doctor`."
    findings = json.loads(run_cli("validate", "--format", "json", cwd=root).stdout)["diagnostics"]
    assert not [finding for finding in findings if finding["hint"].endswith(hint)]
    install(code("Exception", "end()\n"))
    result = run_cli("validate", "--format", "json", cwd=root)
    assert result.exit_code == 1
    told = {finding["code"] for finding in json.loads(result.stdout)["diagnostics"] if finding["hint"].endswith(hint)}
    assert told == {"unknown-plugin", "unknown-secret-scheme", "unknown-event-type", "template-filter"}


# -- policies ----------------------------------------------------------------------------------------------------------

POLICY = """
@hookimpl
def hookctl_policies():
    return [Policy(name="mine", summary="", schema={}, build=lambda settings: end)]
"""


@pytest.mark.parametrize(
    "arguments", [["plan"], ["plan", "--detailed-exitcode"], ["apply", "--auto-approve"]], ids=" ".join
)
def test_a_policy_is_never_skipped(
    run_cli: Run, root: Path, install: Install, ending: str, arguments: list[str]
) -> None:
    (root / "hookctl.toml").write_text('[policies.mine]\nseverity = "warning"\n')
    install(code(ending, POLICY))
    result = run_cli(*arguments, cwd=root)
    assert result.exit_code == 1
    assert "error[mine]: policy mine of plugin acme: check " in result.stdout
    assert "Plan: 1 to add" in result.stdout
    assert json.loads(run_cli("plan", "--format", "json", cwd=root).stdout)["serial"] == 0  # nothing was applied


@pytest.mark.parametrize("command", ["plan", "apply", "validate"])
def test_a_policy_that_is_not_there_stops_the_command(run_cli: Run, root: Path, install: Install, command: str) -> None:
    (root / "hookctl.toml").write_text("[policies.mine]\n")
    install(code("SystemExit(0)", "end()\n" + POLICY))
    result = run_cli(command, cwd=root)
    assert result.exit_code == 1
    assert "Error: [policies]: unknown policy 'mine'\n" in result.stderr
    assert "acme could not be loaded completely" in result.stderr


# -- commands ----------------------------------------------------------------------------------------------------------

COMMAND = """
class Command(click.Command):
    def get_short_help_str(self, limit=45):
        end()

@hookimpl
def hookctl_commands():
    return [click.Command("mine", callback=end), Command("shy", callback=lambda: click.echo("shy's own"))]
"""


def test_a_command_that_fails_is_named(run_cli: Run, root: Path, install: Install, ending: str) -> None:
    if ending == "hang":
        return  # whoever runs it sees that, and has Ctrl-C
    install(code(ending, COMMAND))
    result = run_cli("mine", cwd=root, env={"SECRET": "no licence"})
    own = {"SystemExit(0)": 0, "SystemExit(3)": 3, "KeyboardInterrupt": 130}
    assert result.exit_code == own.get(ending, 1)
    assert ("Error: command mine of plugin acme: " in result.stderr) == (ending not in own)
    assert "Traceback" not in result.stderr
    assert run_cli("shy", cwd=root).stdout == "shy's own\n"


def test_a_command_that_cannot_say_what_it_does_is_listed(
    run_cli: Run, root: Path, install: Install, ending: str
) -> None:
    install(code(ending, COMMAND))
    for command in ("--help", "plugins"):
        result = run_cli(command, cwd=root)
        assert result.exit_code == 0
        assert "shy" in result.stdout


# -- deliveries --------------------------------------------------------------------------------------------------------

PARTS = """
class Auth:
    def __init__(self, settings):
        self.key = reveal(settings["key"])
    def __call__(self, request):
        request.headers["X-Key"] = self.key
        if os.environ.get("FAIL") == "auth":
            end()
        fail()
        return request

def fail(*args):
    if os.environ.get("FAIL") == "all":
        end()
    return []

def given(value):
    fail()
    return value

@hookimpl
def hookctl_auth_types():
    schema = {"type": "object", "properties": {"key": {"type": "string", "x-secret": True}}}
    build = lambda settings, _: Auth(settings)
    return [AuthType(name="mine", summary="", schema=schema, build=build, per_attempt=True, adds=lambda _: {})]

@hookimpl
def hookctl_validator_types():
    return [ValidatorType(name="mine", summary="", schema={}, build=lambda _: fail, label=lambda _: "mine")]

@hookimpl
def hookctl_filter_types():
    return [FilterType(name="mine", summary="", call=given)]

@hookimpl
def hookctl_observers():
    return [Observer(name="mine", attempted=fail, ended=fail)]
"""
WEBHOOKS = {
    "Healthy": "headers: {X-Key: '${env:SECRET}'}\n",
    "Signed": "auth: {type: mine, key: '${env:SECRET}'}\n",
    "Validated": "response_validators: [{type: mine}]\n",
    "Filtered": "headers: {X-Severity: '{{ data.severity | mine }}'}\n",
}
SCRIPT = "import hookctl.plugin.contain as c; c.CALL_SECONDS = {seconds}; from hookctl.cli.main import main; main()"


@pytest.fixture
def start(site: Path, tmp_path: Path, receiver: Receiver) -> Callable[..., subprocess.Popen[str]]:
    """``start(ending, "send", "events.jsonl", FAIL="all")``: hookctl as a process, with a plugin whose calls end so."""

    def run(ending: str, *arguments: str, parts: str = PARTS, **variables: str) -> subprocess.Popen[str]:
        (site / "acme_parts.py").write_text(code(ending, parts))
        (site / "acme-1.0.dist-info" / "entry_points.txt").write_text("[hookctl]\nacme = acme_parts\n")
        directory = tmp_path / "webhooks.d"
        directory.mkdir(exist_ok=True)
        for name, text in WEBHOOKS.items():
            webhook = (
                f"name: {name}\nevent: anomaly\nurl: https://{name.lower()}.example.com/{name}\n"
                f"retry: {{schedule: [1h]}}\n{text}"
            )
            (directory / f"{name}.yaml").write_text(webhook)
        hosts = " ".join(f"{name.lower()}.example.com:443:{receiver.address}:{receiver.port}" for name in WEBHOOKS)
        env = {
            "PYTHONPATH": str(site),
            "SECRET": CANARY,
            "HOOKCTL_CONNECT_TO": hosts,
            "HOOKCTL_CACERT": receiver.ca_file,
            **variables,
        }
        command = [sys.executable, "-c", SCRIPT.format(seconds=0.3 if ending == "hang" else PATIENCE), *arguments]
        pipe = subprocess.PIPE
        return warm.Popen(command, cwd=tmp_path, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    return run


@pytest.fixture
def events(tmp_path: Path) -> list[str]:
    """Three events in events.jsonl; gives their ids."""
    mock = load_plugins().event_types["anomaly"].mock
    ids = [f"e{number}" for number in range(3)]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps({**mock, "id": name}) + "\n" for name in ids))
    return ids


@pytest.mark.parametrize("ending", ["Exception", "SystemExit(0)", "own BaseException", "hang"])
def test_deliveries_go_on_beside_a_plugin_that_fails(
    start: Callable[..., subprocess.Popen[str]], receiver: Receiver, events: list[str], ending: str, tmp_path: Path
) -> None:
    applied = start(ending, "apply", "--auto-approve").communicate(timeout=PATIENCE)
    assert "Applied" in applied[0], applied
    process = start(ending, "send", "events.jsonl", FAIL="all")
    shown, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1  # not everything was delivered
    paths = [request.path for request in receiver.requests]
    assert paths.count("/Healthy") == len(events)
    assert paths.count("/Validated") == len(events)
    assert not {"/Signed", "/Filtered"} & set(paths)
    assert said.count("observer mine of plugin acme: attempted ") >= 1
    listed, _ = start(ending, "deliveries", "list").communicate(timeout=PATIENCE)
    for who in ("validator mine", "filter mine"):
        assert f"{who} of plugin acme: " in listed
    assert ("(auth mine of plugin acme)" if ending == "hang" else "auth mine of plugin acme: ") in listed
    store = b"".join(file.read_bytes() for file in (tmp_path / ".hookctl").iterdir() if file.is_file())
    assert "Traceback" not in shown + said
    assert CANARY not in shown + said + listed
    assert CANARY.encode() not in store


@pytest.mark.parametrize(
    ("arguments", "variables"), [(["--debug"], {}), ([], {"HOOKCTL_DEBUG": "1"})], ids=["option", "variable"]
)
def test_debug_shows_where_it_fails_and_no_secret(
    start: Callable[..., subprocess.Popen[str]], events: list[str], arguments: list[str], variables: dict[str, str]
) -> None:
    assert events
    start("Exception", "apply", "--auto-approve").communicate(timeout=PATIENCE)
    shown, said = start("Exception", *arguments, "send", "events.jsonl", FAIL="auth", **variables).communicate(
        timeout=PATIENCE
    )
    assert "debug: Traceback (most recent call last):\n" in said
    assert "debug:     raise RuntimeError(SECRET)\n" in said
    assert "debug: RuntimeError: ***\n" in said
    assert CANARY not in shown + said


def test_sigterm_ends_a_runner_whose_plugin_hangs(
    start: Callable[..., subprocess.Popen[str]], receiver: Receiver, events: list[str], tmp_path: Path
) -> None:
    start("hang", "apply", "--auto-approve").communicate(timeout=PATIENCE)
    process = start("hang", "send", "-", FAIL="all")
    assert process.stdin is not None
    process.stdin.write((tmp_path / "events.jsonl").read_text())
    process.stdin.flush()
    limit = time.monotonic() + PATIENCE
    while [request.path for request in receiver.requests].count("/Healthy") < len(events) and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Stopping: " in said


# -- beside its calls --------------------------------------------------------------------------------------------------

OUTSIDE = """
import gc, logging, sys, warnings

print("printed by an import")

class Dropped:
    def __del__(self):
        raise RuntimeError(SECRET)

@hookimpl
def hookctl_secret_sources():
    print("printed by a hook")
    Dropped()
    gc.collect()
    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    os.chdir("/")
    sys.setrecursionlimit(90)
    sys.stdout = sys.stderr = None
    return []
"""


def test_what_a_plugin_does_outside_its_calls(start: Callable[..., subprocess.Popen[str]]) -> None:
    """It prints, raises in a thread and in a destructor, and changes the state of the process."""
    for debug in ({}, {"HOOKCTL_DEBUG": "1"}):
        process = start("Exception", "validate", "--format", "json", parts=PARTS + OUTSIDE, **debug)
        shown, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        assert json.loads(shown)["diagnostics"] == []
        assert "printed by an import\n" in said
        assert "printed by a hook\n" in said
        assert "Warning: a thread of the module acme_parts raised RuntimeError\n" in said
        assert "Warning: a destructor of the module acme_parts raised RuntimeError\n" in said
        assert ("debug: Traceback" in said) == bool(debug)


HOSTILE_COMMANDS = """
class Shown(click.ClickException):
    def format_message(self):
        end()

class Type(click.ParamType):
    name = "mine"
    def convert(self, *args):
        end()

class Helped(click.Command):
    def format_help(self, *args):
        end()

class Completed(click.Command):
    def shell_complete(self, *args):
        end()

def shown():
    raise Shown("no")

@hookimpl
def hookctl_commands():
    option = click.Option(["--value"], type=Type())
    return [
        click.Command("shown", callback=shown),
        click.Command("typed", callback=shown, params=[option]),
        Helped("helped", callback=shown),
        Completed("completed", callback=shown),
        click.Command("parsed", callback=shown, params=[click.Option(["--value"], default=end)]),
    ]
"""


@pytest.mark.parametrize(
    "arguments",
    [["shown"], ["typed", "--value", "1"], ["helped", "--help"], ["parsed"]],
    ids=lambda arguments: arguments[0],
)
def test_every_function_of_a_command_is_contained(
    run_cli: Run, root: Path, install: Install, arguments: list[str]
) -> None:
    for ending in ("Exception", "own BaseException", "GeneratorExit", "hostile __str__"):
        install(code(ending, HOSTILE_COMMANDS))
        result = run_cli(*arguments, cwd=root)
        assert result.exit_code == 1
        assert f"Error: command {arguments[0]} of plugin acme: " in result.stderr
        assert "Traceback" not in result.stderr


def test_completion_of_a_command_prints_nothing_but_proposals(run_cli: Run, root: Path, install: Install) -> None:
    for ending in ("Exception", "own BaseException", "GeneratorExit"):
        install(code(ending, HOSTILE_COMMANDS))
        words = {"_HOOKCTL_COMPLETE": "bash_complete", "COMP_WORDS": "hookctl completed ", "COMP_CWORD": "2"}
        result = run_cli(cwd=root, env=words)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
