"""What plugin authors import: the hook marker and the descriptions that hooks give."""

import pluggy

from hookctl.masking import mask_secrets
from hookctl.model import ClientCertificate, Finding, Severity
from hookctl.plugin.client_certificates import client_certificate, set_client_certificate
from hookctl.plugin.interfaces import (
    AuthContext,
    AuthType,
    CheckPlan,
    Completion,
    ConcurrentTransport,
    EngineCheck,
    Envelope,
    EventType,
    FilterType,
    FindingsReport,
    Observer,
    Pieces,
    Policy,
    Refreshable,
    ReportFormat,
    ResultsReport,
    ReviewReport,
    SecretSource,
    Settings,
    StoreType,
    TransportType,
    Validate,
    ValidatorType,
)

hookimpl = pluggy.HookimplMarker("hookctl")
"""Marks a function as the implementation of a hook of ``hookctl.plugin.hookspecs``."""

__all__ = [
    "AuthContext",
    "AuthType",
    "CheckPlan",
    "ClientCertificate",
    "Completion",
    "ConcurrentTransport",
    "EngineCheck",
    "Envelope",
    "EventType",
    "FilterType",
    "Finding",
    "FindingsReport",
    "Observer",
    "Pieces",
    "Policy",
    "Refreshable",
    "ReportFormat",
    "ResultsReport",
    "ReviewReport",
    "SecretSource",
    "Settings",
    "Severity",
    "StoreType",
    "TransportType",
    "Validate",
    "ValidatorType",
    "client_certificate",
    "hookimpl",
    "mask_secrets",
    "set_client_certificate",
]
