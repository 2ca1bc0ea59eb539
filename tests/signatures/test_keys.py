from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import SecretError
from hookctl.signatures import decode_key

CANARY = "canary!"


@given(st.binary(min_size=1, max_size=70))
def test_every_key_is_decoded_with_and_without_padding(key: bytes) -> None:
    text = b64encode(key).decode()
    for secret in (text, text.rstrip("=")):
        assert decode_key(secret, "base64") == key
        assert decode_key(secret, "whsec") == decode_key(f"whsec_{secret}", "whsec") == key
    assert decode_key(key.hex(), "hex") == decode_key(key.hex().upper(), "hex") == key


def test_utf_8_takes_a_secret_as_it_is() -> None:
    assert decode_key("whsec_ä ", "utf-8") == "whsec_ä ".encode()


@pytest.mark.parametrize(
    ("how", "secret"),
    [
        ("base64", CANARY),
        ("base64", "whsec_YWJj"),
        ("base64", "YWJj\n"),
        ("base64", "YWJjZ"),
        ("base64", "a-b_"),
        ("hex", "whsec_00"),
        ("hex", "abc"),
        ("hex", "00 ff"),
        ("whsec", f"whsec_{CANARY}"),
        ("whsec", "whsk_YWJj"),
        ("whsk", "whsk_YWJj"),
        ("whpk", "whpk_YWJj"),
    ],
)
def test_what_cannot_be_decoded_is_refused_without_being_shown(how: Any, secret: str) -> None:
    with pytest.raises(SecretError, match=r"^the key is not .*(base64|hexadecimal)") as raised:
        decode_key(secret, how)
    assert secret not in f"{raised.value.message}{raised.value.hint}"
    assert raised.value.__context__ is None


@pytest.mark.parametrize(("how", "secret"), [("utf-8", ""), ("base64", ""), ("hex", ""), ("whsec", "whsec_")])
def test_an_empty_key_is_refused(how: Any, secret: str) -> None:
    with pytest.raises(SecretError, match="the key is empty"):
        decode_key(secret, how)


def test_text_that_is_not_unicode_is_refused() -> None:
    """A variable of the environment may hold any bytes."""
    with pytest.raises(SecretError, match="not valid Unicode"):
        decode_key("\udcff", "utf-8")
