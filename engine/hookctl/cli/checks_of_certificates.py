"""Checks of client certificates for ``doctor``: whether they can be used, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from hookctl.errors import HookctlError
from hookctl.model import Status
from hookctl.model.quantities import counted
from hookctl.report.text.doctor import Check

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from hookctl.cli.session import Session
    from hookctl.model import AppliedState, ClientCertificate, PluginBlock
    from hookctl.model.secret import SecretReference
    from hookctl.plugin import AuthType, Settings

SOON_DAYS = 14
"""Days before the expiry of a certificate from which it is a warning."""


def checks_of_certificates(session: Session, applied: AppliedState) -> Iterator[Check]:
    """One check for each client certificate of an active webhook that cannot be used, or expires soon.

    An auth is built here only if it declares that it never waits, and nothing that it adds to the text of a request.
    """
    for name, plan in sorted(applied.plans.items()):
        for block in plan.auth if plan.status is Status.ACTIVE else ():
            kind = session.plugins.auth.get(block.type)
            if kind is None or kind.blocking is not False or kind.adds or kind.adds_query:
                continue
            try:
                certificate = _certificate(session, kind, block, plan.timeout_seconds)
            except HookctlError as error:
                yield Check("certificates", "problem", f"{name}: {error.message}", error.hint)
                continue
            if certificate is not None and (days := _days_left(certificate)) < SOON_DAYS:
                message = f"{name}: the client certificate expires in less than {counted(days + 1, 'day')}"
                yield Check("certificates", "warning", message, "Renew it, and put it where its reference reads it.")


def _certificate(session: Session, kind: AuthType, block: PluginBlock, timeout: float) -> ClientCertificate | None:
    """The certificate that an auth sets; None if it sets none, or if a secret cannot be read, which is reported."""
    from requests import PreparedRequest
    from requests.structures import CaseInsensitiveDict

    from hookctl.cli.secrets import read_secret
    from hookctl.model.secret import resolve_all
    from hookctl.plugin import AuthContext, client_certificate

    def resolve(reference: SecretReference) -> str:
        secret = read_secret(session, reference)
        session.plugins.containment.secrets.add(secret)
        return secret

    try:
        settings = cast("Settings", resolve_all(dict(block.settings), resolve))
    except HookctlError:
        return None
    request = PreparedRequest()
    request.headers = CaseInsensitiveDict()
    auth = kind.build(settings, AuthContext(cast("BaseAdapter", None), timeout))
    return client_certificate(auth(request) or request)


def _days_left(certificate: ClientCertificate) -> int:
    from datetime import UTC, datetime

    from cryptography import x509

    leaf = x509.load_pem_x509_certificate(certificate.reveal()[0])
    return (leaf.not_valid_after_utc - datetime.now(UTC)).days
