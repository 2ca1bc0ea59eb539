"""The vectors in Convoy's repository: what its recipe signs, and what a verifier accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hookctl.signatures import PRESETS, Message, Mismatch, Received, Signer, verify

SECRET = b"convoy-webhook-secret"
BODY = b'{"event":"charge.success","amount":1000,"currency":"NGN"}'
HEX = "77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c55c"
OTHER = "449623e4897bbde05e35358293f97b8c2f697367ffa3e7466e98178dfba44d19"
NOW = 1700000000.0
SIMPLE = {"content": "{body}", "format": "{signature}"}


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, f"t=1700000000,v1={HEX}"),
        ({"encoding": "base64"}, "t=1700000000,v1=d7i5Jp8loZmEalWivSWz+6FRxw/a5gux3Nh/u8lDxVw="),
        (
            {"algorithm": "sha512", "encoding": "base64"},
            "t=1700000000,v1=shIuJSzSWCzyJcsrjUzu3p40Mp4v6VwCYZw+1dSj2ac+a+ry3/jnbXGmk64ZjO5AaF7tEq1O4uAz3C0Dme3gVw==",
        ),
        (SIMPLE, "244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb4"),
        (SIMPLE | {"encoding": "base64"}, "JERJt/SMvCcJBgydzcKzqkenj1QEMFeQFcV5+xLe+7Q="),
        (
            SIMPLE | {"encoding": "base64", "algorithm": "sha512"},
            "bMdy3IGUKuG1/6kcOmoHsNN+3I3GvYPjUYohnx8Z/3GuG3bWsyCUDUFMI2oarX95MLY+DxkolRlV0xIZVF4bZg==",
        ),
    ],
)
def test_signatures(changes: dict[str, Any], value: str) -> None:
    recipe = replace(PRESETS["convoy"], **changes)
    message = Message("1", 1700000000, "POST", "", BODY)
    assert Signer(recipe, [SECRET]).sign(message).headers == (("X-Convoy-Signature", value),)
    assert verify(recipe, [SECRET], Received({"X-Convoy-Signature": value}, BODY), now=NOW) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"v1={HEX},t=1700000000", None),
        (f"t=1700000000,v1={OTHER},v1={HEX}", None),
        (f"t=1700000000,v1={HEX[:-1]}0", Mismatch.DIFFERENT),
        (f"t=1700000000,v1={OTHER}", Mismatch.DIFFERENT),
        ("t=1700000000,v1=1234567890", Mismatch.DIFFERENT),
        (f"t=Infinity,v1={HEX}", Mismatch.NO_TIMESTAMP),
        (f"v1={HEX},v2={HEX}", Mismatch.NO_TIMESTAMP),
    ],
)
def test_headers_of_other_forms(value: str, expected: Mismatch | None) -> None:
    assert verify(PRESETS["convoy"], [SECRET], Received({"X-Convoy-Signature": value}, BODY), now=NOW) is expected


def test_an_old_timestamp() -> None:
    request = Received({"X-Convoy-Signature": f"t=1700000000,v1={HEX}"}, BODY)
    assert verify(PRESETS["convoy"], [SECRET], request, now=NOW + 301) is Mismatch.TOO_OLD
