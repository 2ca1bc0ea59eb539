"""JSON Schema errors to findings: hookctl's own schema of a webhook and those that plugins give for their blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from hookctl._version import __version__
from hookctl.config.check.notes import Notes, listed, place_name, shown
from hookctl.model import MASK, Json, Pointer, brief
from hookctl.model.nearest import nearest

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

Look = Callable[[Notes, Pointer, Json], None]
Annotated = Mapping[str, Look]
"""What looks at a value whose schema has an annotation such as ``x-secret``, by the annotation's name."""

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
"""Unknown fields of one mapping that suggestions are sought for: more are no misspellings, and the search takes its time."""


class Schema:
    """A JSON Schema that was compiled once, and says what it refuses as findings."""

    def __init__(self, schema: Mapping[str, Json], annotated: Annotated) -> None:
        """Raises ValueError for a schema that is none."""
        import jsonschema_rs

        self._schema = schema
        self._annotated = annotated
        self._marked = _marked(schema, annotated)
        # An annotation counts as an error of its place, so that it is found through any $ref, anyOf or additionalProperties.
        keywords = {name: _annotation(name) for name in annotated}
        self._validator: Draft202012Validator = jsonschema_rs.Draft202012Validator(
            dict(schema), keywords=keywords, offline=True
        )
        self._without_annotations: Draft202012Validator = (
            jsonschema_rs.Draft202012Validator(dict(schema), offline=True) if self._marked else self._validator
        )

    def check(self, notes: Notes, value: Json, pointer: Pointer = ()) -> None:
        """Note everything that the schema refuses in ``value``, which stands at ``pointer``."""
        if (
            self._marked is not None and isinstance(value, dict) and self._without_annotations.is_valid(value)
        ):  # many times as fast as to ask for errors
            for name, look in self._marked:
                if name in value:
                    look(notes, (*pointer, name), value[name])
            return
        errors = list(self._validator.iter_errors(value))
        meant: set[Pointer] = set()
        for error in errors:
            if error.kind.name == "additionalProperties":
                meant |= self._note_unknown(notes, error, (*pointer, *error.instance_path))
        for error in errors:
            if error.kind.name != "additionalProperties":
                self._note(notes, error, pointer, meant)

    def _note(self, notes: Notes, error: ValidationError, prefix: Pointer, meant: set[Pointer]) -> None:
        kind: Any = error.kind
        pointer: Pointer = (*prefix, *error.instance_path)
        if kind.name in self._annotated:
            self._annotated[kind.name](notes, pointer, cast("Json", error.instance))
        elif kind.name == "additionalProperties":
            self._note_unknown(notes, error, pointer)
        elif kind.name == "required":
            place = (*pointer, kind.property)
            if place not in meant:
                advice = self._advice((*error.schema_path[:-1], "properties", kind.property))
                notes.add("missing-field", f"`{kind.property}` is missing", advice, place, at_key=True)
        elif kind.name in ("anyOf", "oneOf") and any(getattr(kind, "context", ())):
            for inner in _likeliest(kind.context):
                self._note(notes, inner, prefix, meant)
        elif not notes.has(pointer):  # a second error of one value follows from the first
            schema = self._at(error.schema_path[:-1])
            rule, message, suggestions = _refusal(error, pointer, secret=bool(schema.get("x-secret")))
            at_key = kind.name == "propertyNames"
            notes.add(
                rule, message, self._advice(error.schema_path[:-1]), pointer, at_key=at_key, suggestions=suggestions
            )

    def _note_unknown(self, notes: Notes, error: ValidationError, pointer: Pointer) -> set[Pointer]:
        """Note fields that the schema does not know. Gives the places of those that were most likely meant: they are not missing, too."""
        present = cast("dict[str, Json]", error.instance)
        known = [name for name in self._at(error.schema_path[:-1]).get("properties", {}) if name not in present]
        where = f" in `{place_name(pointer)}`" if pointer else ""
        meant: set[Pointer] = set()
        for number, name in enumerate(error.kind.unexpected):  # type: ignore[attr-defined]  # this kind has it
            suggestions = nearest(name, known) if number < _MISSPELLED else ()
            hint = (
                f"Remove it, or write one of: {', '.join(known)}."
                if known and not suggestions
                else "Rename it, or remove it."
                if known
                else "Remove it."
            )
            meant |= {(*pointer, suggestion) for suggestion in suggestions[:1]}
            notes.add(
                "unknown-field",
                f"there is no field `{brief(name)}`{where}",
                hint,
                (*pointer, name),
                at_key=True,
                suggestions=suggestions,
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
    """The schema's own properties with an annotation, and who looks at them; None where there may be annotations elsewhere, too."""
    if not _mentions(schema, annotated):
        return ()
    properties = schema.get("properties")
    parts = {
        name: part
        for name, part in (properties.items() if isinstance(properties, dict) else ())
        if isinstance(part, dict)
    }
    without = {
        name: {key: value for key, value in part.items() if key not in annotated} for name, part in parts.items()
    }
    if _mentions({**schema, "properties": without}, (*annotated, "$ref", "$dynamicRef")):
        return None
    return [
        (name, look)
        for name, part in parts.items()
        for annotation, look in annotated.items()
        if part.get(annotation) is True
    ]


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
    """Of the alternatives that a value missed, the one that it was most likely meant for: right type first, then the fewest errors."""
    return min(
        branches,
        key=lambda errors: (sum(error.kind.name in ("type", "const", "enum") for error in errors), len(errors)),
    )


def _refusal(error: ValidationError, pointer: Pointer, *, secret: bool) -> tuple[str, str, Sequence[str]]:
    """Rule, message and suggestions for one value that the schema refuses. Never repeats a value that should be secret."""
    kind: Any = error.kind
    value = cast("Json", error.instance)
    given = MASK if secret else shown(value)
    what = f"`{place_name(pointer)}`"
    suggestions: Sequence[str] = ()
    if kind.name == "type":
        rule, message = (
            "wrong-type",
            f"{what} must be {listed(_TYPES.get(name, name) for name in kind.types)}, not {_described(value, given)}",
        )
    elif kind.name in ("enum", "const"):
        options = kind.options if kind.name == "enum" else [kind.expected_value]
        rule, message = (
            "wrong-value",
            f"{what} must be {listed(option if isinstance(option, str) else shown(option) for option in options)}, not {given}",
        )
        suggestions = nearest(value, (option for option in options if isinstance(option, str)))
    elif kind.name == "minItems" and pointer[-1:] == ("expected_values",):
        rule, message = "expected-values-empty", "no value is expected, so no response could be accepted"
    elif kind.name in _LIMITS:
        rule, message = "out-of-range", f"{what} {_LIMITS[kind.name].format(limit=kind.limit)}"
    elif kind.name in ("pattern", "format"):
        rule, message = "wrong-format", f"{what} has the wrong form: {given}"
    elif kind.name == "propertyNames":
        rule, message = "wrong-format", f"a key in {what} has the wrong form"
    elif kind.name == "uniqueItems":
        rule, message = "wrong-value", f"{what} holds an item twice"
    else:
        rule, message = "wrong-value", f"{what} is refused by its schema ({kind.name})"
    if pointer == ("name",) and kind.name != "type":
        rule = "name-invalid"
    elif pointer == ("version",):
        rule, message = "unsupported-version", f"hookctl {__version__} reads version 1 of this format, not {given}"
    return rule, message, suggestions


def _described(value: Json, given: str) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return f"text ({given})" if isinstance(value, str) else given
