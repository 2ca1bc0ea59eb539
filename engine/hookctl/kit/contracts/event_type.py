"""The contract of an event type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from hookctl.kit.contracts.part import PartContract, check_schema, mistake, properties

FIELDS = ("id", "event_type", "event_time", "data")
"""The fields of every event."""
LARGEST_MOCK = 64 * 1024


class EventTypeContract(PartContract):
    """The tests of an event type. Set ``name``, and list events that are not valid in ``refused``."""

    hook = "hookctl_event_types"
    what = "event type"
    refused: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Events that the schema must reject. Events without ``data``, and of another type, are tested anyway."""

    def test_schema_is_valid(self) -> None:
        """The schema is a JSON Schema (2020-12) of an event."""
        check_schema(self.part.schema)
        described = self.part.schema.get("properties", {})
        missing = [name for name in FIELDS if name not in described]
        assert not missing, f"the schema does not describe {', '.join(missing)}; it is of the whole event"
        optional = [name for name in FIELDS if name not in self.part.schema.get("required", ())]
        assert not optional, f"the schema does not require {', '.join(optional)}, which every event has"

    def test_fields_are_described(self) -> None:
        """`hookctl schema event` shows a description of each field."""
        bare = [path for path, schema in properties(self.part.schema) if not str(schema.get("description", "")).strip()]
        assert not bare, f"these fields have no description: {', '.join(bare)}"

    def test_mock_is_valid(self) -> None:
        """The mock event is one that a publisher could send: valid, of this type, and JSON."""
        error = mistake(self.part.schema, self.part.mock)
        assert not error, f"the mock event is not valid: {error}"
        assert self.part.mock["event_type"] == self.part.name, (
            f"the mock event is of the type {self.part.mock['event_type']!r}, not {self.part.name!r}"
        )
        try:
            text = json.dumps(self.part.mock, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise AssertionError(f"the mock event is not JSON: {error}") from None
        assert json.loads(text) == self.part.mock, "the mock event is not JSON: it changes when it is written and read"
        assert len(text) <= LARGEST_MOCK, f"the mock event has {len(text):,} characters; an example is smaller"

    def test_mock_has_every_field(self) -> None:
        """The mock event has each field, so that a preview shows what a template makes of it."""
        missing = [*_missing(self.part.schema, self.part.mock)]
        assert not missing, f"the mock event has no {', '.join(missing)}"

    def test_other_events_are_refused(self) -> None:
        """An event without ``data`` or of another type is not valid, and neither is any in ``refused``."""
        mock = dict(self.part.mock)
        without = {name: value for name, value in mock.items() if name != "data"}
        for event in (without, {**mock, "event_type": f"not.{self.part.name}"}, {**mock, "data": None}, *self.refused):
            assert mistake(self.part.schema, event), f"the schema accepts {json.dumps(event)[:200]}"

    def test_objects_are_open(self) -> None:
        """A publisher can add fields before the schema has them."""
        for path, schema in [("the event", self.part.schema), *properties(self.part.schema)]:
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                assert schema.get(keyword) is not False, f"{path} is closed by {keyword}: a new field is an error"

    def test_time_is_a_number(self) -> None:
        """``event_time`` is a number of seconds since 1970, as in every other event type."""
        kind = self.part.schema["properties"]["event_time"].get("type")
        assert kind in {"number", "integer"}, f"event_time is of the type {kind!r}, not number"

    def test_patterns_are_regular_expressions(self) -> None:
        """A pattern that cannot be read is found here, and not by the first event."""
        for path, schema in properties(self.part.schema):
            if "pattern" in schema:
                try:
                    re.compile(schema["pattern"])
                except re.error as error:
                    raise AssertionError(f"the pattern of {path} is not a regular expression: {error}") from None


def _missing(schema: Mapping[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """The paths of the properties that an object does not have, also inside objects and the first items of lists."""
    if isinstance(value, Mapping):
        for name, inner in schema.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            if name in value:
                yield from _missing(inner, value[name], here)
            else:
                yield here
    elif isinstance(value, list) and value and isinstance(schema.get("items"), Mapping):
        yield from _missing(schema["items"], value[0], f"{path}[0]")
