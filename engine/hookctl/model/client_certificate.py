"""A client certificate with its key, for the TLS connection that carries a request."""

from __future__ import annotations

from hookctl.model.secret import MASK


class ClientCertificate:
    """What a client proves its identity with in TLS (mutual TLS).

    It exists only in memory: it prints as ``***``, and no serializer accepts it. Two are equal if certificates and key
    are.
    """

    __slots__ = ("_chain", "_key")

    def __init__(self, chain: bytes, key: bytes) -> None:
        """``chain`` is PEM: the client's certificate, then intermediate ones. ``key`` is its key as unencrypted PEM."""
        if type(chain) is not bytes or type(key) is not bytes:
            raise TypeError("the certificates and the key of a client are PEM in bytes")
        self._chain, self._key = chain, key

    def reveal(self) -> tuple[bytes, bytes]:
        """The certificates and the key, as PEM, for the transport that needs them."""
        return self._chain, self._key

    def __repr__(self) -> str:
        return f"ClientCertificate({MASK})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientCertificate) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash((ClientCertificate, self._chain, self._key))

    def __reduce__(self) -> str:
        raise TypeError("a key is never written")
