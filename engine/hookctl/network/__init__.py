"""The guard: which URLs are allowed in webhooks, and which addresses hookctl may connect to."""

from hookctl.network.guard import Network, Target
from hookctl.network.url import check_url

__all__ = ["Network", "Target", "check_url"]
