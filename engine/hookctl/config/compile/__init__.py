"""Webhooks become delivery plans: every default written out, every number canonical."""

from hookctl.config.compile.delivery_plan import compile_webhook
from hookctl.config.compile.written import written_fields

__all__ = ["compile_webhook", "written_fields"]
