"""The difference between what is applied and what the files say: a plan."""

from hookctl.config.diff.changes import make_plan
from hookctl.config.diff.document import plan_in, read_document, read_plan, to_document
from hookctl.config.diff.removals import RemovalLimit, stopped_by
from hookctl.config.diff.signature import MIN_KEY_BYTES, check_signature, is_signed, sign

__all__ = [
    "MIN_KEY_BYTES",
    "RemovalLimit",
    "check_signature",
    "is_signed",
    "make_plan",
    "plan_in",
    "read_document",
    "read_plan",
    "sign",
    "stopped_by",
    "to_document",
]
