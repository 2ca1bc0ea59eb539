"""What every contract suite tests: the part loads, describes itself, and has a schema that fits its settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar

import jsonschema
from jsonschema.exceptions import best_match

from hookctl.errors import HookctlError
from hookctl.kit.loading import described
from hookctl.model import Json, Resolved, Secret

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SOUNDS_SECRET = re.compile(r"(?:^|_)(?:password|passphrase|secret|api_key|private_key|token)$")
"""Names of settings that are almost always secrets."""
SECRET_TEXT = "canary-secret"  # noqa: S105  # what a test looks for where no secret may be
LONGEST_SUMMARY = 200


class PartContract:
    """The tests that every kind of part shares. Set :attr:`name`, and :attr:`plugin` unless it is installed."""

    hook: ClassVar[str]
    """The hook that the part comes from; each suite sets it."""
    what: ClassVar[str]
    """The kind of the part in messages; each suite sets it."""
    plugin: ModuleType | None = None
    """The module with the hooks. None: hookctl finds it by its entry point, as an installed plugin."""
    name: ClassVar[str]
    """The name of the part, as a webhook file writes it."""

    @cached_property
    def part(self) -> Any:
        """The description that the plugin's hook returns."""
        return described(self.plugin, self.hook, self.what, self.name)

    def test_summary_is_one_line(self) -> None:
        """`hookctl plugins` shows the summary: it is a short sentence without control characters."""
        summary = self.part.summary
        assert isinstance(summary, str), f"the summary is not text: {summary!r}"
        assert summary.strip(), "the summary is empty; say in one sentence what the part does"
        assert not CONTROL.search(summary), f"the summary has control characters or several lines: {summary!r}"
        assert len(summary) <= LONGEST_SUMMARY, f"the summary is longer than {LONGEST_SUMMARY} characters"


class ConfiguredContract(PartContract):
    """The tests of a part that has settings."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Valid settings, with example texts in place of secrets: the suite makes a Secret of each."""
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Settings that are not valid. Unknown and missing settings are tested without being listed here."""
    not_secret: ClassVar[Sequence[str]] = ()
    """Settings that sound like a secret, such as ``token``, but are none."""

    def build_with(self, settings: Mapping[str, Any]) -> Any:
        """What ``build`` returns for these settings, which are valid against the schema."""
        raise NotImplementedError

    @property
    def resolved(self) -> dict[str, Resolved]:
        """The settings as ``build`` gets them."""
        settings: dict[str, Resolved] = at_secrets(self.part.schema, self.settings, Secret)
        return settings

    @property
    def written(self) -> dict[str, Json]:
        """The settings as a webhook file writes them, with references in place of secrets."""
        settings: dict[str, Json] = at_secrets(self.part.schema, self.settings, lambda _: "${env:HOOKCTL_TEST_SECRET}")
        return settings

    @property
    def secrets(self) -> list[str]:
        """The texts of the secrets in the settings."""
        found: list[str] = []
        at_secrets(self.part.schema, self.settings, found.append)
        return found

    def test_schema_is_valid(self) -> None:
        """The schema is a JSON Schema (2020-12) of an object."""
        check_schema(self.part.schema)
        assert self.part.schema.get("type") == "object", 'the schema has no "type": "object"; settings are an object'

    def test_settings_are_described(self) -> None:
        """`hookctl plugins` and editors show a description of each setting."""
        bare = [path for path, schema in properties(self.part.schema) if not str(schema.get("description", "")).strip()]
        assert not bare, f"these settings have no description: {', '.join(bare)}"

    def test_unknown_settings_are_refused(self) -> None:
        """A misspelled setting is a finding only if the schema is closed."""
        error = mistake(self.part.schema, {**self.settings, "misspelled": True})
        assert error, 'the schema accepts an unknown setting; add "additionalProperties": False'

    def test_settings_are_valid(self) -> None:
        """The settings of this suite are valid against the schema, and so are references in place of secrets."""
        error = mistake(self.part.schema, self.settings)
        assert not error, f"the schema rejects `settings` of this suite: {error}"
        error = mistake(self.part.schema, self.written)
        assert not error, f"the schema rejects a secret reference, which an author must write: {error}"

    def test_bad_settings_are_refused(self) -> None:
        """The schema, or ``build`` with an error of hookctl, rejects missing settings and those in ``refused``."""
        required = self.part.schema.get("required", ())
        missing = [{name: value for name, value in self.settings.items() if name != left_out} for left_out in required]
        for settings in (*missing, *self.refused):
            if mistake(self.part.schema, settings):
                continue
            try:
                self.build_with(at_secrets(self.part.schema, settings, Secret))
            except HookctlError as error:
                assert error.message, f"the error about {settings!r} has no message"  # noqa: PT017  # it need not raise
            else:
                raise AssertionError(f"neither the schema nor build rejects {settings!r}")

    def test_secrets_are_declared(self) -> None:
        """A setting that sounds like a secret has ``"x-secret": True``, so that nobody writes it into a file."""
        open_to_all = [
            path
            for path, schema in properties(self.part.schema)
            if SOUNDS_SECRET.search(path.rpartition(".")[2])
            and schema.get("type") == "string"
            and not schema.get("x-secret")
            and path not in self.not_secret
        ]
        hint = 'mark them with "x-secret": True, or list them in not_secret of this suite'
        assert not open_to_all, f"these settings sound like secrets: {', '.join(open_to_all)}; {hint}"


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises AssertionError with jsonschema's own message if ``schema`` is not a JSON Schema (2020-12)."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise AssertionError(f"the schema is not valid at {error.json_path}: {error.message}") from None


def mistake(schema: Mapping[str, Any], value: object) -> str:
    """The message of jsonschema about a value that the schema rejects, with its path; empty if it accepts the value."""
    check_schema(schema)
    error = best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    return f"{error.json_path}: {error.message}" if error else ""


def properties(schema: Mapping[str, Any], path: str = "", seen: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each property in a schema, by its path, also inside objects and lists."""
    if seen > 20:  # a schema may refer to itself
        return
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, inner
        yield from properties(inner, here, seen + 1)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            yield from properties(schema[keyword], f"{path}[]" if keyword == "items" else f"{path}.*", seen + 1)
    for keyword in ("$defs", "anyOf", "oneOf", "allOf"):
        inner = schema.get(keyword, ())
        for one in inner.values() if isinstance(inner, Mapping) else inner:
            if isinstance(one, Mapping):
                yield from properties(one, path, seen + 1)


def at_secrets(schema: Mapping[str, Any], value: Any, replace: Callable[[str], Any]) -> Any:
    """A copy of a value in which ``replace`` was applied to each string that the schema marks as a secret."""
    return _copied([schema], schema, value, replace)


def _copied(schemas: Sequence[Mapping[str, Any]], root: Mapping[str, Any], value: Any, replace: Any) -> Any:
    every = [inner for schema in schemas for inner in _together(schema, root)]
    if isinstance(value, str):
        return replace(value) if any(schema.get("x-secret") for schema in every) else value
    if isinstance(value, Mapping):
        return {name: _copied(_of_property(every, name), root, inner, replace) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        items = [schema["items"] for schema in every if isinstance(schema.get("items"), Mapping)]
        return [_copied(items, root, inner, replace) for inner in value]
    return value


def _together(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema, and those that apply to the same value."""
    yield schema
    reference = str(schema.get("$ref", ""))
    if reference.startswith("#/$defs/"):
        yield from _together(root["$defs"][reference.removeprefix("#/$defs/")], root)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(keyword, ()):
            if isinstance(inner, Mapping):
                yield from _together(inner, root)


def _of_property(schemas: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for schema in schemas:
        inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if isinstance(inner, Mapping):
            found.append(inner)
    return found
