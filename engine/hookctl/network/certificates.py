"""The cause of a failed TLS handshake, from OpenSSL's verify codes and reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hookctl.model import (
    CERTIFICATE_EXPIRED,
    CERTIFICATE_UNTRUSTED,
    CERTIFICATE_WRONG_NAME,
    CLIENT_CERTIFICATE_REFUSED,
)

# By number, since Python has no names for them. They are the X509_V_ERR_* of OpenSSL's x509_vfy.h.
_CAUSES: Mapping[int, str] = {
    2: CERTIFICATE_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT
    9: CERTIFICATE_EXPIRED,  # CERT_NOT_YET_VALID
    10: CERTIFICATE_EXPIRED,  # CERT_HAS_EXPIRED
    18: CERTIFICATE_UNTRUSTED,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: CERTIFICATE_UNTRUSTED,  # SELF_SIGNED_CERT_IN_CHAIN
    20: CERTIFICATE_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: CERTIFICATE_UNTRUSTED,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    27: CERTIFICATE_UNTRUSTED,  # CERT_UNTRUSTED
    62: CERTIFICATE_WRONG_NAME,  # HOSTNAME_MISMATCH
    63: CERTIFICATE_WRONG_NAME,  # EMAIL_MISMATCH
    64: CERTIFICATE_WRONG_NAME,  # IP_ADDRESS_MISMATCH
}


def certificate_cause(verify_code: int) -> str:
    """The cause, as in :class:`hookctl.model.Failure`, for OpenSSL's ``verify_code``; empty for other codes."""
    return _CAUSES.get(verify_code, "")


_REFUSAL = re.compile(
    r"alert[ _](?:(?:bad|unsupported|no)[ _]certificate|certificate[ _](?:revoked|expired|unknown|required)"
    r"|unknown[ _]ca|access[ _]denied)",
    re.IGNORECASE,
)


def refusal_cause(reason: str) -> str:
    """``client_certificate_refused`` if ``reason`` names an alert by which a server refuses a client; else empty.

    ``reason`` is OpenSSL's, such as ``tlsv13 alert certificate required``, or Python's name for it. OpenSSL has a
    reason with "alert" only for an alert that it received.
    """
    return CLIENT_CERTIFICATE_REFUSED if _REFUSAL.search(reason) else ""
