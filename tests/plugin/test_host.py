from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from hookctl.errors import PluginError, SettingsError
from hookctl.installed import any_third_party
from hookctl.model import Json
from hookctl.plugin import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    SecretSource,
    TransportType,
    ValidatorType,
    hookimpl,
)
from hookctl.plugin.host import BUILT_IN, load_plugins

OBJECT: dict[str, Json] = {"type": "object"}


def never(*_: Any) -> Any:
    raise AssertionError("called")


THINGS: dict[str, Any] = {
    "hookctl_auth_types": AuthType(name="x-auth", summary="An auth.", schema=OBJECT, build=never),
    "hookctl_transport_types": TransportType(name="x-transport", summary="A transport.", schema=OBJECT, build=never),
    "hookctl_validator_types": ValidatorType(
        name="x-validator", summary="A validator.", schema=OBJECT, build=never, label=never
    ),
    "hookctl_secret_sources": SecretSource(scheme="x-secret", summary="A source.", resolve=never),
    "hookctl_event_types": EventType(name="x.event", summary="An event type.", schema=OBJECT, mock={}),
    "hookctl_filter_types": FilterType(name="x_filter", summary="A filter.", call=never),
    "hookctl_policies": Policy(name="x-policy", summary="A policy.", schema={}, build=never),
    "hookctl_observers": Observer(name="x-observer"),
    "hookctl_commands": click.Command("x-command", help="A command."),
}
ATTRIBUTES = {
    "hookctl_auth_types": "auth",
    "hookctl_transport_types": "transports",
    "hookctl_validator_types": "validators",
    "hookctl_secret_sources": "secret_sources",
    "hookctl_event_types": "event_types",
    "hookctl_filter_types": "filters",
    "hookctl_policies": "policies",
    "hookctl_observers": "observers",
    "hookctl_commands": "commands",
}


def plugin(name: str = "acme", /, **functions: Callable[..., Any]) -> SimpleNamespace:
    """A plugin module of that name, with these functions as hooks."""
    return SimpleNamespace(
        __name__=name, **{hook: hookimpl(specname=hook)(function) for hook, function in functions.items()}
    )


def failure_of(*plugins: object) -> str:
    """The one failure of loading these plugins, while everything that is built in is there."""
    loaded = load_plugins(plugins)
    assert "bearer" in loaded.auth
    (failure,) = loaded.failures
    assert failure.hint
    return failure.message


def giving(**things: Any) -> dict[str, Callable[[], Any]]:
    def gives(thing: Any) -> Callable[[], Any]:
        return lambda: [thing]

    return {hook: gives(thing) for hook, thing in things.items()}


@pytest.mark.parametrize("hook", sorted(ATTRIBUTES))
def test_every_hook_adds_what_it_gives(hook: str) -> None:
    thing = THINGS[hook]
    plugins = load_plugins([plugin(**giving(**{hook: thing}))])
    added = getattr(plugins, ATTRIBUTES[hook])
    name = thing.scheme if hook == "hookctl_secret_sources" else thing.name
    assert (added[name].name if hook != "hookctl_secret_sources" else added[name].scheme) == name
    assert getattr(added[name], "summary", "") == getattr(thing, "summary", "")
    assert getattr(added[name], "schema", None) == getattr(thing, "schema", None)
    assert plugins.failures == ()
    assert [origin for (_, key), origin in plugins.origins.items() if key == name] == ["acme"]


@pytest.mark.parametrize("hook", sorted(ATTRIBUTES))
def test_a_hook_that_raises_is_named(hook: str) -> None:
    def broken() -> Any:
        raise RuntimeError("no licence")

    assert failure_of(plugin(**{hook: broken})) == f"plugin acme: {hook} raised RuntimeError: no licence"


def test_a_plugin_that_exits_is_named() -> None:
    assert (
        failure_of(plugin(hookctl_policies=lambda: sys.exit(3))) == "plugin acme: hookctl_policies raised SystemExit: 3"
    )


def test_what_a_plugin_raises_on_purpose_is_named_too() -> None:
    def broken() -> Any:
        raise SettingsError("set ACME_URL", hint="export ACME_URL=...")

    assert (
        failure_of(plugin(hookctl_policies=broken))
        == "plugin acme: hookctl_policies raised SettingsError: set ACME_URL"
    )


def test_what_else_a_plugin_gives_is_there() -> None:
    source = THINGS["hookctl_secret_sources"]
    two = Policy(name="two", summary="", schema={}, build=never)
    acme = plugin(
        hookctl_policies=lambda: [THINGS["hookctl_policies"], "no policy", two],
        hookctl_secret_sources=lambda: [source],
        hookctl_observers=never,
    )
    other = plugin("other", **giving(hookctl_filter_types=THINGS["hookctl_filter_types"]))
    loaded = load_plugins([acme, other])
    assert {"x-policy", "two"} <= set(loaded.policies)
    assert "x-secret" in loaded.secret_sources
    assert "x_filter" in loaded.filters
    assert [failure.message for failure in loaded.failures] == [
        "plugin acme: hookctl_policies returned a str, not a Policy",
        "plugin acme: hookctl_observers raised AssertionError: called",
    ]


def test_a_hook_may_be_a_generator() -> None:
    def sources() -> Iterator[SecretSource]:
        yield THINGS["hookctl_secret_sources"]

    assert "x-secret" in load_plugins([plugin(hookctl_secret_sources=sources)]).secret_sources


@pytest.mark.parametrize("hook", sorted(ATTRIBUTES))
@pytest.mark.parametrize(
    "given", [lambda: ["a string"], lambda: [None], lambda: [{"name": "x"}], lambda: None, lambda: 7]
)
def test_a_hook_that_gives_something_else_is_named(hook: str, given: Callable[[], Any]) -> None:
    assert failure_of(plugin(**{hook: given})).startswith(f"plugin acme: {hook} ")


@pytest.mark.parametrize("name", ["", "two words", "-x", "a/b", None, 7])
def test_a_name_that_cannot_be_written_is_refused(name: Any) -> None:
    policy = Policy(name=name, summary="", schema={}, build=never)
    assert failure_of(plugin(**giving(hookctl_policies=policy))).startswith(
        "plugin acme: hookctl_policies returned a policy named "
    )


@pytest.mark.parametrize("scheme", ["Vault", "aws.sm", "1p", "a:b"])
def test_a_scheme_that_no_reference_can_have_is_refused(scheme: str) -> None:
    source = SecretSource(scheme=scheme, summary="", resolve=never)
    assert failure_of(plugin(**giving(hookctl_secret_sources=source))).startswith(
        "plugin acme: hookctl_secret_sources returned a secret source named "
    )


def test_a_taken_name_is_refused_and_both_are_named() -> None:
    bearer = AuthType(name="bearer", summary="", schema=OBJECT, build=never)
    message = "plugin acme: it adds the auth 'bearer', but hookctl_plugins.auth already adds one with that name"
    assert failure_of(plugin(**giving(hookctl_auth_types=bearer))) == message
    assert load_plugins([plugin(**giving(hookctl_auth_types=bearer))]).failures[0].hint == (
        "Remove the plugin, or ask its author to rename what it adds."
    )
    one, two = (plugin(name, **giving(hookctl_policies=THINGS["hookctl_policies"])) for name in ("one", "two"))
    assert load_plugins([one, two]).failures[0].hint == (
        "Remove one of the two, or ask its author to rename what it adds."
    )
    assert failure_of(one, two) == "plugin two: it adds the policy 'x-policy', but one already adds one with that name"
    assert load_plugins([one, two]).origins["policy", "x-policy"] == "one"


def test_the_same_plugin_twice_is_refused() -> None:
    acme = plugin()
    message = "two plugins have the name 'acme': the SimpleNamespace acme and the SimpleNamespace acme"
    assert failure_of(acme, acme) == message
    assert failure_of(acme, plugin()) == message
    assert [failure.message for failure in load_plugins([acme, acme]).same_names] == [message]


def test_an_unknown_hook_is_refused() -> None:
    other = plugin("other", **giving(hookctl_filter_types=THINGS["hookctl_filter_types"]))
    message = failure_of(plugin(hookctl_auth_kinds=lambda: [never]), other)
    assert message.startswith("plugin acme cannot be registered: ")
    assert "hookctl_auth_kinds" in message


def test_a_hook_with_arguments_is_refused() -> None:
    message = failure_of(plugin(hookctl_policies=lambda webhook: [webhook]))
    assert message.startswith("plugin acme cannot be registered: ")
    assert "webhook" in message


def test_functions_without_the_mark_are_no_hooks() -> None:
    plugins = load_plugins([SimpleNamespace(__name__="acme", hookctl_observers=never, helper=never)])
    assert {plugins.origins["observer", name] for name in plugins.observers} == {"hookctl_plugins.observer"}


def test_built_in_plugins_come_first_and_in_order() -> None:
    plugins = load_plugins([plugin()])
    assert [provider.name for provider in plugins.providers] == [*BUILT_IN, "acme"]
    assert {provider.built_in for provider in plugins.providers[:-1]} == {True}
    assert not plugins.providers[-1].built_in


# -- installed ones ----------------------------------------------------------------------------------------------------


def install(
    folder: Path,
    *,
    distribution: str = "hookctl-acme",
    module: str = "hookctl_acme_test",
    code: str,
    group: str = "hookctl",
    info: str = "{}-1.2.3.dist-info",
) -> None:
    """Put a distribution with one plugin into a folder, as an installer does."""
    folder.mkdir(exist_ok=True, parents=True)
    folder.joinpath(f"{module}.py").write_text(code)
    metadata = folder / info.format(distribution.replace("-", "_"))
    metadata.mkdir(parents=True)
    metadata.joinpath("PKG-INFO" if "egg" in info.lower() else "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n"
    )
    metadata.joinpath("entry_points.txt").write_text(
        f"[console_scripts]\nacme = {module}:main\n\n[{group}]\nacme = {module}\n"
    )


CODE = """
from hookctl.plugin import SecretSource, hookimpl

@hookimpl
def hookctl_secret_sources():
    return [SecretSource(scheme="acme", summary="Acme's vault.", resolve=str.upper)]
"""


@pytest.fixture(autouse=True)
def forget_imports() -> Iterator[None]:
    """What a test imports from its own folders is not there for the next one."""
    yield
    for name in [name for name in sys.modules if name.startswith(("hookctl_acme", "hookctl_other"))]:
        del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_there_is_none_here() -> None:
    assert not any_third_party()


@pytest.mark.parametrize("info", ["{}-1.2.3.dist-info", "{}.egg-info"])
def test_an_installed_plugin_is_found_with_its_distribution(site: Path, info: str) -> None:
    install(site, code=CODE, info=info)
    assert any_third_party()
    plugins = load_plugins()
    assert plugins.secret_sources["acme"].resolve("key") == "KEY"
    (provider,) = [provider for provider in plugins.providers if not provider.built_in]
    assert (provider.name, provider.distribution, provider.version) == ("acme", "hookctl-acme", "1.2.3")


def test_an_egg_folder_on_the_path_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "hookctl_acme-1.2.3.egg"
    install(folder, code=CODE, info="EGG-INFO")
    monkeypatch.syspath_prepend(str(folder))
    assert any_third_party()
    assert "acme" in load_plugins().secret_sources


def test_a_zip_on_the_path_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "content", code=CODE, module="hookctl_acme_zipped")
    archive = tmp_path / "acme.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (tmp_path / "content").rglob("*"):
            file.write(path, path.relative_to(tmp_path / "content"))
    monkeypatch.syspath_prepend(str(archive))
    assert any_third_party()
    assert "acme" in load_plugins().secret_sources


def test_other_groups_are_no_plugins(site: Path) -> None:
    install(site, code="raise RuntimeError", group="hookctl_other")
    assert not any_third_party()
    assert "acme" not in load_plugins().secret_sources


def test_what_importlib_cannot_read_is_passed_over(site: Path) -> None:
    (site / "odd-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    (site / "gone-1.dist-info").mkdir()
    (site / "gone-1.dist-info" / "entry_points.txt").symlink_to("nowhere")
    assert not any_third_party()


@pytest.mark.parametrize(
    "code",
    ["raise RuntimeError('no licence')", "import sys; sys.exit(1)", "import no_such_module_anywhere", "def broken(:"],
)
def test_a_plugin_that_cannot_be_imported_is_named(site: Path, code: str) -> None:
    install(site, code=code)
    assert failure_of().startswith("plugin acme: importing hookctl_acme_test raised ")


def test_two_distributions_with_one_name_are_refused(site: Path) -> None:
    install(site, code=CODE)
    install(site, code=CODE, distribution="hookctl-other", module="hookctl_other_test")
    assert failure_of() == "two plugins have the name 'acme': hookctl-acme 1.2.3 and hookctl-other 1.2.3"
    assert "acme" in load_plugins().secret_sources
    assert not {"hookctl_acme_test", "hookctl_other_test"} <= set(sys.modules)  # the second is not even imported


@pytest.mark.parametrize(("given", "what"), [(None, "None"), (5, "an int")])
def test_a_validator_that_returns_no_list_is_told_so(given: Any, what: str) -> None:
    mine = ValidatorType(
        name="mine", summary="", schema=OBJECT, label=lambda _: "mine", build=lambda _: lambda _: given
    )
    loaded = load_plugins([plugin(**giving(hookctl_validator_types=mine))])
    with pytest.raises(PluginError, match=f"validate returned {what}, not a list of Mismatch"):
        loaded.validators["mine"].build({})(None)  # type: ignore[arg-type]  # it looks at no response
