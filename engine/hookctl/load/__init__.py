"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.load.fields import load_fields
from hookctl.load.files import FileProblem, read_bytes
from hookctl.load.loader import Loaded, file_finding, list_files, load_bytes, load_directory, load_each, load_text

__all__ = [
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
]
