from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.signatures import (
    PRESETS,
    STANDARD_WEBHOOKS,
    STANDARD_WEBHOOKS_ED25519,
    Message,
    Mismatch,
    Received,
    Recipe,
    Signer,
    verify,
)

NOW = 1_700_000_000
RECIPES = {"standard_webhooks": STANDARD_WEBHOOKS, **PRESETS}
SEED, PUBLIC = (
    bytes.fromhex("e976ff742707a4f79adb53d2d4df5563f3595bbdb708473becde2b242b9b31b7"),
    bytes.fromhex("d52880e28f61caa4c2a48a82e55f4751a92289a78009ea9f6532270c16ce8abe"),
)


def received(recipe: Recipe, message: Message, *keys: bytes) -> Received:
    sent = Signer(recipe, keys).sign(message)
    headers = {name.swapcase(): value for name, value in sent.headers} | {"Content-Type": message.content_type}
    return Received(headers, message.body, message.method, sent.url)


messages = st.builds(
    Message,
    id=st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
    timestamp=st.integers(NOW - 300, NOW + 300),
    method=st.sampled_from(["POST", "PUT"]),
    url=st.sampled_from(["https://a.example/", "https://a.example:8443/x?y=z", "https://[2001:db8::1]/"]),
    body=st.binary(max_size=50),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
)


@given(recipe=st.sampled_from([*RECIPES.values()]), message=messages, keys=st.lists(st.binary(min_size=1), min_size=2))
def test_what_is_signed_verifies_with_each_key_and_no_other(
    recipe: Recipe, message: Message, keys: list[bytes]
) -> None:
    if "[" not in recipe.format:
        keys = keys[:1]
    request = received(recipe, message, *keys)
    for key in keys:
        assert verify(recipe, [b"another", key], request, now=NOW) is None
    assert verify(recipe, [b"never a key of it"], request, now=NOW) is Mismatch.DIFFERENT


@pytest.mark.parametrize("name", RECIPES)
def test_every_preset_covers_the_body(name: str) -> None:
    recipe = RECIPES[name]
    message = Message("msg_1", NOW, "POST", "https://a.example/", b'{"a": 1}', "application/json")
    altered = replace(received(recipe, message, b"key"), body=b'{"a":1}')
    expected = Mismatch.BODY_HASH if name == "twilio" else Mismatch.DIFFERENT
    assert verify(recipe, [b"key"], altered, now=NOW) is expected


@pytest.mark.parametrize(
    ("name", "is_timed"), [*((name, "{timestamp}" in recipe.content) for name, recipe in RECIPES.items())]
)
def test_the_clock_counts_where_the_timestamp_is_signed(name: str, is_timed: bool) -> None:
    recipe = RECIPES[name]
    request = received(recipe, Message("msg_1", NOW, "POST", "https://a.example/", b"{}"), b"key")
    late, early = NOW + 300, NOW - 300
    assert verify(recipe, [b"key"], request, now=late) is verify(recipe, [b"key"], request, now=early) is None
    assert verify(recipe, [b"key"], request, now=late + 1) is (Mismatch.TOO_OLD if is_timed else None)
    assert verify(recipe, [b"key"], request, now=early - 1) is (Mismatch.TOO_NEW if is_timed else None)
    assert verify(recipe, [b"key"], request, now=late + 1, tolerance=None) is None
    assert verify(recipe, [b"key"], request, now=late + 1, tolerance=301) is None


def test_ed25519_needs_only_the_public_key() -> None:
    message = Message("msg_1", NOW, "POST", "https://a.example/", b"{}")
    request = received(STANDARD_WEBHOOKS_ED25519, message, SEED + PUBLIC)
    public = replace(STANDARD_WEBHOOKS_ED25519, key="whpk")
    assert verify(public, [PUBLIC], request, now=NOW) is None
    assert verify(public, [SEED], request, now=NOW) is Mismatch.DIFFERENT
    assert verify(public, [PUBLIC], replace(request, body=b"[]"), now=NOW) is Mismatch.DIFFERENT


def test_signatures_of_other_versions_are_ignored() -> None:
    message = Message("msg_1", NOW, "POST", "https://a.example/", b"{}")
    request = received(STANDARD_WEBHOOKS, message, b"key")
    header = request.headers["WEBHOOK-SIGNATURE"]
    for value in (f"v1a,AAAA {header}", f"{header} v2,!", f"v1,AAAA  {header}", f"v1 {header}"):
        assert verify(STANDARD_WEBHOOKS, [b"key"], _with(request, "webhook-signature", value), now=NOW) is None
    other = _with(request, "webhook-signature", header.replace("v1,", "v2,"))
    assert verify(STANDARD_WEBHOOKS, [b"key"], other, now=NOW) is Mismatch.MALFORMED
    stripe = received(PRESETS["stripe"], message, b"key")
    value = stripe.headers["sTRIPE-sIGNATURE"]
    accepted = _with(stripe, "stripe-signature", f"{value},v0=00ff")
    assert verify(PRESETS["stripe"], [b"key"], accepted, now=NOW) is None


def _with(request: Received, name: str, value: str) -> Received:
    kept = {known: text for known, text in request.headers.items() if known.lower() != name}
    return replace(request, headers={**kept, name: value})


def _without(request: Received, name: str) -> Received:
    return replace(request, headers={known: text for known, text in request.headers.items() if known.lower() != name})


def test_what_is_missing_is_named() -> None:
    request = received(STANDARD_WEBHOOKS, Message("msg_1", NOW, "POST", "", b"{}"), b"key")
    for name, expected in {
        "webhook-signature": Mismatch.NO_SIGNATURE,
        "webhook-timestamp": Mismatch.NO_TIMESTAMP,
        "webhook-id": Mismatch.NO_ID,
    }.items():
        assert verify(STANDARD_WEBHOOKS, [b"key"], _without(request, name), now=NOW) is expected
    for text in ("soon", "1e9", "٣", "--1", "9" * 400):
        bad = _with(request, "webhook-timestamp", text)
        assert verify(STANDARD_WEBHOOKS, [b"key"], bad, now=NOW) is Mismatch.NO_TIMESTAMP


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example/x"),
    ],
)
def test_a_signed_url_verifies_with_and_without_its_port(signed: str, seen: str) -> None:
    """As Twilio's library does; the second of these pairs is a port that the receiver's proxy has removed."""
    recipe = PRESETS["twilio"]
    request = received(recipe, Message("", NOW, "POST", signed, b""), b"key")
    outcome = verify(recipe, [b"key"], replace(request, url=seen), now=NOW)
    assert outcome is (Mismatch.DIFFERENT if ":8443" in signed else None)


@given(
    recipe=st.sampled_from([*RECIPES.values()]),
    values=st.lists(
        st.text() | st.sampled_from(["t=1,v1=00", "v1,AA==", "v0=00,", "1", "\udcff"]), min_size=4, max_size=4
    ),
    url=st.text() | st.sampled_from(["https://[", "https://a:b/", "https://a.example/?bodySHA256=\udcff"]),
    body=st.binary(),
)
def test_hostile_requests_end_with_a_reason(recipe: Recipe, values: list[str], url: str, body: bytes) -> None:
    names = [recipe.header, recipe.timestamp_header or "x-a", recipe.id_header or "x-b", "content-type"]
    request = Received(dict(zip(names, values, strict=True)), body, "POST", url)
    assert isinstance(verify(recipe, [b"key"], request, now=NOW), Mismatch)
