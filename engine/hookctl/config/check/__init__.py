"""Checks webhooks and plans: every problem of a webhook is a finding, and so is every objection of a policy to a plan."""

from hookctl.config.check.policies import ask_policies, check_policy_settings, field_place
from hookctl.config.check.webhooks import WebhookChecker, check_names

__all__ = ["WebhookChecker", "ask_policies", "check_names", "check_policy_settings", "field_place"]
