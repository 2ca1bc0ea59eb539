"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.load.loader import Loaded, load_directory, load_text
from hookctl.load.revision import LoadedRevision, load_revision

__all__ = ["Loaded", "LoadedRevision", "load_directory", "load_revision", "load_text"]
