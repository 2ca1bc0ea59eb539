"""Each hook is declared with its type, its documentation, and an example, which runs here."""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
import textwrap
import threading
import typing
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from requests import Request

from hookctl import open_store
from hookctl.errors import PluginError, SettingsError, StoreError
from hookctl.model import DeliveryPlan
from hookctl.plugin import AuthContext, Envelope, StoreType, hookimpl, hookspecs
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.store.opening import STORE_TYPES, built_in, check_engine, store_files

HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("hookctl_")}
RunCli = Callable[..., Any]
NEVER = threading.Event()


def example(hook: str) -> ModuleType:
    """The example in the docstring of a hook, as a module."""
    documentation = inspect.cleandoc(HOOKS[hook].__doc__ or "")
    summary, _, code = documentation.partition("\n\nExample::\n\n")
    assert summary.strip().endswith(".")
    module = ModuleType(f"example_of_{hook}")
    exec(compile(textwrap.dedent(code), f"<example of {hook}>", "exec"), vars(module))  # noqa: S102 - our own code
    return module


def loaded(hook: str) -> Plugins:
    plugins = load_plugins([example(hook)])
    assert plugins.failures == ()
    return plugins


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_typed_and_its_example_adds_one_part_of_that_type(hook: str) -> None:
    names = {**vars(hookspecs), "Iterable": Iterable, "click": click}
    wanted = typing.get_type_hints(HOOKS[hook], names)["return"]
    (kind,) = typing.get_args(wanted)
    assert isinstance(vars(example(hook))[hook]()[0], kind)
    assert [origin for origin in loaded(hook).origins.values() if origin.startswith("example")] == [
        f"example_of_{hook}"
    ]


def test_the_description_of_every_part_is_what_a_hook_returns() -> None:
    """So no kind of part is without a hook: formats and stores have one, too."""
    fields = {field for field in Plugins.__annotations__ if "Mapping[str" in str(Plugins.__annotations__[field])}
    assert len(fields) == len(HOOKS)


def test_the_example_of_an_auth_adds_a_header() -> None:
    auth = loaded("hookctl_auth_types").auth["token"].build({"token": "t-1"}, AuthContext(None, 5.0))  # type: ignore[arg-type]
    assert auth(Request("POST", "https://a.example.com").prepare()).headers["X-Token"] == "t-1"


def test_the_example_of_a_transport_accepts() -> None:
    adapter = loaded("hookctl_transport_types").transports["accepting"].build({}, None)  # type: ignore[arg-type]
    assert adapter.send(Request("POST", "https://a.example.com").prepare()).status_code == 202


@pytest.mark.parametrize(("status", "count"), [(204, 0), (200, 1)])
def test_the_example_of_a_validator_checks_the_status(status: int, count: int) -> None:
    validate = loaded("hookctl_validator_types").validators["no_content"].build({})
    assert len(validate(Envelope(status, {}, None))) == count


def test_the_example_of_a_secret_source_reads_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "k-1")
    assert loaded("hookctl_secret_sources").secret_sources["team"].resolve("KEY") == "k-1"


def test_the_example_of_an_event_type_has_a_valid_mock() -> None:
    import jsonschema

    event_type = loaded("hookctl_event_types").event_types["door.opened"]
    jsonschema.validate(event_type.mock, event_type.schema)


def test_the_example_of_a_filter_gives_text() -> None:
    assert loaded("hookctl_filter_types").filters["initials"].call("Dana Levi") == "DL"


def test_the_example_of_a_policy_finds_a_webhook_without_an_owner(delivery_plan: Callable[..., DeliveryPlan]) -> None:
    from hookctl.config.diff import make_plan
    from hookctl.model import AppliedState

    check = loaded("hookctl_policies").policies["has_owner"].build({})
    plans = {one.name: one for one in (delivery_plan("A"), delivery_plan("B", labels={"owner": "it"}))}
    assert [finding.webhook for finding in check(make_plan(AppliedState(), plans, {}))] == ["A"]


def test_the_example_of_a_format_and_of_a_command_run(
    run_cli: RunCli, project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [example("hookctl_format_types"), example("hookctl_commands")]
    monkeypatch.setattr("hookctl.plugin.host.load_plugins", lambda **_: load_plugins(both))
    monkeypatch.setattr("hookctl.cli.session.any_third_party", lambda: True)
    root = project({"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: http://a.example.com\n"})
    assert run_cli("validate", "--format", "lines", cwd=root).stdout.startswith("webhooks.d/a.yaml: ")
    assert run_cli("where", cwd=root).stdout == "webhooks.d\n"


# -- stores ------------------------------------------------------------------------------------------------------------


def test_every_built_in_store_has_a_description() -> None:
    for scheme in STORE_TYPES:
        description = built_in(scheme)
        assert isinstance(description, StoreType)
        assert description.scheme == scheme
        assert description.summary


def test_the_example_of_a_store_opens_it(tmp_path: Path) -> None:
    types = loaded("hookctl_store_types").stores
    url = f"spare:///{tmp_path}/a.db"
    assert open_store(url, create=False, types=types) is None
    with closing(open_store(url, types=types)) as store:
        assert store.read_state().serial == 0
    assert (store_files(url, types), check_engine(url, types).name) == ((), "spare")
    with pytest.raises(SettingsError, match="is not a store URL"):
        open_store(url)


def store_with(monkeypatch: pytest.MonkeyPatch, open_it: Callable[..., Any]) -> Plugins:
    module = example("hookctl_store_types")
    monkeypatch.setattr(module, "open_store", open_it)
    return load_plugins([module])


@pytest.mark.parametrize(
    ("open_it", "message"),
    [
        (lambda _url, *, create: 1 / create, "store spare of plugin .*: open raised ZeroDivisionError"),
        (lambda _url, *, create: object() if create else None, "the store 'spare' has no method add_token"),
    ],
)
def test_a_store_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, open_it: Callable[..., Any], message: str
) -> None:
    plugins = store_with(monkeypatch, open_it)
    with pytest.raises(PluginError, match=message):
        open_store("spare:x", create="ZeroDivision" not in message, types=plugins.stores)


@pytest.mark.parametrize(
    ("end", "what"),
    [
        (lambda *_, **__: sys.exit(3), "raised SystemExit"),
        (lambda *_, **__: NEVER.wait(20), "did not return within 0.1 s"),
    ],
)
def test_a_store_that_exits_or_hangs_is_named(
    monkeypatch: pytest.MonkeyPatch, end: Callable[..., Any], what: str
) -> None:
    NEVER.clear()
    monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.1)
    plugins = store_with(monkeypatch, end)
    with pytest.raises(PluginError, match=f"store spare of plugin .*: open {what}"):
        open_store("spare:x", types=plugins.stores)
    NEVER.set()


def test_an_engine_check_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("hookctl_store_types")
    monkeypatch.setattr(module, "check_engine", lambda: None)
    with pytest.raises(PluginError, match="check_engine returned None, not an EngineCheck"):
        check_engine("spare:x", load_plugins([module]).stores)


def test_a_method_of_a_store_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = example("hookctl_store_types").open_store
    opened: list[Any] = []

    def open_it(url: str, *, create: bool) -> Any:
        opened.append(original(url, create=create))
        return opened[0]

    plugins = store_with(monkeypatch, open_it)
    with closing(open_store(f"spare:///{tmp_path}/a.db", types=plugins.stores)) as store:
        monkeypatch.setattr(opened[0], "serial", lambda: os.environ["NO_SUCH_VARIABLE"])
        with pytest.raises(StoreError) as failed:
            store.serial()
    assert failed.value.message == "store spare of plugin example_of_hookctl_store_types: serial raised KeyError"


def test_a_command_works_with_a_store_of_a_plugin(
    run_cli: RunCli, project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookctl.plugin.host.load_plugins", lambda **_: load_plugins([example("hookctl_store_types")]))
    root = project({"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: https://a.example.com/x\n"})
    store = f"spare:///{root}/spare.db"
    assert run_cli("--store", store, "apply", "--auto-approve", cwd=root).exit_code == 0
    assert (root / "spare.db").exists()
    assert json.loads(run_cli("--store", store, "plan", "--format", "json", cwd=root).stdout)["serial"] == 1
    result = run_cli("--store", store, "doctor", cwd=root)
    assert (result.exit_code, "the spare store" in result.stdout) == (0, True), result.stdout
    assert re.search(r"✓ spare +SQLite\n", result.stdout)


def test_no_plugin_replaces_a_built_in_store(
    run_cli: RunCli, project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give() -> list[StoreType]:
        return [StoreType(scheme="sqlite", summary="", open=lambda *_, **__: None, check_engine=lambda: None)]  # type: ignore[arg-type, return-value]

    module = ModuleType("acme")
    module.hookctl_store_types = hookimpl(specname="hookctl_store_types")(give)  # type: ignore[attr-defined]
    monkeypatch.setattr("hookctl.plugin.host.load_plugins", lambda **_: load_plugins([module]))
    root = project({"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: https://a.example.com/x\n"})
    result = run_cli("plan", cwd=root)
    assert (result.exit_code, "adds the store 'sqlite', but hookctl has a store of that name" in result.stderr) == (
        0,
        True,
    )
