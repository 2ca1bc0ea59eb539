"""Checks what plugins describe, for their authors: schemas, mock events and descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hookctl.errors import HookctlError
from hookctl.model import Json
from hookctl.plugin import given
from hookctl.plugin.calls import MAX_THINGS, Plugins, Provider
from hookctl.plugin.contain import BrokenContractError, Hook
from hookctl.plugin.places import Place, place_of_function, place_of_part

FUNCTIONS = ("build", "resolve", "call", "attempted", "ended", "findings", "review", "results", "open", "callback")
"""The attributes of descriptions that are functions; the description is often in the file of one of them."""
WITHOUT_SUMMARY = frozenset({"hookctl_observers", "hookctl_commands"})
Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """One problem of a plugin."""

    plugin: str
    message: str
    hint: str = ""
    place: Place | None = None
    """The line that it is about; None if it is not known."""


def check_plugins(plugins: Plugins) -> list[PluginProblem]:
    """Everything that is wrong with what plugins describe, and all that could not be loaded.

    Raises HookctlError if the library jsonschema is not installed.
    """
    _require_jsonschema()
    return [*_not_loaded(plugins), *(problem for one in plugins.providers for problem in _of_plugin(one, plugins))]


def _not_loaded(plugins: Plugins) -> Iterator[PluginProblem]:
    hooks = {provider.name: provider.hooks for provider in plugins.providers}
    for failure in plugins.failures:
        if failure.kind != "disabled":
            known = hooks.get(failure.plugin, {})
            place = next((place_of_function(known[hook]) for hook in known if hook in failure.message), None)
            yield PluginProblem(failure.plugin, failure.message, failure.hint, place)


def _of_plugin(provider: Provider, plugins: Plugins) -> Iterator[PluginProblem]:
    for hook, function in provider.hooks.items():

        def look(hook: str = hook, function: Callable[[], Any] = function) -> list[PluginProblem]:
            parts = islice(function(), MAX_THINGS)
            return [one for part in parts for one in _of_part(_Part(provider.name, hook, function, part))]

        place = Hook(provider.name, f"plugin {provider.name}", hook, at_start=True, repeats_text=True)
        try:
            yield from plugins.containment.call(place, look)
        except HookctlError as error:
            if not any(failure.plugin == provider.name and hook in failure.message for failure in plugins.failures):
                yield PluginProblem(provider.name, error.message, error.hint, place_of_function(function))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as its plugin gives it."""

    plugin: str
    hook: str
    function: Callable[[], Any]
    part: Any

    @property
    def name(self) -> Any:
        return getattr(self.part, "name", None) or getattr(self.part, "scheme", None)

    def problem(self, message: str, attribute: str, path: Path = (), hint: str = "") -> PluginProblem:
        functions = [self.function, *(one for name in FUNCTIONS if callable(one := getattr(self.part, name, None)))]
        place = place_of_part(functions, self.name, attribute, path)
        where = "".join(f"[{step!r}]" for step in path)
        message = f"plugin {self.plugin}: {type(self.part).__name__} {self.name}: {attribute}{where}: {message}"
        return PluginProblem(self.plugin, message, hint, place)


def _of_part(part: _Part) -> Iterator[PluginProblem]:
    about = part.part
    if part.hook == "hookctl_commands":
        if not str(about.get_short_help_str()).strip():
            yield part.problem("a command without help", "help", hint="Give its function a docstring.")
    elif part.hook not in WITHOUT_SUMMARY and not str(about.summary).strip():
        yield part.problem("it is empty", "summary", hint="Write a sentence for `hookctl plugins`.")
    if not hasattr(about, "schema") or (part.hook == "hookctl_observers" and about.schema is None):
        return
    try:
        schema = given.json_object(about.schema)
        wrong = [*_schema_errors(schema)]
        yield from (part.problem(message, "schema", path) for path, message in wrong)
        yield from (
            part.problem(message, "schema", path, "`hookctl plugins` and editors show it.")
            for path, message in _undescribed(schema, ())
        )
        if hasattr(about, "mock") and not wrong:
            mock = given.json_object(about.mock)
            yield from (part.problem(message, "mock", path) for path, message in _errors(schema, mock))
    except BrokenContractError as error:
        yield part.problem(f"it is or contains {error}", "schema")


def _require_jsonschema() -> None:
    try:
        import jsonschema  # noqa: F401 - only authors of plugins need it
    except ImportError as error:
        hint = "Install it in the environment of hookctl: pip install 'hookctl[testing]'"
        raise HookctlError("checking plugins needs the library jsonschema", hint=hint) from error


def _schema_errors(schema: Json) -> Iterator[tuple[Path, str]]:
    from jsonschema import Draft202012Validator

    return _errors(dict(Draft202012Validator.META_SCHEMA), schema)


def _errors(schema: dict[str, Any], value: Json) -> Iterator[tuple[Path, str]]:
    """Where a value is not valid, with jsonschema's own message, in order and each once."""
    from jsonschema import Draft202012Validator

    found = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    rows = {(tuple(error.absolute_path), error.message): None for error in found}
    yield from sorted(rows, key=lambda row: ([str(step) for step in row[0]], row[1]))


NO_SETTINGS = frozenset({"const", "enum", "default", "examples", "if", "then", "else", "not", "dependentSchemas"})
"""Keywords with values, or with conditions on properties that are described elsewhere."""


def _undescribed(schema: Json, path: Path) -> Iterator[tuple[Path, str]]:
    """The properties without a description, at any depth, except in conditions, which declare none."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from _undescribed(inner, (*path, index))
    elif isinstance(schema, dict):
        properties = schema.get("properties")
        for name, about in properties.items() if isinstance(properties, dict) else ():
            if isinstance(about, dict) and not {"description", "$ref"} & about.keys():
                yield (*path, "properties", name), "a property without a description"
        for key, inner in schema.items():
            if key not in NO_SETTINGS:
                yield from _undescribed(inner, (*path, key))
