"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.load.loader import Loaded, list_files, load_bytes, load_directory, load_text, read_content
from hookctl.load.revision import LoadedRevision, load_revision

__all__ = ["Loaded", "LoadedRevision", "list_files", "load_bytes", "load_directory", "load_revision", "load_text", "read_content"]
