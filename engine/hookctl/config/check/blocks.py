"""Checks the blocks ``auth``, ``transport`` and ``response_validators`` against the schemas of their plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from hookctl.config.check.guarded import guarded
from hookctl.config.check.headers import check_headers
from hookctl.config.check.notes import Notes
from hookctl.config.check.schemas import Annotated, Schema
from hookctl.config.check.secrets import check_secret
from hookctl.errors import TemplateError
from hookctl.model import Json, Pointer, Problem, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.fields import SECRET_MALFORMED, SETTING_INVALID, UNKNOWN_PLUGIN
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import EXPRESSION_INVALID, JSON_PATH_INVALID, VALIDATOR_UNKNOWN_PATH
from hookctl.network import check_url
from hookctl.plugin import AuthType, TransportType, ValidatorType
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import DEFAULT_VALIDATOR

T = TypeVar("T")
_OF_VALIDATORS = (JSON_PATH_INVALID, EXPRESSION_INVALID, VALIDATOR_UNKNOWN_PATH)
"""Rules that an error of a validator plugin can name."""


class Blocks:
    """Checks plugin blocks, and compiles the schema of each plugin only once."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._schemas: dict[tuple[str, str], Schema] = {}
        # Imported here because code that only loads webhooks does not need it, and once because importing it for each
        # of thousands of webhooks takes noticeable time.
        from hookctl.template import blanked

        self._blanked = blanked

    def check(self, notes: Notes) -> None:
        """Add a finding for every problem in the blocks of a webhook, and in its URL."""
        fields = notes.webhook.fields
        for pointer, block in _blocks(fields, "auth"):
            self._check_auth(notes, pointer, block)
        for pointer, block in _blocks(fields, "transport"):
            self._check_block(notes, pointer, block, "transport", self._plugins.transports)
        for pointer, block in _blocks(fields, "response_validators"):
            self._check_validator(notes, pointer, {"type": DEFAULT_VALIDATOR, **block})
        self._check_target(notes)

    def _check_block(
        self, notes: Notes, pointer: Pointer, block: Mapping[str, Json], kind: str, known: Mapping[str, T]
    ) -> T | None:
        """Add findings for what the schema rejects in a block. Returns the block's plugin; None if there is none."""
        name = block.get("type")
        if not isinstance(name, str):
            return None
        plugin = known.get(name)
        if plugin is None:
            fix = (
                f"Use one of: {', '.join(sorted(known))}. `hookctl plugins` lists the installed plugins."
                if known
                else "Install the plugin that adds it."
            )
            fix += self._plugins.failed_hint
            place = (*pointer, "type")
            notes.add(UNKNOWN_PLUGIN, place, suggestions=nearest(name, known), kind=kind, name=brief(name), fix=fix)
            return None
        settings: Json = {key: value for key, value in block.items() if key != "type"}
        schema = guarded(notes, self._plugins, pointer, (kind, name), lambda: self._schema(kind, name, plugin))
        if schema is not None:
            schema.check(notes, settings, pointer)
        return plugin

    def _check_auth(self, notes: Notes, pointer: Pointer, block: Mapping[str, Json]) -> None:
        before = len(notes.findings)
        plugin = self._check_block(notes, pointer, block, "auth", self._plugins.auth)
        if plugin is None or len(notes.findings) > before:
            return
        settings = {key: value for key, value in block.items() if key != "type"}

        def look() -> None:
            problems = plugin.problems(settings) if plugin.problems else {}
            for name, problem in problems.items():
                place = (*pointer, name) if name in settings else pointer
                has_part = problem.end > problem.start and isinstance(settings.get(name), str)
                part = (problem.start, problem.end) if has_part else None
                fix, near = problem.hint, problem.suggestions
                notes.add(SETTING_INVALID, place, part=part, suggestions=near, what=problem.message, fix=fix)
            if plugin.expand and not problems:
                plugin.expand(settings)  # compiling calls it again; here, an exception becomes a finding

        guarded(notes, self._plugins, pointer, ("auth", plugin.name), look)

    def _check_validator(self, notes: Notes, pointer: Pointer, block: Mapping[str, Json]) -> None:
        before = len(notes.findings)
        plugin = self._check_block(notes, pointer, block, "validator", self._plugins.validators)
        if plugin is None:
            return
        settings = {key: value for key, value in block.items() if key != "type"}
        is_valid = len(notes.findings) == before
        if not is_valid and (
            not isinstance(settings.get(plugin.expression), str) or notes.has((*pointer, plugin.expression))
        ):
            return

        def build() -> None:
            try:
                plugin.build(settings)
            except TemplateError as error:
                rule = _rule(error)
                if plugin.expression in settings:
                    place: Pointer = (*pointer, plugin.expression)
                    part = (error.start, error.end)
                    notes.add(rule, place, part=part, what=error.message, fix=error.hint)
                else:
                    notes.add(rule, pointer, what=error.message, fix=error.hint)
            except Exception:
                # With invalid settings, only errors about the expression count: the settings have findings already.
                if is_valid:
                    raise

        guarded(notes, self._plugins, pointer, ("validator", plugin.name), build)

    def _check_target(self, notes: Notes) -> None:
        """Check the URL by the rules of the webhook's transport, or by the usual rules if the transport has none."""
        fields = notes.webhook.fields
        written, transport = fields.get("url"), fields.get("transport")
        url = self._blanked(written) if isinstance(written, str) else None
        if url is None:
            return
        if not isinstance(transport, dict):
            _note_url(notes, ("url",), check_url(url))
        elif isinstance(name := transport.get("type"), str) and name in self._plugins.transports:
            rule = self._plugins.transports[name].check_url or check_url
            guarded(
                notes, self._plugins, ("transport",), ("transport", name), lambda: _note_url(notes, ("url",), rule(url))
            )

    def _schema(self, kind: str, name: str, plugin: object) -> Schema:
        if (kind, name) not in self._schemas:
            schema: Mapping[str, Json] = (
                plugin.schema if isinstance(plugin, AuthType | TransportType | ValidatorType) else {}
            )
            self._schemas[kind, name] = Schema(schema, ANNOTATED)
        return self._schemas[kind, name]


def check_setting_url(notes: Notes, pointer: Pointer, value: Json) -> None:
    """Add findings for a URL that is not allowed. Checks the values that a schema marks with ``x-url``."""
    if isinstance(value, str):
        problems = check_url(value)
        if SECRET_MALFORMED.id in notes.rules(pointer):
            problems = [problem for problem in problems if not value.startswith("${", problem.start)]
        _note_url(notes, pointer, problems)


def _note_url(notes: Notes, pointer: Pointer, problems: Sequence[Problem]) -> None:
    for problem in problems:
        notes.add_problem(problem, pointer)


ANNOTATED: Annotated = {"x-secret": check_secret, "x-url": check_setting_url, "x-headers": check_headers}
"""The annotations in the schemas of plugins, and the check for the values that each marks."""


def _blocks(fields: Mapping[str, Json], field: str) -> Iterator[tuple[Pointer, Mapping[str, Json]]]:
    """The place and content of each block in a field, which is a block or a list of blocks."""
    value = fields.get(field)
    if isinstance(value, dict):
        yield (field,), value
    elif isinstance(value, list):
        yield from (((field, index), item) for index, item in enumerate(value) if isinstance(item, dict))


def _rule(error: TemplateError) -> Rule:
    """The rule that a validator's error names; EXPRESSION_INVALID if it does not name a rule for validators."""
    return next((rule for rule in _OF_VALIDATORS if rule.id == error.rule), EXPRESSION_INVALID)
