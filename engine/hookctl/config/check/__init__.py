"""Checks webhooks and plans: every problem of a webhook, and every objection of a policy, is a finding."""

from hookctl.config.check.ignores import apply_ignores
from hookctl.config.check.observers import checked_observers, paths_in
from hookctl.config.check.policies import ask_policies, check_policy_settings, field_place
from hookctl.config.check.webhooks import WebhookChecker, check_names

__all__ = [
    "WebhookChecker",
    "apply_ignores",
    "ask_policies",
    "check_names",
    "check_policy_settings",
    "checked_observers",
    "field_place",
    "paths_in",
]
