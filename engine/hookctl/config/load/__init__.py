"""Loads webhooks from YAML files and records the position of every field."""

from hookctl.config.load.fields import load_fields
from hookctl.config.load.files import MAX_TOTAL_BYTES, read_bytes, too_many
from hookctl.config.load.loader import (
    Loaded,
    list_files,
    load_bytes,
    load_directory,
    load_each,
    load_text,
)

__all__ = [
    "MAX_TOTAL_BYTES",
    "Loaded",
    "list_files",
    "load_bytes",
    "load_directory",
    "load_each",
    "load_fields",
    "load_text",
    "read_bytes",
    "too_many",
]
