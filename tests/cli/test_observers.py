"""Observers that hookctl.toml turns on, and traces from the command line to the target."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from hookctl.cli.session import Session
from hookctl.model import Attempt, Delivery, Json
from hookctl.plugin import Observer, hookimpl
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/in?key=${env:KEY}
headers: {Authorization: "Bearer ${env:TOKEN}"}
body_template: '{"id": "{{ id }}", "title": "{{ data.title }}"}'
"""
KEY, TOKEN = "canary-key-8c1f", "canary-token-41d7"
SCHEMA: dict[str, Json] = {"type": "object", "additionalProperties": False, "properties": {"share": {"type": "number"}}}


class Acme:
    """A plugin with an observer that has settings and records traces."""

    __name__ = "acme"

    def __init__(self, build: Callable[[Any], Any] | None = None) -> None:
        self.settings: list[Any] = []
        self.seen: list[tuple[Delivery, Attempt]] = []
        self.closed = 0
        self._build = build or self._watch

    @hookimpl
    def hookctl_observers(self) -> list[Observer]:
        return [Observer(name="acme", schema=SCHEMA, build=self._build, records_traces=True)]

    def _watch(self, settings: Any) -> Observer:
        self.settings.append(settings)
        return Observer(
            name="of no account", attempted=lambda *news: self.seen.append(news), close=self.close, records_traces=True
        )

    def close(self) -> None:
        self.closed += 1


class Site:
    """A project with an applied webhook."""

    def __init__(self, root: Path, run_cli: Run, receiver: Receiver, reach: dict[str, str]) -> None:
        self.root, self._run, self.receiver, self._env = root, run_cli, receiver, {**reach, "KEY": KEY, "TOKEN": TOKEN}
        mock = load_plugins().event_types["anomaly"].mock
        self.event = json.dumps({**mock, "id": "e1", "data": {**mock["data"], "title": "canary-title"}})  # type: ignore[dict-item]

    def settings(self, text: str) -> Self:
        (self.root / "hookctl.toml").write_text(text, encoding="utf-8")
        return self

    def run(self, *args: str, stdin: str = "", **env: str) -> Any:
        return self._run(*args, cwd=self.root, env={**self._env, **env}, stdin=stdin)

    def send(self, *args: str, **env: str) -> Any:
        result = self.run("send", "-", *args, stdin=self.event, **env)
        assert result.exit_code == 0, result.stdout + result.stderr
        return result

    def traceparents(self) -> list[str | None]:
        return [request.header("traceparent") for request in self.receiver.requests]


@pytest.fixture
def site(
    project: Callable[..., Path], run_cli: Run, receiver: Receiver, reach_siem: dict[str, str], monkeypatch: Any
) -> Site:
    for name in ("TRACEPARENT", "TRACESTATE"):
        monkeypatch.delenv(name, raising=False)
    site = Site(project({"webhooks.d/siem.yaml": WEBHOOK}), run_cli, receiver, reach_siem)
    assert site.run("apply", "--auto-approve").exit_code == 0
    return site


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Acme]:
    def install(build: Callable[[Any], Any] | None = None) -> Acme:
        plugin = Acme(build)
        plugins = load_plugins([plugin])
        monkeypatch.setattr(Session, "plugins", plugins)
        return plugin

    return install


def test_a_delivery_leaves_its_audit_lines_without_secrets_and_event_data(site: Site) -> None:
    site.settings('[observers.jsonl]\npath = "audit.jsonl"\n').send()
    text = (site.root / "audit.jsonl").read_text(encoding="ascii")
    attempt, end = map(json.loads, text.splitlines())
    assert (attempt["type"], attempt["status"], attempt["url"]) == (
        "attempt",
        "delivered",
        "https://siem.example.com/in?key=***",
    )
    assert (end["type"], end["status"], end["delivery"]) == ("end", "delivered", attempt["delivery"])
    assert not [canary for canary in (KEY, TOKEN, "canary-title") if canary in text]


def test_without_a_table_a_built_in_observer_is_off(site: Site) -> None:
    site.send("--traceparent", GIVEN)
    assert site.traceparents() == [None]
    assert sorted(path.name for path in site.root.iterdir()) == [".hookctl", "webhooks.d"]


def test_an_observer_of_a_plugin_gets_its_settings_and_is_closed(site: Site, acme: Callable[..., Acme]) -> None:
    plugin = acme()
    site.settings("[observers.acme]\nshare = 0.5\n").send()
    assert plugin.settings == [{"share": 0.5}]
    assert [(delivery.event_id, attempt.number) for delivery, attempt in plugin.seen] == [("e1", 1)]
    assert plugin.closed == 1


def test_an_observer_whose_plugin_fails_is_left_out(site: Site, acme: Callable[..., Acme]) -> None:
    def fail(_: Any) -> Observer:
        raise RuntimeError(TOKEN)

    acme(fail)
    result = site.settings("[observers.acme]\n").send()
    assert result.stderr.startswith(
        "Warning: observer acme of plugin acme: build raised RuntimeError\n  Deliveries are made without this observer."
    )
    assert site.traceparents() == [None]


def test_a_result_that_is_no_observer_is_a_failure(site: Site, acme: Callable[..., Acme]) -> None:
    acme(lambda _: Observer(name="again", build=lambda _: Observer(name="x"), schema=SCHEMA))
    result = site.settings("[observers.acme]\n").send()
    assert "observer acme of plugin acme: build returned an Observer, not an Observer with functions" in result.stderr


@pytest.mark.parametrize(
    ("option", "env"),
    [
        (("--traceparent", GIVEN), {}),
        ((), {"TRACEPARENT": GIVEN, "TRACESTATE": "vendor=1"}),
        ((), {"HOOKCTL_SEND_TRACEPARENT": GIVEN, "TRACEPARENT": "x"}),
    ],
)
def test_the_trace_of_the_events_reaches_the_target(
    site: Site, acme: Callable[..., Acme], option: tuple[str, ...], env: dict[str, str]
) -> None:
    plugin = acme()
    site.settings("[observers.acme]\n").send(*option, **env)
    ((_, attempt),) = plugin.seen
    assert attempt.trace is not None
    assert attempt.trace.event is not None
    assert attempt.trace.event.traceparent == GIVEN
    assert site.traceparents() == [f"00-{TRACE}-{attempt.trace.context.span_id}-01"]
    assert site.receiver.requests[0].header("tracestate") == ("vendor=1" if "TRACESTATE" in env else None)


def test_the_trace_is_kept_for_a_runner_in_another_process(site: Site, acme: Callable[..., Acme]) -> None:
    site.send("--enqueue", "--traceparent", GIVEN)
    plugin = acme()
    assert site.settings("[observers.acme]\n").run("send", "/dev/null").exit_code == 0
    ((_, attempt),) = plugin.seen
    assert attempt.trace is not None
    assert attempt.trace.event is not None
    assert attempt.trace.event.traceparent == GIVEN


def test_a_traceparent_that_is_not_valid_is_ignored_and_reported(site: Site, acme: Callable[..., Acme]) -> None:
    plugin = acme()
    result = site.settings("[observers.acme]\n").send(TRACEPARENT=f"{GIVEN}x")
    assert result.stderr.startswith("Warning: the traceparent '00-4bf92f")
    assert "is not valid and is ignored.\n" in result.stderr
    ((_, attempt),) = plugin.seen
    assert attempt.trace is not None
    assert attempt.trace.event is None


def test_render_shows_the_header_and_for_which_observer(site: Site) -> None:
    assert "traceparent" not in site.run("render", "Siem").stdout
    shown = site.settings("[observers.opentelemetry]\n").run("render", "Siem").stdout
    assert "traceparent: ***\n" in shown
    assert "# traceparent is made when the request is sent, for the observer opentelemetry\n" in shown
    document = json.loads(site.run("render", "Siem", "--format", "json").stdout)
    assert ["traceparent", "***"] in [[*pair] for pair in document["request"]["headers"]]
    own = WEBHOOK + 'description: "x"\n'
    (site.root / "webhooks.d/siem.yaml").write_text(own.replace("{Authorization", "{traceparent: own, Authorization"))
    assert "traceparent: own\n" in site.run("render", "Siem").stdout


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[observers.jsnol]\n", "[observers]: unknown observer 'jsnol'"),
        ("[observers]\njsonl = 1\n", "observers.jsonl must be a table"),
        ("[observers.jsonl]\n", "[observers.jsonl]: "),
        ('[observers.jsonl]\npath = "a"\nsize = "much"\n', "[observers.jsonl]: `size` has the wrong form"),
        ('[observers.jsonl]\npath = "a"\nfile = 3\n', "[observers.jsonl]: unknown field `file`"),
        ("[observers.jsonl]\npath = 2026-01-01\n", "[observers.jsonl]: an observer setting cannot be a date or time"),
        ('[observers.jsonl]\npath = "../a"\n', "observers.jsonl.path is outside the directory of hookctl.toml"),
        ("[observers.opentelemetry]\nendpoint = 1\n", "[observers.opentelemetry]: unknown field `endpoint`"),
    ],
)
def test_validate_reports_a_wrong_table(site: Site, settings: str, message: str) -> None:
    result = site.settings(settings).run("validate")
    assert (result.exit_code, message in result.stderr) == (1, True), result.stderr


def test_a_wrong_table_is_an_error_before_anything_is_sent(site: Site) -> None:
    result = site.settings("[observers.jsonl]\n").run("send", "-", stdin=site.event)
    assert (result.exit_code, "[observers.jsonl]: " in result.stderr) == (1, True), result.stderr
    assert not site.receiver.requests


def test_a_file_of_settings_that_the_user_names_may_have_any_path(site: Site, tmp_path: Path) -> None:
    site.settings(f'[observers.jsonl]\npath = "{tmp_path / "audit.jsonl"}"\n')
    assert site.run("--config", "hookctl.toml", "send", "-", stdin=site.event).exit_code == 0
    assert (tmp_path / "audit.jsonl").exists()


def test_a_missing_directory_is_an_error_before_anything_is_sent(site: Site) -> None:
    result = site.settings('[observers.jsonl]\npath = "logs/audit.jsonl"\n').run("send", "-", stdin=site.event)
    assert (result.exit_code, "[observers.jsonl]: the directory logs does not exist" in result.stderr) == (1, True)
    assert not site.receiver.requests


def test_an_observer_without_settings_takes_no_table(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        __name__ = "plain"

        @hookimpl
        def hookctl_observers(self) -> list[Observer]:
            return [Observer(name="plain")]

    monkeypatch.setattr(Session, "plugins", load_plugins([Plain()]))
    result = site.settings("[observers.plain]\n").run("validate")
    assert "[observers.plain]: this observer has no settings, and is always on" in result.stderr
