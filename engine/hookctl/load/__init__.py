"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.load.loader import Loaded, list_files, load_bytes, load_directory, load_each, load_text, read_content

__all__ = ["Loaded", "list_files", "load_bytes", "load_directory", "load_each", "load_text", "read_content"]
