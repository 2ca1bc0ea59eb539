"""Event types that files define, as an apply keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from hookctl.model.delivery_plan import canonical_json
from hookctl.model.source import Json


@dataclass(frozen=True, slots=True)
class DefinedType:
    """An event type that a file in ``events.d`` defines: its name, and the JSON Schema of its events."""

    name: str
    schema: Mapping[str, Json]
    """Its first example is the mock event."""

    digest: str = field(init=False, compare=False)
    """SHA-256 of the schema's canonical JSON, in hex."""

    def __post_init__(self) -> None:
        """Compute the digest."""
        object.__setattr__(self, "digest", hashlib.sha256(self.canonical()).hexdigest())

    @property
    def summary(self) -> str:
        """What the schema says about the type; empty if it says nothing."""
        found = self.schema.get("description") or self.schema.get("title")
        return found if isinstance(found, str) else ""

    @property
    def mock(self) -> Mapping[str, Json]:
        """The first example; empty without one."""
        examples = self.schema.get("examples")
        first = examples[0] if isinstance(examples, list) and examples else None
        return first if isinstance(first, dict) else {}

    def canonical(self) -> bytes:
        """Canonical JSON of the schema, by which it is stored and compared."""
        return canonical_json(dict(self.schema))


@dataclass(frozen=True, slots=True)
class TypeChange:
    """The change of one event type: ``before`` is None for a new one, ``after`` for one that is removed."""

    name: str
    before: DefinedType | None
    after: DefinedType | None


def type_changes(
    before: Mapping[str, DefinedType], after: Mapping[str, DefinedType]
) -> tuple[tuple[TypeChange, ...], dict[str, str]]:
    """The changes in order of name, and the digests of the event types that stay as they are."""
    changes, unchanged = [], {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old and new and old.digest == new.digest:
            unchanged[name] = old.digest
        else:
            changes.append(TypeChange(name, old, new))
    return tuple(changes), unchanged
