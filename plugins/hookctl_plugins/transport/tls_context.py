"""TLS settings of the ``requests`` transport, with a client certificate that exists only in memory."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ESPIPE

from hookctl.errors import LocalError, TlsError
from hookctl.model import ClientCertificate
from hookctl.network.shortage import HINT, shortage_of
from hookctl_plugins.transport.deadline_sockets import DeadlineSocket


def tls_context(ca_file: str, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """The context for hosts that the authorities in ``ca_file`` vouch for.

    Raises LocalError, and TlsError for a certificate that OpenSSL does not accept.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        message = shortage_of(error) or f"the CA file {ca_file} cannot be used: {error.strerror or error}"
        raise LocalError(message, hint="Check cacert in hookctl.toml, or --cacert.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = DeadlineSocket
    if certificate:
        _load(context, certificate)
    return context


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    chain, key = certificate.reveal()
    try:
        with _readable(chain) as chain_file, _readable(key) as key_file:
            context.load_cert_chain(chain_file, key_file)
    except OSError as error:
        # Python reports what OpenSSL rejects as an SSLError, or by the last errno, which is that of a seek in the pipe.
        if isinstance(error, ssl.SSLError) or error.errno == ESPIPE:
            reason = getattr(error, "reason", "") or "OpenSSL rejects it"
            raise TlsError(f"the client certificate cannot be used: {reason}") from None
        message = shortage_of(error) or f"the client certificate cannot be passed to OpenSSL: {error.strerror}"
        raise LocalError(message, hint=HINT) from None


@contextmanager
def _readable(data: bytes) -> Iterator[str]:
    """A path from which ``data`` can be read once.

    Python's ``ssl`` loads certificates only by path. A pipe keeps the key in the kernel's memory until OpenSSL has read
    it, so it is never in a file, not even in one without a name. Raises OSError if the pipe does not take the data.
    """
    reader, writer = os.pipe()
    try:
        try:
            os.set_blocking(writer, False)  # nobody reads yet: a pipe that is too small must not wait for ever
            if os.write(writer, data) < len(data):
                raise BlockingIOError(0, "the system's pipes are too small for it")
        finally:
            os.close(writer)
        yield f"/dev/fd/{reader}"
    finally:
        os.close(reader)
