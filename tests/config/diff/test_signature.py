"""The signature of a saved plan: it holds for the whole document and one key, and for nothing else."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.diff import check_signature, is_signed, sign
from hookctl.errors import SignatureError

KEY = b"0123456789abcdef0123456789abcdef"
DOCUMENT: dict[str, Any] = {
    "format_version": "1.0",
    "serial": 3,
    "changes": [{"name": "Siem", "effects": {"hosts": ["a"]}}],
    "ratio": 0.1,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_what_was_signed_is_accepted_after_any_way_through_json(document: dict[str, Any]) -> None:
    signed = sign(document, KEY)
    assert is_signed(signed)
    check_signature(json.loads(json.dumps(signed, indent=3)), KEY)
    check_signature(dict(reversed(json.loads(json.dumps(signed, ensure_ascii=False)).items())), KEY)


@given(st.data())
def test_another_value_anywhere_is_refused(data: st.DataObject) -> None:
    signed = sign(DOCUMENT, KEY)
    document = copy.deepcopy(signed)
    key = data.draw(st.sampled_from([*DOCUMENT, "new"]))
    document[key] = data.draw(VALUES)
    if json.dumps(document, sort_keys=True) == json.dumps(signed, sort_keys=True):
        return
    with pytest.raises(SignatureError, match="wrong"):
        check_signature(document, KEY)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        {},
        [],
        {"algorithm": "hmac-sha256"},
        {"algorithm": "hmac-sha256", "value": 5},
        {"algorithm": "hmac-sha256", "value": ""},
        {"algorithm": "hmac-sha256", "value": "0" * 64},
        {"algorithm": "hmac-sha256", "value": "ü" * 64},
        {"algorithm": "hmac-sha256", "value": "\ud800"},
        {"algorithm": "none", "value": sign(DOCUMENT, KEY)["signature"]["value"]},  # type: ignore[index, call-overload]
    ],
)
def test_what_is_no_signature_is_refused(signature: Any) -> None:
    with pytest.raises(SignatureError, match="wrong"):
        check_signature({**DOCUMENT, "signature": signature}, KEY)


def test_without_one() -> None:
    with pytest.raises(SignatureError, match="not signed"):
        check_signature(DOCUMENT, KEY)


def test_with_another_key() -> None:
    for other in (KEY[:-1] + b"0", KEY[:-1], KEY + b"1"):
        with pytest.raises(SignatureError, match="wrong"):
            check_signature(sign(DOCUMENT, other), KEY)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_document_that_was_never_signed(value: float) -> None:
    with pytest.raises(SignatureError, match="wrong"):
        check_signature({**sign(DOCUMENT, KEY), "serial": value}, KEY)


def test_a_signature_for_another_purpose_is_none() -> None:
    """Whoever has the same text signed with the same key elsewhere has no signed plan."""
    text = json.dumps(DOCUMENT, sort_keys=True, separators=(",", ":")).encode()
    value = hmac.new(KEY, text, hashlib.sha256).hexdigest()
    with pytest.raises(SignatureError, match="wrong"):
        check_signature({**DOCUMENT, "signature": {"algorithm": "hmac-sha256", "value": value}}, KEY)


def test_it_is_made_as_the_documentation_says() -> None:
    """docs/apply.md lets other programs make and check one."""
    text = json.dumps(DOCUMENT, sort_keys=True, separators=(",", ":"))
    value = hmac.new(KEY, b"hookctl saved plan, signature 1\n" + text.encode(), hashlib.sha256).hexdigest()
    assert sign(DOCUMENT, KEY)["signature"] == {"algorithm": "hmac-sha256", "value": value}
