"""Finds the JSON Schemas that hookctl ships: inside the package in a wheel, at the top level in a checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from hookctl.model import Json


def schema_path(name: str) -> Path:
    """The path of a schema such as ``webhook.schema.json`` or ``events/anomaly.schema.json``.

    Raises:
        FileNotFoundError: hookctl ships no such schema.
    """
    package = Path(__file__).parent
    for directory in (package / "schemas", package.parent.parent / "schemas"):
        path = directory / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"hookctl ships no schema {name}")


def read_schema(name: str) -> dict[str, Json]:
    """The parsed schema of that name. Raises FileNotFoundError as :func:`schema_path` does."""
    return cast("dict[str, Json]", json.loads(schema_path(name).read_text(encoding="utf-8")))
