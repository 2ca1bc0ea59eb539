"""Findings: everything that is wrong with the webhooks of a directory, at once; and what policies say of a plan."""

from hookctl.config.check.policies import ask_policies, check_policy_settings, field_place
from hookctl.config.check.webhooks import WebhookChecker, check_names

__all__ = ["WebhookChecker", "ask_policies", "check_names", "check_policy_settings", "field_place"]
