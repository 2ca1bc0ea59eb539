"""Which fields of an event are personal data: those that the schema of its type marks with ``x-personal``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from hookctl.json.paths import ANY, Step
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json

MARK = "x-personal"
_STEP = re.compile(r'\.?(?P<key>[^.\[\]]+)|\[(?P<index>\*|[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def personal_among(schema: Mapping[str, Json], fields: Iterable[str]) -> tuple[str, ...]:
    """Those of ``fields`` that are personal data, in their order. What is below a marked object or list counts too.

    ``fields`` are paths as :func:`hookctl.template.paths_of` returns them: ``data.groups[*].name``.
    """
    event = EventShape(schema)
    return tuple(field for field in fields if _is_personal(event, field))


def _is_personal(event: EventShape, field: str) -> bool:
    shape = event.root
    for step in _steps(field):
        following = event.items(shape) if step is ANY else event.step(shape, step)
        if not isinstance(following, Shape):
            return False
        if any(schema.get(MARK) is True for schema in following.schemas):
            return True
        shape = following
    return False


def _steps(field: str) -> Iterator[Step | None]:
    for match in _STEP.finditer(field):
        if match["index"]:
            yield ANY if match["index"] == "*" else int(match["index"])
        else:
            yield json.loads(match["quoted"]) if match["quoted"] else match["key"]
