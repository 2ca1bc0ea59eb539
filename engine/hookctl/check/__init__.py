"""Findings: everything that is wrong with the webhooks of a directory, at once."""

from hookctl.check.webhooks import check_webhooks

__all__ = ["check_webhooks"]
