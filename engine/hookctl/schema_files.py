"""Finds the JSON Schemas that hookctl ships: in a wheel inside the package, in a checkout at the top level."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from hookctl.model import Json


def schema_path(name: str) -> Path:
    """The file of a schema such as ``webhook.schema.json`` or ``events/anomaly.schema.json``.

    Raises:
        FileNotFoundError: no such schema is shipped.
    """
    package = Path(__file__).parent
    for directory in (package / "schemas", package.parent.parent / "schemas"):
        path = directory / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"hookctl ships no schema {name}")


def read_schema(name: str) -> dict[str, Json]:
    """The schema of that name, parsed. Raises FileNotFoundError as :func:`schema_path` does."""
    return cast("dict[str, Json]", json.loads(schema_path(name).read_text(encoding="utf-8")))
