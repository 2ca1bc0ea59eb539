"""Which fields of an event are personal data: those that the schema of its type marks with ``x-personal``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hookctl.json.paths import ANY, steps_of
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json

MARK = "x-personal"


def personal_among(schema: Mapping[str, Json], fields: Iterable[str]) -> tuple[str, ...]:
    """Those of ``fields`` that are personal data, in their order. What is below a marked object or list counts too.

    ``fields`` are paths as :func:`hookctl.template.paths_of` returns them: ``data.groups[*].name``.
    """
    event = EventShape(schema)
    return tuple(field for field in fields if _is_personal(event, field))


def _is_personal(event: EventShape, field: str) -> bool:
    shape = event.root
    for step in steps_of(field):
        following = event.items(shape) if step is ANY else event.step(shape, step)
        if not isinstance(following, Shape):
            return False
        if any(schema.get(MARK) is True for schema in following.schemas):
            return True
        shape = following
    return False
