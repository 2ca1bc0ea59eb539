"""``json_schema``: the body must be JSON that a JSON Schema accepts.

Both the schema and the body are untrusted. The library evaluates each schema as often as others refer to it, and each
for every value that it applies to, so the product is computed first: it can be exponential in the size of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from hookctl.bounded import Budget
from hookctl.bounded.budget import TEXT_SHIFT
from hookctl.errors import BudgetError, TemplateError
from hookctl.json.paths import path_text
from hookctl.model import Json, Mismatch, Pointer
from hookctl.model.rules.texts import EXPRESSION_INVALID
from hookctl_plugins.validator.expected import kept, shown
from hookctl_plugins.validator.labels import schema_label
from hookctl_plugins.validator.schema_parts import Part, SchemaRefusedError, Schemas, check_size, size

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

    from hookctl.plugin import Envelope, Validate

PATTERN_MEMORY = 20_000
"""The memory for a regular expression of a schema, in bytes. The engine is linear; the slowest take 2 microseconds for
a character."""
EVALUATIONS_SHIFT = 3
"""Eight evaluations of a schema count as one step."""
PATTERN_COST = 16
"""The evaluations that a regular expression costs for each character: two steps."""
COMPARING = frozenset({"const", "enum", "uniqueItems"})
"""Keywords that compare complete values."""
NAMING = ("required", "properties", "dependentRequired")
"""Keywords with a name that is looked up in each object."""
NO_MATCH = "the body does not match the schema"
TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
MOST = 1 << 40
"""Counts are cut here, so that they remain small numbers."""
MAX_EXPLAINED = 1000
"""The evaluations up to which the reason of a failure is looked for among alternatives. Each can take 50 microseconds,
because the library describes the failure of each."""
MAX_EXPLAINED_VALUES = 100_000
"""The evaluations times the values of the body up to which it is."""


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``schema``.

    Raises:
        TemplateError: It is not a valid JSON Schema, or one that costs too much or refers to others.
    """
    schema = cast("dict[str, Json]", settings["schema"])
    try:
        check_size(schema)
        schemas = Schemas(schema)
        validator = _compiled(schema)
    except SchemaRefusedError as problem:
        raise _refusal(str(problem), problem.pointer, problem.hint) from None
    label = schema_label(settings)

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        if unread := envelope.problem or envelope.not_json:
            return (Mismatch(label, f"the body cannot be checked: {unread}", "$.data"),)
        try:
            count = _Counter(schemas, envelope.budget).count(schemas.root, envelope.data)
            envelope.budget.spend(count >> EVALUATIONS_SHIFT)
        except BudgetError as error:
            message = f"the body cannot be checked with this schema: {error.message}"
            return (Mismatch(label, message, "$.data"),)
        except RecursionError:
            return (Mismatch(label, "the body cannot be checked with this schema: it is nested too deeply", "$.data"),)
        if validator.is_valid(envelope.data):
            return ()
        if schemas.has_alternatives and (count > MAX_EXPLAINED or count * size(envelope.data) > MAX_EXPLAINED_VALUES):
            return (Mismatch(label, NO_MATCH, "$.data", None, kept(envelope.data)),)
        return (_mismatch(label, validator, envelope.data),)

    return validate


def _compiled(schema: dict[str, Json]) -> Validator:
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions(size_limit=PATTERN_MEMORY, dfa_size_limit=5 * PATTERN_MEMORY)
    try:
        return jsonschema_rs.validator_for(
            schema, pattern_options=options, offline=True, validate_formats=False, mask="it"
        )
    except jsonschema_rs.ValidationError as error:
        steps, value = _place(error, schema)
        if error.kind.name == "format":  # the only format in the schema of schemas that is checked
            what = "not a regular expression that schemas support, or too large a one"
            hint = "Look-around and back references are not available, because their cost has no bound."
            raise SchemaRefusedError(what, tuple(steps), hint) from None
        message = error.message  # its subject is "it", unless it is about a reference and names that
        what, hint = _cut(shown(value) + message[2:] if message.startswith("it ") else message), "See json-schema.org."
        if steps[-1:] == ["type"]:
            what, hint = f"{shown(value)} is not a type", f"Write one of: {', '.join(TYPES)}."
        raise SchemaRefusedError(f"not a valid JSON Schema: {what}", tuple(steps), hint) from None
    except (ValueError, RecursionError) as error:
        raise SchemaRefusedError(f"not a valid JSON Schema: {_cut(str(error))}", (), "See json-schema.org.") from None


class _Counter:
    """Counts how many evaluations of schemas one value takes, at least as many as the library makes.

    Each pair of a schema and a value is counted once, and multiplied where it occurs again.
    """

    def __init__(self, schemas: Schemas, budget: Budget) -> None:
        self._schemas = schemas
        self._budget = budget
        self._known: dict[tuple[int, int], int] = {}

    def count(self, schema: Json, value: Json) -> int:
        """The evaluations of ``schema`` for ``value``. Raises BudgetError if no step is left."""
        self._budget.spend(1)
        if not isinstance(schema, dict):
            return 1
        key = (id(schema), id(value))
        if key in self._known:
            return self._known[key]
        total = 1 + self._own(schema, value)
        inner = self._schemas.inner(schema)
        self._budget.spend(len(inner))  # each must be looked at, even if it does not apply to the value
        for part in inner:
            total += sum(self.count(part.schema, item) for item in _values(part, value))
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            total *= 1 + (len(value) if isinstance(value, dict | list) else 0)
        self._known[key] = min(total, MOST)
        return self._known[key]

    def _own(self, schema: Mapping[str, Json], value: Json) -> int:
        """What the keywords of a schema itself cost, in evaluations."""
        enum, patterns = schema.get("enum"), schema.get("patternProperties")
        options = len(enum) if isinstance(enum, list) else 1
        cost = options + sum(len(part) for name in NAMING if isinstance(part := schema.get(name), dict | list))
        if isinstance(value, str):
            cost += len(value) >> TEXT_SHIFT
            if "pattern" in schema:
                cost += PATTERN_COST * len(value)
        elif isinstance(value, dict) and isinstance(patterns, dict):
            cost += PATTERN_COST * len(patterns) * sum(map(len, value))
        if isinstance(value, dict | list) and not COMPARING.isdisjoint(schema):
            self._budget.weigh(value)
            cost += options * size(value)
        return cost


def _values(part: Part, value: Json) -> Iterator[Json]:
    """The values that a part of a schema applies to, or may apply to."""
    if part.is_same:
        yield value
    elif isinstance(value, dict):
        if part.keyword == "properties":
            name = part.pointer[-1]
            if name in value:
                yield value[name]
        elif part.keyword == "propertyNames":
            yield from value
        elif part.keyword in {"patternProperties", "additionalProperties", "unevaluatedProperties"}:
            yield from value.values()
    elif isinstance(value, list) and part.keyword in {
        "items",
        "prefixItems",
        "additionalItems",
        "contains",
        "unevaluatedItems",
    }:
        yield from value


def _mismatch(label: str, validator: Validator, data: Json) -> Mismatch:
    import jsonschema_rs

    try:
        validator.validate(data)
    except jsonschema_rs.ValidationError as error:
        steps, value = _place(error, data)
        place = path_text("$.data", steps)
        return Mismatch(label, f"{place} is {shown(value)}: {_cut(error.message)}", place, None, kept(value))
    return Mismatch(label, NO_MATCH, "$.data", None, kept(data))


def _place(error: ValidationError, data: Json) -> tuple[list[str | int], Json]:
    """The steps to the value that is refused, and the value. The library gives keys such as ``404`` as numbers."""
    steps: list[str | int] = []
    value: Any = data
    for part in error.instance_path:
        steps.append(part if isinstance(value, list) else str(part))
        value = value[steps[-1]]
    return steps, value


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _refusal(message: str, pointer: Pointer, hint: str) -> TemplateError:
    error = EXPRESSION_INVALID.error(0, 0, what=message, fix=hint)
    error.pointer = pointer
    return error
