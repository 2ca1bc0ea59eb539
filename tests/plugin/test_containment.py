"""How calls of plugins are contained: threads, limits, interrupts, descriptions. The table is in test_contract.py."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from hookctl.config.check import ask_policies
from hookctl.config.diff import make_plan
from hookctl.config.directory import check_directory
from hookctl.delivery.attempt import engine as attempts
from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.errors import PluginError
from hookctl.model import AppliedState, Attempt, DeliveryPlan, FailureKind, PluginBlock, Response, Timing
from hookctl.plugin import (
    AuthType,
    Completion,
    FilterType,
    Finding,
    FindingsReport,
    Observer,
    Policy,
    ReportFormat,
    TransportType,
    ValidatorType,
    given,
    hookimpl,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.report.text.plugins import listed, render_text
from hookctl.testing.receiver import Receiver

CANARY = "canary-of-a-secret"
PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""
NEVER = threading.Event()
"""What a call that hangs waits for."""


def raising(error: BaseException) -> Callable[..., Any]:
    def end(*_: Any, **__: Any) -> Any:
        raise error

    return end


def hang(*_: Any, **__: Any) -> Any:
    NEVER.wait(PATIENCE)
    raise RuntimeError("nobody ended it")


ENDINGS: dict[str, Callable[..., Any]] = {
    "Exception": raising(RuntimeError(CANARY)),
    "SystemExit(3)": raising(SystemExit(3)),
    "hang": hang,
    "wrong type": lambda *_, **__: object(),
}
"""Some ways in which a call ends; test_contract.py has them all."""


@pytest.fixture(params=ENDINGS)
def ending(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def little_patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A call that hangs is given up soon, and ends with the test."""
    NEVER.clear()
    if "ending" not in request.fixturenames or request.getfixturevalue("ending") == "hang":
        monkeypatch.setattr("hookctl.plugin.contain.CALL_SECONDS", 0.1)
        monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.1)
    monkeypatch.setattr(attempts, "GRACE", 0.05)
    monkeypatch.setattr(attempts, "WATCH", 0.02)
    yield
    NEVER.set()


def plugin(**given: Any) -> SimpleNamespace:
    """The plugin ``acme``: functions are its hooks, lists what its hooks give."""

    def hook(thing: Any) -> Callable[[], Any]:
        return thing if callable(thing) else lambda: thing

    return SimpleNamespace(
        __name__="acme", **{name: hookimpl(specname=name)(hook(thing)) for name, thing in given.items()}
    )


def safe(*_: Any) -> Any:
    return CANARY


# -- start-up ----------------------------------------------------------------------------------------------------------


ODD_SCHEMAS: list[dict[str, Any]] = [
    {"properties": 7},
    {"properties": {"a": None}},
    {"properties": {"a": {"properties": []}}},
    {"properties": {"a": {"enum": 7}}},
    {"properties": {"a": {"anyOf": [7]}}},
    {"required": {"a": 1}},
    {"items": 7},
    {"$defs": 7},
]


@pytest.mark.parametrize("schema", ODD_SCHEMAS, ids=repr)
def test_a_schema_in_a_wrong_form_is_left_out(schema: dict[str, Any]) -> None:
    plugins = load_plugins([plugin(hookctl_auth_types=[AuthType(name="mine", summary="", schema=schema, build=safe)])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_auth_types returned a schema ")
    assert render_text(listed(plugins), plugins.failures, width=80, color=False)


def test_a_schema_that_is_true_or_false_is_written_as_an_object() -> None:
    schema: dict[str, Any] = {"properties": {"any": True, "none": False}, "additionalProperties": False}
    plugins = load_plugins([plugin(hookctl_auth_types=[AuthType(name="mine", summary="", schema=schema, build=safe)])])
    expected = {"properties": {"any": {}, "none": {"not": {}}}, "additionalProperties": False}
    assert plugins.auth["mine"].schema == expected
    assert render_text(listed(plugins), width=80, color=False)


def test_a_schema_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    schema["properties"] = schema
    plugins = load_plugins([plugin(hookctl_policies=[Policy(name="mine", summary="", schema=schema, build=safe)])])
    assert [failure.message for failure in plugins.failures] == [
        "plugin acme: hookctl_policies returned JSON that is nested too deeply"
    ]


@pytest.mark.parametrize("what", ["takes", "gives"])
@pytest.mark.parametrize(
    ("types", "says"),
    [
        ("string", "as a str, not a set of types"),
        (None, "as None, not a set of types"),
        (lambda: {"string"}, "as a function, not a set of types"),
        ({"string", "text"}, "with 'text'; the types are null, boolean, integer, number, string, array, object"),
        ({7}, "an int, not text"),
    ],
)
def test_a_filter_with_types_that_do_not_exist_is_left_out(what: str, types: Any, says: str) -> None:
    declared: dict[str, Any] = {what: types}
    plugins = load_plugins([plugin(hookctl_filter_types=[FilterType(name="mine", summary="", call=safe, **declared)])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_filter_types returned ")
    assert says in failure.message
    assert "mine" not in plugins.filters


def test_a_filters_types_are_copied_and_its_result_is_held_to_them() -> None:
    types: Any = ["string", "null"]
    thing = FilterType(name="mine", summary="", call=lambda value: value, takes=types, gives=types)
    plugins = load_plugins([plugin(hookctl_filter_types=[thing])])
    types.append("object")
    mine = plugins.filters["mine"]
    assert mine.takes == mine.gives == frozenset({"string", "null"})
    assert (mine.call("a"), mine.call(None)) == ("a", None)
    with pytest.raises(PluginError, match="call returned a list, which is not of a type that it declares in gives"):
        mine.call([])


def described(hook: str, name: str, value: Any) -> Any:
    """A description in which one field has this value."""
    kinds: dict[str, Callable[..., Any]] = {
        "hookctl_auth_types": partial(AuthType, name="mine", summary="", schema={}, build=safe),
        "hookctl_observers": partial(Observer, name="mine"),
        "hookctl_format_types": partial(ReportFormat, name="mine", summary="", findings=safe),
    }
    return kinds[hook](**{name: value})


@pytest.mark.parametrize(
    ("hook", "name", "values"),
    [
        ("hookctl_auth_types", "signs", [None, 1, "no"]),
        ("hookctl_auth_types", "per_attempt", [None, 0, "no"]),
        ("hookctl_observers", "records_traces", [None, 1, []]),
        ("hookctl_observers", "sampled_share", [None, "1", True, -0.1, 1.1, float("nan")]),
        ("hookctl_format_types", "has_ci_commands", [None, 1, safe]),
    ],
)
def test_a_flag_of_another_type_is_left_out(hook: str, name: str, values: list[Any]) -> None:
    for value in values:
        plugins = load_plugins([plugin(**{hook: [described(hook, name, value)]})])
        (failure,) = plugins.failures
        assert failure.message.startswith(f"plugin acme: {hook} returned {name} as "), value


@pytest.mark.parametrize("declared", [None, False, True])
def test_an_auth_of_a_plugin_never_runs_on_the_thread_of_the_runner(*, declared: bool | None) -> None:
    thing = AuthType(name="mine", summary="", schema={}, build=safe, signs=True, blocking=declared)
    mine = load_plugins([plugin(hookctl_auth_types=[thing])]).auth["mine"]
    assert (mine.blocking, mine.signs) == (True, True)


# -- while delivering --------------------------------------------------------------------------------------------------


class Adapter(BaseAdapter):
    """A transport that is only a ``BaseAdapter``."""

    def send(self, *_: Any, **__: Any) -> Any:
        import io

        from requests import Response as Answered

        response = Answered()
        response.status_code, response.raw = 202, io.BytesIO()
        return response

    def close(self) -> None:
        """Nothing is open."""


class Concurrent(Adapter):
    """A ``ConcurrentTransport`` that answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[int] = []

    def submit(self, ticket: int, *_: Any) -> None:
        self.tickets.append(ticket)

    def poll(self, _wait: float) -> Any:
        tickets, self.tickets = self.tickets, []
        return [Completion(ticket, Response(204, "", (), b""), Timing()) for ticket in tickets]

    def wake(self) -> None:
        """It never waits."""

    def cancel(self, ticket: int) -> None:
        self.tickets.remove(ticket)


def built(base: type[Adapter], name: str) -> Callable[[Any], Any]:
    """A transport's ``build`` whose adapter ends so in the method of that name."""
    return lambda end: lambda *_: type("Broken", (base,), {name: lambda self, *args, **kwargs: end(*args, **kwargs)})()  # noqa: ARG005


TRANSPORT: Mapping[str, Any] = {"transport": PluginBlock("mine", {})}


def transport(build: Callable[..., Any], **flags: Any) -> TransportType:
    return TransportType(name="mine", summary="", schema={}, build=build, **flags)


def validator(build: Callable[..., Any], label: Callable[..., Any] = lambda _: "mine") -> ValidatorType:
    return ValidatorType(name="mine", summary="", schema={}, build=build, label=label)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def engine_with(receiver: Receiver) -> Iterator[Callable[[Plugins], AttemptEngine]]:
    engines: list[AttemptEngine] = []
    receiver.reset()

    def make(plugins: Plugins) -> AttemptEngine:
        engines.append(AttemptEngine(plugins, receiver.network(), "hookctl/test"))
        return engines[-1]

    yield make
    NEVER.set()
    for engine in engines:
        engine.close()


def made(engine: AttemptEngine, *plans: DeliveryPlan) -> dict[str, Attempt]:
    """The attempts of the plans, by webhook."""
    for plan in plans:
        engine.start(Job(plan.name, plan, {"data": {"severity": "High"}}, 1))
    ended: dict[str, Attempt] = {}
    limit = time.monotonic() + PATIENCE
    while len(ended) < len(plans):
        assert time.monotonic() < limit, "an attempt does not end"
        ended |= {one.job.delivery_id: one.attempt for one in engine.poll(0.1)}
    return ended


def test_a_transport_that_cannot_cancel_holds_up_nothing(
    ending: str, engine_with: Callable[[Plugins], AttemptEngine], delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    class Silent(Concurrent):
        def poll(self, wait: float) -> Any:  # noqa: ARG002  # the contract
            return []

    engine = engine_with(
        load_plugins([plugin(hookctl_transport_types=[transport(built(Silent, "cancel")(ENDINGS[ending]))])])
    )
    broken = replace(delivery_plan("Broken", timeout_seconds=0.1), **TRANSPORT)
    for _ in range(2):
        attempt = made(engine, broken, delivery_plan("Healthy", timeout_seconds=PATIENCE))
        assert attempt["Healthy"].succeeded
        assert attempt["Broken"].failure is not None
        assert attempt["Broken"].failure.kind in {FailureKind.TIMEOUT, FailureKind.PLUGIN}


def test_a_call_that_hangs_is_not_made_again_until_it_ends() -> None:
    calls: list[str] = []
    free = threading.Event()

    def slow(*_: Any) -> None:
        calls.append(threading.current_thread().name)
        free.wait(PATIENCE)

    plugins = load_plugins(
        [plugin(hookctl_observers=[Observer(name="slow", attempted=slow, ended=lambda _: calls.append("ended"))])]
    )
    observer: Any = plugins.observers["slow"]
    with pytest.raises(PluginError, match=r"attempted did not return within 0\.1 s$"):
        observer.attempted(None, None)
    with pytest.raises(PluginError, match=r"an earlier call of attempted has not returned$"):
        observer.attempted(None, None)
    observer.ended(None)  # another function of the same plugin
    assert len(calls) == 2
    free.set()
    limit = time.monotonic() + PATIENCE
    while len(calls) < 3 and time.monotonic() < limit:
        with contextlib.suppress(PluginError):
            observer.attempted(None, None)
    assert calls[::2] == ["hookctl-plugin-acme"] * 2


@pytest.mark.parametrize("name", ["build", "label"])
def test_what_hangs_holds_no_lane(name: str) -> None:
    """A call that need not wait is given up on any thread, so the thread that made it is free for another webhook."""
    thing = validator(hang) if name == "build" else validator(safe, hang)
    plugins = load_plugins([plugin(hookctl_validator_types=[thing])])
    said: list[str] = []

    def lane() -> None:
        with pytest.raises(PluginError) as raised:
            getattr(plugins.validators["mine"], name)({})
        said.append(raised.value.message)

    for _ in range(2):
        thread = threading.Thread(target=lane)
        thread.start()
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()
    assert said == [
        f"validator mine of plugin acme: {name} did not return within 0.1 s",
        f"validator mine of plugin acme: an earlier call of {name} has not returned",
    ]


def test_a_plugin_is_called_on_one_thread_that_ends_with_it() -> None:
    names: list[threading.Thread] = []
    plugins = load_plugins(
        [plugin(hookctl_observers=[Observer(name="mine", ended=lambda _: names.append(threading.current_thread()))])]
    )
    for _ in range(3):
        assert plugins.observers["mine"].ended is not None
        plugins.observers["mine"].ended(None)  # type: ignore[arg-type]  # nobody looks at it
    assert len(set(names)) == 1
    assert names[0] is not threading.main_thread()
    del plugins
    gc.collect()
    names[0].join(PATIENCE)
    assert not names[0].is_alive()


def test_ctrl_c_ends_the_wait_for_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.plugin.contain.CALL_SECONDS", PATIENCE)
    main = threading.main_thread().ident
    assert main is not None

    def wait(_: Any) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        NEVER.wait(PATIENCE)

    plugins = load_plugins([plugin(hookctl_observers=[Observer(name="mine", ended=wait)])])
    assert plugins.observers["mine"].ended is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background processes ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            plugins.observers["mine"].ended(None)  # type: ignore[arg-type]  # nobody looks at it
    finally:
        signal.signal(signal.SIGINT, before)


# -- while checking and planning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["build", "check"])
def test_a_policy_that_fails_is_an_error_of_the_plan(
    name: str, ending: str, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    end = ENDINGS[ending]
    policy = Policy(name="mine", summary="", schema={}, build=end if name == "build" else lambda _: end)
    strict = Policy(
        name="strict", summary="", schema={}, build=lambda _: lambda _: [Finding(message="no", hint="never")]
    )
    plugins = load_plugins([plugin(hookctl_policies=[policy, strict])])
    plan = make_plan(AppliedState(), {"Siem": delivery_plan()}, {})
    first, second = ask_policies(plan, {"mine": {"severity": "warning"}, "strict": {}}, plugins)
    assert (first.source, second.source) == ("mine", "strict")
    assert first.is_error
    assert first.message.startswith(f"policy mine of plugin acme: {name} ")


REPORT = FindingsReport(command="validate", root=Path("/"), directory=Path("webhooks.d"), findings=(), nothing="")


def test_a_format_gives_text_or_pieces_of_it() -> None:
    made = ReportFormat(name="mine", summary="", findings=lambda _: "text", review=lambda _: iter(["te", "xt"]))
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    mine = plugins.formats["mine"]
    assert mine.findings
    assert mine.review
    assert (mine.findings(REPORT), mine.review(REPORT), mine.results) == ("text", "text", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields", [{}, {"findings": "text"}, {"findings": safe, "summary": 1}], ids=["empty", "text", "summary"]
)
def test_a_format_that_cannot_be_used_is_left_out(fields: dict[str, Any]) -> None:
    made = ReportFormat(**{"name": "mine", "summary": "", **fields})
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_format_types ")
    assert plugins.formats == {}


def test_a_report_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_REPORT", 1000)
    made = ReportFormat(name="mine", summary="", findings=lambda _: repeat("again\n"))
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    with pytest.raises(PluginError, match="a report of more than 1,000 characters"):
        plugins.formats["mine"].findings(REPORT)  # type: ignore[misc]


WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


@pytest.mark.parametrize(
    ("thing", "hook", "name", "text"),
    [
        (validator, "hookctl_validator_types", "build", "response_validators: {type: mine}\n"),
        (
            lambda end: transport(safe, check_url=end),
            "hookctl_transport_types",
            "check_url",
            "transport: {type: mine}\n",
        ),
        (
            lambda end: FilterType(name="mine", summary="", call=end),
            "hookctl_filter_types",
            "call",
            "headers: {X-A: '{{ data.severity | mine }}'}\n",
        ),
        (
            lambda end: AuthType(name="mine", summary="", schema={}, build=safe, problems=end),
            "hookctl_auth_types",
            "problems",
            "auth: {type: mine}\n",
        ),
        (
            lambda end: AuthType(name="mine", summary="", schema={}, build=safe, expand=end),
            "hookctl_auth_types",
            "expand",
            "auth: {type: mine}\n",
        ),
    ],
    ids=["validator", "transport", "filter", "problems", "expand"],
)
def test_a_check_that_fails_is_a_finding(
    thing: Any, hook: str, name: str, *, text: str, ending: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(WEBHOOK + text)
    (tmp_path / "b.yaml").write_text("name: B\nevent: nothing\nurl: https://b.example.com/\n")
    checked = check_directory(tmp_path, load_plugins([plugin(**{hook: [thing(ENDINGS[ending])]})]))
    failed = [finding.message for finding in checked.findings if finding.rule == "plugin-failed"]
    assert len(failed) == 1
    assert f" of plugin acme: {name} " in failed[0]
    assert "unknown-event-type" in {finding.rule for finding in checked.findings}
