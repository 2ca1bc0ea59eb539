"""Files to webhooks: reads YAML and keeps where everything stands."""

from hookctl.load.loader import Loaded, load_directory, load_text

__all__ = ["Loaded", "load_directory", "load_text"]
