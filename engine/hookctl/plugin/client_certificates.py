"""Client certificates on the requests of ``requests``: auths set them, transports send with them.

An auth cannot pass arguments to ``BaseAdapter.send``, so the certificate travels as the attribute ``cert`` of the
``PreparedRequest``. hookctl passes it to ``send`` as ``cert``, which is what requests calls it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookctl.errors import TransportError
from hookctl.model import ClientCertificate

if TYPE_CHECKING:
    from requests import PreparedRequest

_ATTRIBUTE = "cert"


def set_client_certificate(request: PreparedRequest, certificate: ClientCertificate) -> None:
    """Have the connection that carries ``request`` made with ``certificate``."""
    setattr(request, _ATTRIBUTE, certificate)


def client_certificate(request: PreparedRequest) -> ClientCertificate | None:
    """The certificate that an auth has set; None if none has."""
    certificate = getattr(request, _ATTRIBUTE, None)
    return certificate if type(certificate) is ClientCertificate else None


def sent_with(cert: Any) -> ClientCertificate | None:
    """The argument ``cert`` of ``send``. Raises TransportError for the names of files, which requests would accept."""
    if cert is None or type(cert) is ClientCertificate:
        return cert
    raise TransportError(
        "a transport of hookctl accepts a client certificate only as a hookctl.plugin.ClientCertificate",
        hint="Use hookctl.plugin.set_client_certificate in the auth.",
    )
