"""The plan: the difference between the applied state and the files."""

from hookctl.config.diff.changes import change_between, field_changes, make_plan
from hookctl.config.diff.document import change_document, document_head, plan_in, read_document, read_plan, to_document
from hookctl.config.diff.removals import DEFAULT_LIMIT, RemovalLimit, stopped_by
from hookctl.config.diff.signature import MIN_KEY_BYTES, check_signature, is_signed, sign

__all__ = [
    "DEFAULT_LIMIT",
    "MIN_KEY_BYTES",
    "RemovalLimit",
    "change_between",
    "change_document",
    "check_signature",
    "document_head",
    "field_changes",
    "is_signed",
    "make_plan",
    "plan_in",
    "read_document",
    "read_plan",
    "sign",
    "stopped_by",
    "to_document",
]
