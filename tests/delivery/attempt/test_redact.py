"""Masking what a target sends back."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hookctl.delivery.attempt.redact import Redactor, mask_header_value, without_scheme
from hookctl.model import Mismatch, Response, Verdict

SECRETS = st.text(st.characters(codec="utf-8"), min_size=6, max_size=20).filter(lambda text: "*" not in text)
AROUND = st.text(st.sampled_from("xyz {}[]:,"), max_size=10)


@settings(max_examples=60)
@given(SECRETS, AROUND, AROUND)
def test_what_stands_around_a_secret_stays(secret: str, before: str, after: str) -> None:
    assume(secret.strip().lower() not in before.lower())  # case does not count
    assert Redactor([secret]).text(f"{before}{secret}{after}").replace("***", secret).startswith(before)
    assert secret not in Redactor([secret]).text(f"{before}{secret}{after}")
    assert secret.encode() not in Redactor([secret]).body(f"{before}{secret}{after}".encode())


@settings(max_examples=60)
@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7))
def test_base64_around_a_secret_gives_none_of_it_away(secret: str, before: bytes, after: bytes) -> None:
    encoded = b64encode(before + secret.encode() + after)
    masked = Redactor([secret]).body(encoded)
    assert b"***" in masked
    left = masked.split(b"***")
    assert all(
        len(piece) <= (len(around) // 3 + 1) * 4 + 4
        for piece, around in zip((left[0], left[-1]), (before, after), strict=True)
    )


@settings(max_examples=60)
@given(st.text(max_size=5), st.text(max_size=40))
def test_short_secrets_are_left_alone(secret: str, text: str) -> None:
    assert Redactor([secret]).text(text) == text


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor(["secret", "secret-and-more"]).text("secret-and-more, secret") == "***, ***"


def test_bytes_that_are_no_text_are_searched_too() -> None:
    assert Redactor(["secret"]).body(b"\xff\xfesecret\x00") == b"\xff\xfe***\x00"


def test_a_response_is_masked_whole() -> None:
    response = Response(200, "secret", (("X-secret", "a secret"),), b"secret", truncated=False, framed=False)
    assert Redactor(["secret"]).response(response) == Response(
        200, "***", (("X-***", "a ***"),), b"***", truncated=False, framed=False
    )


def test_without_secrets_nothing_is_copied() -> None:
    response = Response(200, "OK", (), b"")
    assert Redactor([]).response(response) is response


def test_what_a_verdict_repeats_is_masked() -> None:
    mismatch = Mismatch("v", "got secret", "$['secret']", ["expected"], {"secret": ["secret", 1, None, True]})
    masked = Redactor(["secret"]).verdict(Verdict("v", (mismatch,)))
    assert masked.mismatches == (Mismatch("v", "got ***", "$['***']", ["expected"], {"***": ["***", 1, None, True]}),)


def test_the_scheme_of_credentials_may_be_seen() -> None:
    assert mask_header_value("Bearer abc") == "Bearer ***"
    assert mask_header_value("Basic abc") == "Basic ***"
    assert mask_header_value("abc Bearer") == "***"
    assert mask_header_value("Key abc") == "***"
    assert without_scheme("Bearer abc") == "abc"
