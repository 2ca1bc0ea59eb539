"""Each recipe of ``hookctl init`` against a receiver that enforces what its target publishes.

``targets/NAME.py`` is the target of the recipe NAME. It names the vendor's pages, and has:

- ``Contract``: answers requests as the target does. ``records`` is what it has made of accepted requests, and ``harm``
  what text of an event did to it: mentions, links, markup.
- ``HOSTS``, and ``SECRETS``: the environment variables that the recipe refers to.
- ``ERRORS``: answers of the target, by the status of a delivery that ends with one.
- ``BROKEN``: changes of an accepted body that make the contract refuse it, as a path and a value, None for no value.
- ``DEDUPLICATES``: whether a request that is repeated makes no second record.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hookctl.cli.recipes import Recipe, read_recipe, recipe_names
from hookctl.kit.project import CommandResult
from hookctl.model.secret import REFERENCE
from hookctl.schema_files import read_schema
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver

HERE = Path(__file__).parent
RunCli = Callable[..., CommandResult]
Event = dict[str, Any]
MOCK: Event = read_schema("events/anomaly.schema.json")["examples"][0]  # type: ignore[index, assignment]  # JSON


def target(name: str) -> Any:
    """The module ``targets/NAME.py``."""
    spec = spec_from_file_location(f"targets_{name}", HERE / "targets" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TARGETS = {path.stem: target(path.stem) for path in sorted((HERE / "targets").glob("*.py"))}
each_recipe = pytest.mark.parametrize("name", TARGETS)


@dataclass
class Play:
    """A recipe that was written into an empty directory, and its target."""

    name: str
    root: Path
    run_cli: RunCli
    receiver: Receiver
    env: dict[str, str]
    recipe: Recipe
    answers: list[Answer] = field(default_factory=list)
    """What the target answers next, in place of what its contract says. The request is then not processed."""
    contract: Any = None
    stores: int = 0

    def run(self, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> CommandResult:
        return self.run_cli(*args, cwd=self.root, stdin=stdin, env=self.env if env is None else env)

    def start(self) -> None:
        """A target that has seen nothing, and a store without deliveries to which the recipe is applied."""
        self.contract = TARGETS[self.name].Contract()
        if hasattr(self.contract, "tokens"):
            self.receiver.tokens = self.contract.tokens
        self.receiver.reset()
        self.receiver.default = self._answer
        self.stores += 1
        self.env["HOOKCTL_STORE"] = f"sqlite:///store-{self.stores}.db"
        applied = self.run("apply", "--auto-approve")
        assert applied.exit_code == 0, applied.stderr

    def send(self, *events: Event, wait: str = "0s") -> list[str]:
        """The status of each delivery after the events were sent. Retries are made if they are due within ``wait``."""
        self.run("send", "-", "--wait", wait, stdin="".join(json.dumps(event) + "\n" for event in events))
        return [one["status"] for one in self.run("deliveries", "list", "--format", "json").json()]

    def requests(self) -> list[ReceivedRequest]:
        """The requests for the target, without those for tokens."""
        return [request for request in self.receiver.requests if request.header("Host") == TARGETS[self.name].HOSTS[0]]

    def change(self, old: str, new: str) -> None:
        """Change the webhook's file."""
        path = self.root / "webhooks.d" / f"{self.name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _answer(self, request: ReceivedRequest) -> Answer:
        answer: Answer = self.answers.pop(0) if self.answers else self.contract(request)
        return answer


@pytest.fixture
def play(run_cli: RunCli, tmp_path: Path) -> Iterator[Callable[[str], Play]]:
    """``play("slack")`` writes the recipe into an empty directory and starts its target."""
    started: list[Receiver] = []

    def begin(name: str) -> Play:
        written = run_cli("init", "--recipe", name, cwd=tmp_path)
        assert written.exit_code == 0, written.stderr
        module = TARGETS[name]
        receiver = Receiver(hosts=module.HOSTS).start()
        started.append(receiver)
        to = " ".join(f"{host}:443:{receiver.address}:{receiver.port}" for host in module.HOSTS)
        env = {"HOOKCTL_CONNECT_TO": to, "HOOKCTL_CACERT": receiver.ca_file, **module.SECRETS}
        playing = Play(name, tmp_path, run_cli, receiver, env, read_recipe(name))
        playing.change("\nname: ", "\nretry:\n  schedule: [1ms]\nname: ")
        if "\nrate_limit: " in playing.recipe.text:
            playing.change("\nrate_limit: ", "\nrate_limit: 1000/s # was ")
        return playing

    yield begin
    for receiver in started:
        receiver.stop()


def event(number: int = 0, **data: Any) -> Event:
    """The mock event with an id of its own, and other fields in its data."""
    changed = copy.deepcopy(MOCK)
    changed["id"] = f"evt_{number}"
    changed["data"]["id"] = f"anomaly-{number}"
    changed["data"].update(data)
    return changed


# -- what is written --


def test_each_recipe_has_a_target() -> None:
    assert list(TARGETS) == recipe_names()


@each_recipe
def test_the_head_of_the_file_says_what_to_set(name: str) -> None:
    recipe = read_recipe(name)
    secrets = {setting.name for setting in recipe.settings if setting.is_secret}
    assert secrets == {key for _, key in REFERENCE.findall(recipe.text)} == TARGETS[name].SECRETS.keys()
    assert all(setting.where for setting in recipe.settings)
    fields = {setting.name for setting in recipe.settings} - secrets
    assert all(re.search(rf"^{name}:", recipe.text, re.MULTILINE) for name in fields)
    assert recipe.target
    assert recipe.repeats
    assert len(f"    {'servicenow_import_set':23}{recipe.summary}") <= 88  # a line of the list
    placeholder = any("example.com" in line for line in recipe.text.splitlines() if line.startswith("url:"))
    assert not placeholder or "url" in fields


@each_recipe
def test_the_sources_are_named(name: str) -> None:
    assert re.search(r"^- \"?[A-Z]", TARGETS[name].__doc__, re.MULTILINE)


@each_recipe
def test_it_is_valid_and_says_which_secrets_are_missing(name: str, play: Callable[[str], Play]) -> None:
    playing = play(name)
    nothing = {key: value for key, value in playing.env.items() if key not in TARGETS[name].SECRETS}
    checked = playing.run("validate", env=nothing)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "1 webhook in 1 file, no problems found." in checked.stdout
    planned = playing.run("plan", env=nothing)
    assert (planned.exit_code, planned.stderr) == (0, "")
    needed = re.search(r"^      needs secrets: (.*)$", planned.stdout, re.MULTILINE)
    assert needed
    assert set(needed[1].split(", ")) == {f"${{env:{secret}}}" for secret in TARGETS[name].SECRETS}
    tested = playing.run("test", env=nothing)
    assert tested.exit_code == 1
    assert any(f"the environment variable {secret} is not set" in tested.stdout for secret in TARGETS[name].SECRETS)
    assert not playing.receiver.requests


# -- what the target makes of it --


@each_recipe
def test_the_mock_event_is_accepted(name: str, play: Callable[[str], Play]) -> None:
    playing = play(name)
    playing.start()
    tested = playing.run("test")
    assert (tested.exit_code, "Warning" in tested.stderr) == (0, False), tested.stdout + tested.stderr
    assert len(playing.contract.records) == 1
    assert not playing.contract.harm
    for secret in TARGETS[name].SECRETS.values():
        assert secret not in tested.stdout


@each_recipe
def test_the_contract_is_not_an_echo(name: str, play: Callable[[str], Play]) -> None:
    playing = play(name)
    playing.start()
    playing.run("test")
    accepted = playing.requests()[-1]
    assert TARGETS[name].BROKEN
    for path, value in TARGETS[name].BROKEN:
        contract = TARGETS[name].Contract()
        if hasattr(contract, "tokens"):
            contract.tokens = playing.contract.tokens
        contract(ReceivedRequest(accepted.head, changed(accepted.body, path, value), accepted.at))
        assert not contract.records, (path, value)


def changed(body: bytes, path: str, value: Any) -> bytes:
    """A body in JSON, or a form, with another value at the path."""
    if b"{" not in body:
        form = dict(parse_qsl(body.decode())) | {path: value}
        return urlencode({key: text for key, text in form.items() if text is not None}).encode()
    document = json.loads(body)
    *outer, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    inner: Any = document
    for part in outer:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(document).encode()


@each_recipe
def test_wrong_credentials_hold_the_webhook(name: str, play: Callable[[str], Play]) -> None:
    playing = play(name)
    playing.start()
    for secret in TARGETS[name].SECRETS:
        playing.env[secret] = "api-version=1&sig=wrong" if secret.endswith("QUERY") else "wrong"
    statuses = playing.send(event())
    # PagerDuty answers 400: the key is a field of the event.
    assert statuses == (["dead"] if name == "pagerduty" else ["held"])
    assert not playing.contract.records


@pytest.mark.parametrize(
    ("name", "status"), [(name, status) for name, module in TARGETS.items() for status in module.ERRORS]
)
def test_each_answer_has_its_outcome(name: str, status: str, play: Callable[[str], Play]) -> None:
    playing = play(name)
    if status == "retrying":
        playing.change("schedule: [1ms]", "schedule: [1h]")
    answers: Sequence[Answer] = TARGETS[name].ERRORS[status]
    for number, group in enumerate([[one] for one in answers] if status == "held" else [answers]):
        playing.start()
        playing.answers = [*group, *group] if name == "generic_oauth" and status == "held" else [*group]  # a new token
        statuses = playing.send(*(event(10 * number + each) for each in range(len(group))))
        assert statuses == [status] * len(group), group
        assert not playing.contract.records


@each_recipe
def test_a_request_that_is_repeated(name: str, play: Callable[[str], Play]) -> None:
    """The target processes a request, and its answer is lost."""
    playing = play(name)
    playing.start()
    lost = Answer(misbehave=Misbehavior.CUT_BODY)

    def process_and_lose(request: ReceivedRequest) -> Answer:
        answer: Answer = playing.contract(request)
        return lost if len(playing.requests()) == 1 else answer

    playing.receiver.default = process_and_lose
    assert playing.send(event(), wait="30s") == ["delivered"]
    assert len(playing.requests()) == 2
    may_be_two = re.search("twice|may be two|keeps each", playing.recipe.repeats)
    assert (len(playing.contract.records), bool(may_be_two)) == (
        (1, False) if TARGETS[name].DEDUPLICATES else (2, True)
    )


@each_recipe
def test_an_answer_that_is_not_understood_makes_no_duplicate(name: str, play: Callable[[str], Play]) -> None:
    """The target processes a request, and a gateway answers 200 with a page of its own."""
    playing = play(name)
    playing.start()
    page = Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html>Sign in</html>")

    def process_and_mislead(request: ReceivedRequest) -> Answer:
        answer = playing.contract(request)
        return page if len(playing.requests()) == 1 else answer

    playing.receiver.default = process_and_mislead
    statuses = playing.send(event(), wait="30s")
    # These two have no form of success of their own.
    expected = "delivered" if TARGETS[name].DEDUPLICATES or name in {"okta_workflows", "teams"} else "dead"
    assert statuses == [expected]
    assert len(playing.contract.records) == 1


# -- what others put into an event --

HOSTILE = [
    "",
    "   ",
    "\x00\x1b[31m\r\n\u2028\x7f",
    '","admin":true,"x":"',
    "${env:SLACK_WEBHOOK_PATH} {{ data.id }} {% raw %}",
    "<!channel> <@U012AB3CD> <https://evil.example/|click> & &amp; *b* _i_ `c` ~s~",
    "@all @dana.levi@example.com @slack-ops",
    "%%% \n# Markdown\n[click](https://evil.example/) <at>Dana</at>",
    "<script>alert(1)</script><img src=x onerror=alert(1)><a href='https://evil.example/'>a</a>",
    "a\nTo: +15550199\r\n\r\n<br>",
    "&" * 20_000,
    "<" * 3_000,
    "\N{GRINNING FACE}" * 20_000,
    "\x01" * 20_000,
    "word " * 5_000,
    "x" * 20_000,
    "\u0301" * 5_000,
]
texts = st.sampled_from(HOSTILE) | st.text(max_size=300)
names = texts.filter(bool)  # not empty
ids = st.sampled_from(
    ["", "/../a?b#c%2F", '" <!channel> é', "\N{GRINNING FACE}" * 100]
)  # hookctl accepts no controls here


class Hostile(list[Event]):
    """Events whose representation is short."""

    def __repr__(self) -> str:
        return json.dumps(self)[:2000]


@st.composite
def hostile_events(draw: st.DrawFn) -> Hostile:
    """Events that their schema accepts, whose text can be anything."""
    events = Hostile()
    for number in range(8):
        made = event(number)
        made["id"] = f"{number}{draw(ids)}"
        made["event_time"] = draw(st.sampled_from([0, 0.5, 1764040815.482, 253402300799]))
        data = made["data"]
        data["id"] = f"{number}{draw(names)}"
        data["severity"] = draw(st.sampled_from(["Low", "Medium", "High"]))
        data["recommendation"] = draw(st.none() | texts)
        data["request"]["friendly_id"] = f"AR-{draw(st.sampled_from(['1', '9' * 400]))}"
        data["resource"] = draw(st.none() | st.just(data["resource"]))
        for part in ("title", "description"):
            data[part] = draw(texts)
        for outer in ("requester", "integration", "access_flow"):
            data[outer]["name"] = draw(texts)
        data["integration"]["type"] = draw(texts)
        data["requester"]["id"] = draw(names)
        events.append(made)
    return events


@each_recipe
def test_hostile_and_long_events_are_accepted(name: str, play: Callable[[str], Play]) -> None:
    playing = play(name)

    @settings(
        max_examples=3, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )  # an example is no small thing
    @given(events=hostile_events())
    def check(events: Hostile) -> None:
        playing.start()
        expected = [one for one in events if name != "twilio" or one["data"]["severity"] == "High"]
        statuses = playing.send(*events)
        assert statuses == ["delivered"] * len(expected), playing.run("deliveries", "list").stdout
        assert len(playing.contract.records) == len(expected)
        assert not playing.contract.harm

    check()
