"""Authentication by a client certificate in the TLS handshake (mutual TLS): ``mtls``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from requests.auth import AuthBase

from hookctl.errors import SecretError
from hookctl.model import ClientCertificate, reveal
from hookctl.plugin import set_client_certificate
from hookctl_plugins.auth.private_keys import load_private_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from requests import PreparedRequest

    from hookctl.plugin import Settings

WHO = "auth mtls"
MAX_PEM_BYTES = 32 * 1024
"""The maximum size of the certificates, as PEM. Each has about 2 KB, and servers accept few."""


class ClientCertificateAuth(AuthBase):
    """Sets the client certificate on every request. The transport uses it for connections to the target only."""

    def __init__(self, settings: Settings) -> None:
        """Raises SecretError for a certificate or a key that cannot be used now."""
        chain = _certificates(reveal(settings["certificate"]))
        key = load_private_key(reveal(settings["key"]), reveal(settings.get("key_password", "")), WHO)
        _check(chain[0], key)
        pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
        if len(pem) > MAX_PEM_BYTES:
            raise SecretError(
                f"the certificate of {WHO} has more than {MAX_PEM_BYTES} bytes",
                hint="Leave out certificates that do not belong to its chain.",
            )
        # Decrypted once, in memory, because both transports then need no password.
        key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._certificate = ClientCertificate(pem, key_pem)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the certificate."""
        set_client_certificate(request, self._certificate)
        return request


def _certificates(text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise SecretError(
            f"the certificate of {WHO} is not a certificate in PEM format",
            hint="It begins with -----BEGIN CERTIFICATE-----. Keep its line breaks.",
        ) from None


def _check(certificate: x509.Certificate, key: PrivateKeyTypes) -> None:
    """Raise SecretError unless the key belongs to the certificate, and the certificate is valid now."""
    if _public_bytes(certificate) != key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise SecretError(
            f"the key of {WHO} does not belong to the certificate",
            hint="In `certificate`, write the client's own certificate first, and intermediate ones after it.",
        )
    now, begins, ends = datetime.now(UTC), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > ends:
        raise SecretError(f"the certificate of {WHO} expired on {ends:%Y-%m-%d %H:%M} UTC", hint="Renew it.")
    if now < begins:
        raise SecretError(
            f"the certificate of {WHO} is not valid before {begins:%Y-%m-%d %H:%M} UTC",
            hint="Check this machine's clock.",
        )


def _public_bytes(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:  # the certificate is valid ASN.1, but its key is not
        raise SecretError(f"the certificate of {WHO} has a public key that cannot be read") from None
