"""Maps libcurl's error codes to kinds of failures, in one table. A test checks that no code is missing."""

from __future__ import annotations

from collections.abc import Mapping

from hookctl.model import FailureKind

COULDNT_CONNECT = 7
RECV_ERROR = 56
OUT_OF_MEMORY = 27
OPERATION_TIMEDOUT = 28
PARTIAL_FILE = 18
PEER_FAILED_VERIFICATION = 60

# By number, since not every code has a name in pycurl.
_CODES: Mapping[FailureKind, tuple[int, ...]] = {
    FailureKind.NAME_NOT_FOUND: (
        5,  # COULDNT_RESOLVE_PROXY
        6,  # COULDNT_RESOLVE_HOST
    ),
    FailureKind.CONNECT: (
        7,  # COULDNT_CONNECT
        45,  # INTERFACE_FAILED
        52,  # GOT_NOTHING
        55,  # SEND_ERROR
    ),
    FailureKind.LOCAL: (
        2,  # FAILED_INIT
        27,  # OUT_OF_MEMORY: also reported when there is no file descriptor
        77,  # SSL_CACERT_BADFILE: the file is this machine's
        89,  # NO_CONNECTION_AVAILABLE: as many as there may be
    ),
    FailureKind.TLS: (
        35,  # SSL_CONNECT_ERROR
        *(53, 54, 66),  # SSL_ENGINE_...
        58,  # SSL_CERTPROBLEM
        59,  # SSL_CIPHER
        PEER_FAILED_VERIFICATION,
        64,  # USE_SSL_FAILED
        80,  # SSL_SHUTDOWN_FAILED
        82,  # SSL_CRL_BADFILE
        83,  # SSL_ISSUER_ERROR
        90,  # SSL_PINNEDPUBKEYNOTMATCH
        91,  # SSL_INVALIDCERTSTATUS
        98,  # SSL_CLIENTCERT
        101,  # ECH_REQUIRED
    ),
    FailureKind.TIMEOUT: (OPERATION_TIMEDOUT,),
    FailureKind.CUT_RESPONSE: (
        1,  # UNSUPPORTED_PROTOCOL: what answers is not HTTP/1
        8,  # WEIRD_SERVER_REPLY
        *(16, 92, 95),  # HTTP2, HTTP2_STREAM, HTTP3
        PARTIAL_FILE,
        23,  # WRITE_ERROR: our own callback has had enough of the header
        RECV_ERROR,
        61,  # BAD_CONTENT_ENCODING
        88,  # CHUNK_FAILED
        100,  # TOO_LARGE: the header
    ),
    FailureKind.TRANSPORT: (
        *(3, 4, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 22, 24, 25, 26, 29, 30, 31, 32, 33, 34, 36, 37, 38, 39),
        *(40, 41, 42, 43, 44, 46, 47, 48, 49, 50, 51, 57, 62, 63, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 78, 79),
        *(81, 84, 85, 86, 87, 93, 94, 96, 97, 99),  # other protocols, wrong use
    ),
}
KINDS: Mapping[int, FailureKind] = {code: kind for kind, codes in _CODES.items() for code in codes}


def kind_of(code: int, *, answered: bool) -> FailureKind:
    """The kind of failure for ``code``. ``answered``: a part of a response had arrived."""
    if code == RECV_ERROR and not answered:
        return FailureKind.CONNECT
    return KINDS.get(code, FailureKind.TRANSPORT)
