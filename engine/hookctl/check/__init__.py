"""Findings: everything that is wrong with the webhooks of a directory, at once; and what policies say of a plan."""

from hookctl.check.policies import ask_policies, field_place
from hookctl.check.webhooks import check_webhooks

__all__ = ["ask_policies", "check_webhooks", "field_place"]
