"""The words of hookctl as frozen data: webhook, finding, delivery plan, change, plan, event, delivery, attempt."""

from hookctl.model.change import Action, AppliedState, Change, FieldChange, Plan, Rename, Revision
from hookctl.model.delivery import (
    MAX_RESPONSE_BYTES,
    Attempt,
    Delivery,
    DeliveryStatus,
    Failure,
    FailureKind,
    Mismatch,
    Request,
    Response,
    Timing,
    Verdict,
)
from hookctl.model.delivery_plan import DeliveryPlan, PluginBlock, Status, canonical_json
from hookctl.model.event import Event
from hookctl.model.finding import Finding, Severity, brief, has_errors, in_order
from hookctl.model.problem import Problem
from hookctl.model.secret import MASK, Resolved, Secret, SecretReference, reveal
from hookctl.model.source import Json, Pointer, Positions, SourceFile, Span, Webhook

__all__ = [
    "MASK",
    "MAX_RESPONSE_BYTES",
    "Action",
    "AppliedState",
    "Attempt",
    "Change",
    "Delivery",
    "DeliveryPlan",
    "DeliveryStatus",
    "Event",
    "Failure",
    "FailureKind",
    "FieldChange",
    "Finding",
    "Json",
    "Mismatch",
    "Plan",
    "PluginBlock",
    "Pointer",
    "Positions",
    "Problem",
    "Rename",
    "Request",
    "Resolved",
    "Response",
    "Revision",
    "Secret",
    "SecretReference",
    "Severity",
    "SourceFile",
    "Span",
    "Status",
    "Timing",
    "Verdict",
    "Webhook",
    "brief",
    "canonical_json",
    "has_errors",
    "in_order",
    "reveal",
]
