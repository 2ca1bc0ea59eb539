"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.config.load.fields import load_fields
from hookctl.config.load.files import MAX_TOTAL_BYTES, FileProblem, read_bytes, too_many
from hookctl.config.load.loader import (
    Loaded,
    file_finding,
    list_files,
    load_bytes,
    load_directory,
    load_each,
    load_text,
)

__all__ = [
    "MAX_TOTAL_BYTES",
    "FileProblem",
    "Loaded",
    "file_finding",
    "list_files",
    "load_bytes",
    "load_directory",
    "load_each",
    "load_fields",
    "load_text",
    "read_bytes",
    "too_many",
]
