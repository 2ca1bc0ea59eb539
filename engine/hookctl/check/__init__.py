"""Findings: everything that is wrong with the webhooks of a directory, at once; and what policies say of a plan."""

from hookctl.check.policies import ask_policies, check_policy_settings, field_place
from hookctl.check.webhooks import Checker, check_names

__all__ = ["Checker", "ask_policies", "check_names", "check_policy_settings", "field_place"]
