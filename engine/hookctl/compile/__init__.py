"""Webhooks become delivery plans: every default written out, every number canonical."""

from hookctl.compile.delivery_plan import compile_webhook
from hookctl.compile.written import written_fields

__all__ = ["compile_webhook", "written_fields"]
