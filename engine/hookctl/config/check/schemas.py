"""Turns JSON Schema errors into findings, for hookctl's schema of a webhook and for the schemas of plugins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hookctl._version import __version__
from hookctl.config.check.notes import Notes, listed, place_name, shown
from hookctl.model import MASK, Json, Pointer, brief
from hookctl.model.nearest import nearest
from hookctl.model.rules.fields import (
    MISSING_FIELD,
    NAME_INVALID,
    OUT_OF_RANGE,
    UNKNOWN_FIELD,
    UNSUPPORTED_VERSION,
    WRONG_FORMAT,
    WRONG_TYPE,
    WRONG_VALUE,
)
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import EXPECTED_VALUES_EMPTY

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

Look = Callable[[Notes, Pointer, Json], None]
Annotated = Mapping[str, Look]
"""The extra checks for values whose schema has an annotation such as ``x-secret``, by the name of the annotation."""

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_LIMITS = {
    "minimum": "must be at least {limit}",
    "exclusiveMinimum": "must be greater than {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "minLength": "must have at least {limit} character(s)",
    "maxLength": "must have at most {limit} character(s)",
    "minItems": "must have at least {limit} item(s)",
    "maxItems": "must have at most {limit} item(s)",
    "minProperties": "must have at least {limit} key(s)",
    "maxProperties": "must have at most {limit} key(s)",
}
_MISSPELLED = 50
"""Maximum number of unknown fields of one mapping to find suggestions for: more are rarely typos, and the search is
slow."""


class Schema:
    """A compiled JSON Schema that reports what it rejects as findings."""

    def __init__(self, schema: Mapping[str, Json], annotated: Annotated) -> None:
        """Raises ValueError if ``schema`` is not a valid JSON Schema."""
        import jsonschema_rs

        self._schema = schema
        self._annotated = annotated
        self._marked = _marked(schema, annotated)
        # The validator treats each annotation as an error, so that it finds the marked values even through $ref, anyOf
        # and additionalProperties.
        keywords = {name: _annotation(name) for name in annotated}
        self._validator: Draft202012Validator = jsonschema_rs.Draft202012Validator(
            dict(schema), keywords=keywords, offline=True
        )
        self._without_annotations: Draft202012Validator = (
            jsonschema_rs.Draft202012Validator(dict(schema), offline=True) if self._marked else self._validator
        )

    def check(self, notes: Notes, value: Json, pointer: Pointer = ()) -> None:
        """Add a finding for everything that the schema rejects in ``value``, which is at ``pointer``."""
        # For a valid value, `is_valid` is many times faster than `iter_errors`.
        if self._marked is not None and isinstance(value, dict) and self._without_annotations.is_valid(value):
            for name, look in self._marked:
                if name in value:
                    look(notes, (*pointer, name), value[name])
            return
        errors = list(self._validator.iter_errors(value))
        meant: set[Pointer] = set()
        for error in errors:
            if error.kind.name == "additionalProperties":
                meant |= self._note_unknown(notes, error, (*pointer, *_place(error, value)))
        for error in errors:
            if error.kind.name != "additionalProperties":
                self._note(notes, error, value, pointer, meant)

    def _note(self, notes: Notes, error: ValidationError, root: Json, prefix: Pointer, meant: set[Pointer]) -> None:
        kind: Any = error.kind
        pointer: Pointer = (*prefix, *_place(error, root))
        if kind.name in self._annotated:
            self._annotated[kind.name](notes, pointer, cast("Json", error.instance))
        elif kind.name == "additionalProperties":
            self._note_unknown(notes, error, pointer)
        elif kind.name == "required":
            place = (*pointer, kind.property)
            if place not in meant:
                advice = self._advice((*error.schema_path[:-1], "properties", kind.property))
                notes.add(MISSING_FIELD, place, at_key=True, name=kind.property, advice=advice)
        elif kind.name in ("anyOf", "oneOf") and any(getattr(kind, "context", ())):
            for inner in _likeliest(kind.context):
                self._note(notes, inner, root, prefix, meant)
        elif not notes.has(pointer):  # a second error about a value usually follows from the first
            self._note_value(notes, error, pointer)

    def _note_value(self, notes: Notes, error: ValidationError, pointer: Pointer) -> None:
        """Add a finding for one value that the schema rejects.

        The finding never shows a value that should be secret.
        """
        path = error.schema_path[:-1]
        value = cast("Json", error.instance)
        refusal = _refusal(error, MASK if self._at(path).get("x-secret") else shown(value))
        place = place_name(pointer[:-1] if error.kind.name == "propertyNames" else pointer)
        if pointer == ("version",):
            refusal = Refusal(UNSUPPORTED_VERSION, fields={"version": __version__, "given": shown(value)})
        elif error.kind.name == "minItems" and pointer[-1:] == ("expected_values",):
            refusal = Refusal(EXPECTED_VALUES_EMPTY)
        elif pointer == ("body_template",) and isinstance(value, (dict, list)):
            refusal = refusal._replace(variant="body")
        elif pointer == ("name",) and refusal.rule is not WRONG_TYPE:
            what, _ = refusal.rule.texts(refusal.variant, place="name", advice="", **refusal.fields)
            refusal = Refusal(NAME_INVALID, fields={"what": what})
        fields: dict[str, Any] = {"place": place, "advice": self._advice(path), **refusal.fields}
        notes.add(
            refusal.rule,
            pointer,
            refusal.variant,
            at_key=error.kind.name == "propertyNames",
            suggestions=refusal.suggestions,
            **fields,
        )

    def _note_unknown(self, notes: Notes, error: ValidationError, pointer: Pointer) -> set[Pointer]:
        """Add findings for fields that the schema does not know.

        Returns the places of the fields that were probably meant, so that they are not reported as missing.
        """
        present = cast("dict[str, Json]", error.instance)
        known = [name for name in self._at(error.schema_path[:-1]).get("properties", {}) if name not in present]
        where = f" in `{place_name(pointer)}`" if pointer else ""
        meant: set[Pointer] = set()
        for number, name in enumerate(error.kind.unexpected):  # type: ignore[attr-defined]  # errors of this kind have it
            suggestions = nearest(name, known) if number < _MISSPELLED else ()
            fix = "Rename it, or remove it." if suggestions else "Remove it."
            if known and not suggestions:
                fix = f"Remove it, or write one of: {', '.join(known)}."
            meant |= {(*pointer, suggestion) for suggestion in suggestions[:1]}
            place = (*pointer, name)
            notes.add(
                UNKNOWN_FIELD, place, at_key=True, suggestions=suggestions, name=brief(name), where=where, fix=fix
            )
        return meant

    def _advice(self, schema_path: Sequence[str | int]) -> str:
        """What the schema itself says about a place: its description and an example."""
        schema = self._at(schema_path)
        description = str(schema.get("description", "")).rstrip(".")
        example = next(iter(schema.get("examples", ())), None)
        sentences = [description] if description else []
        if example is not None:
            sentences.append(f"For example: {shown(example)}")
        return ". ".join(sentences or ["See the schema of this field"]) + "."

    def _at(self, schema_path: Sequence[str | int]) -> dict[str, Any]:
        place: Any = self._schema
        for part in schema_path:
            try:
                place = place[part]
            except (KeyError, IndexError, TypeError):
                return {}
        return place if isinstance(place, dict) else {}


def _marked(schema: Mapping[str, Json], annotated: Annotated) -> Sequence[tuple[str, Look]] | None:
    """The annotated properties at the top level of the schema, and their checks.

    Returns None if the schema may contain annotations at deeper levels too, because only the validator finds those.
    """
    if not _mentions(schema, annotated):
        return ()
    properties = schema.get("properties")
    parts = properties if isinstance(properties, dict) else {}
    marked: list[tuple[str, Look]] = []
    rest: dict[str, Json] = {}
    for name, part in parts.items():
        own = part if isinstance(part, dict) else {}
        marked += [(name, look) for annotation, look in annotated.items() if own.get(annotation) is True]
        rest[name] = {key: value for key, value in own.items() if key not in annotated}
    if _mentions({**schema, "properties": rest}, (*annotated, "$ref", "$dynamicRef")):
        return None
    return marked


def _place(error: ValidationError, root: Json) -> Pointer:
    """The place of an error in ``root``. An error about a mapping's keys is at the key that it rejects.

    The validator gives keys such as ``404`` as numbers.
    """
    kind: Any = error.kind
    place: list[str | int] = []
    value: Any = root
    for part in error.instance_path:
        place.append(part if isinstance(value, list) else str(part))
        value = value[place[-1]]
    return (*place, kind.error.instance) if kind.name == "propertyNames" else tuple(place)


def _mentions(schema: Mapping[str, Any], words: Iterable[str]) -> bool:
    text = json.dumps(schema)
    return any(f'"{word}"' in text for word in words)


def _annotation(name: str) -> type[Any]:
    class Annotation:
        def __init__(self, _parent: object, value: object, _path: object) -> None:
            self._counts = value is True

        def validate(self, _instance: object) -> None:
            if self._counts:
                raise ValueError(name)

    return Annotation


def _likeliest(branches: Sequence[Sequence[ValidationError]]) -> Sequence[ValidationError]:
    """The errors of the alternative that the value was probably meant for.

    This is the alternative with the fewest errors of type or choice, and among those the one with the fewest errors.
    """
    return min(
        branches,
        key=lambda errors: (sum(error.kind.name in ("type", "const", "enum") for error in errors), len(errors)),
    )


class Refusal(NamedTuple):
    """The rule that a value breaks, and the values for the placeholders in its message."""

    rule: Rule
    variant: str = ""
    fields: Mapping[str, Any] = {}
    suggestions: Sequence[str] = ()


_OF_KEYWORD = {
    "uniqueItems": Refusal(WRONG_VALUE, "repeated"),
}
"""Keywords whose message is always the same."""


def _refusal(error: ValidationError, given: str) -> Refusal:
    """The rule that a value breaks, by the keyword of the schema. ``given`` is the value as messages show it."""
    kind: Any = error.kind
    value = cast("Json", error.instance)
    match kind.name:
        case "type":
            types = listed(_TYPES.get(name, name) for name in kind.types)
            return Refusal(WRONG_TYPE, fields={"types": types, "given": _described(value, given)})
        case "enum" | "const" as keyword:
            options = kind.options if keyword == "enum" else [kind.expected_value]
            allowed = listed(option if isinstance(option, str) else shown(option) for option in options)
            near = nearest(value, (option for option in options if isinstance(option, str)))
            return Refusal(WRONG_VALUE, fields={"options": allowed, "given": given}, suggestions=near)
        case "pattern" | "format":
            return Refusal(WRONG_FORMAT, fields={"given": given})
        case "propertyNames":
            return Refusal(WRONG_FORMAT, "key", {"given": shown(kind.error.instance)})
        case keyword if keyword in _LIMITS:
            return Refusal(OUT_OF_RANGE, fields={"limit": _LIMITS[keyword].format(limit=kind.limit)})
        case keyword:
            return _OF_KEYWORD.get(keyword) or Refusal(WRONG_VALUE, "other", {"keyword": keyword})


def _described(value: Json, given: str) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return f"text ({given})" if isinstance(value, str) else given
