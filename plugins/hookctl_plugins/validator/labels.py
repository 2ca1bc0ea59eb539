"""The labels of validators: what distinguishes one from others of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.model import Json

MAX_TITLE = 80


def exists_label(settings: Mapping[str, Json]) -> str:
    """``exists $.data.id``, or ``exists $.data.errors (absent)``."""
    return f"exists {settings['json_path']}{_absent(settings)}"


def header_label(settings: Mapping[str, Json]) -> str:
    """``header x-result``."""
    return f"header {str(settings['name']).lower()}"


def regex_label(settings: Mapping[str, Json]) -> str:
    """``regex ^ok``, ``regex ^ok in x-result``, or ``regex error (absent)``."""
    place = f" in {str(settings['header']).lower()}" if "header" in settings else ""
    return f"regex {settings['pattern']}{place}{_absent(settings)}"


def schema_label(settings: Mapping[str, Json]) -> str:
    """``json_schema``, with the title of the schema if it has one."""
    schema = settings.get("schema")
    title = schema.get("title") if isinstance(schema, dict) else None
    return f"json_schema {title[:MAX_TITLE]}" if isinstance(title, str) else "json_schema"


def status_label(settings: Mapping[str, Json]) -> str:
    """``status 200, 202``."""
    codes = settings["codes"]
    return f"status {', '.join(map(str, codes if isinstance(codes, list) else []))}"


def _absent(settings: Mapping[str, Json]) -> str:
    return " (absent)" if settings.get("expect") == "absent" else ""
