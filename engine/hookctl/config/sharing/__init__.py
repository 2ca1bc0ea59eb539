"""What webhook files share: ``defaults.yaml`` beside them, and the variables of an environment."""

from hookctl.config.sharing.defaults import DEFAULTS, Defaults, is_defaults
from hookctl.config.sharing.sharing import NOTHING_SHARED, Sharing, contributions, read_sharing

__all__ = [
    "DEFAULTS",
    "NOTHING_SHARED",
    "Defaults",
    "Sharing",
    "contributions",
    "is_defaults",
    "read_sharing",
]
