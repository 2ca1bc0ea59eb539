from __future__ import annotations

import pycurl
import pytest

from hookctl.model import FailureKind
from hookctl_plugins.transport.curl_codes import KINDS, kind_of


def test_every_code_that_pycurl_knows_is_mapped() -> None:
    known = {
        name: code
        for name, code in vars(pycurl).items()
        if name.startswith("E_") and not name.startswith("E_MULTI_") and 0 < code < 1000
    }
    assert len(known) > 80
    assert {name: code for name, code in known.items() if code not in KINDS} == {}


def test_a_code_stands_in_one_place() -> None:
    from hookctl_plugins.transport.curl_codes import _CODES

    listed = [code for codes in _CODES.values() for code in codes]
    assert sorted(listed) == sorted(set(listed))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (pycurl.E_COULDNT_RESOLVE_HOST, FailureKind.NAME_NOT_FOUND),
        (pycurl.E_COULDNT_CONNECT, FailureKind.CONNECT),
        (pycurl.E_PEER_FAILED_VERIFICATION, FailureKind.TLS),
        (pycurl.E_SSL_CONNECT_ERROR, FailureKind.TLS),
        (pycurl.E_OPERATION_TIMEDOUT, FailureKind.TIMEOUT),
        (pycurl.E_PARTIAL_FILE, FailureKind.CUT_RESPONSE),
        (pycurl.E_OUT_OF_MEMORY, FailureKind.LOCAL),
        (pycurl.E_FAILED_INIT, FailureKind.LOCAL),
        (pycurl.E_SSL_CACERT_BADFILE, FailureKind.LOCAL),
        (pycurl.E_NO_CONNECTION_AVAILABLE, FailureKind.LOCAL),
        (12345, FailureKind.TRANSPORT),
    ],
)
def test_meanings(code: int, kind: FailureKind) -> None:
    assert kind_of(code, answered=False) is kind


def test_a_read_that_failed_is_a_cut_response_only_when_one_had_begun() -> None:
    assert kind_of(pycurl.E_RECV_ERROR, answered=False) is FailureKind.CONNECT
    assert kind_of(pycurl.E_RECV_ERROR, answered=True) is FailureKind.CUT_RESPONSE
