"""Webhooks become delivery plans: every default written out, every number canonical."""

from hookctl.compile.delivery_plan import compile_webhook

__all__ = ["compile_webhook"]
