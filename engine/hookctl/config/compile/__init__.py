"""Compiles webhooks into delivery plans, with every default written out and every number canonical."""

from hookctl.config.compile.delivery_plan import compile_webhook
from hookctl.config.compile.written import written_fields

__all__ = ["compile_webhook", "written_fields"]
