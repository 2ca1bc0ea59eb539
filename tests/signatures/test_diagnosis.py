"""What differs between a signature and its receiver: each difference is made on purpose, and must be found alone."""

from __future__ import annotations

import gzip
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.signatures import STANDARD_WEBHOOKS, Claim, Message, Received, Recipe, Signer, decode_key, is_signed
from hookctl.signatures import diagnosis as diagnosis_module
from hookctl.signatures.bodies import body_variants
from hookctl.signatures.diagnosis import Diagnosis, diagnose, spelled
from hookctl.signatures.schemes import SCHEMES, scheme_of, with_public_key

NOW = 1_700_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = "a plain secret"
BODY = '{"name": "Zoë", "n": 1.50, "path": "a/b", "tags": ["<x>", true, null], "m": 7}'.encode()
FORM = "application/x-www-form-urlencoded"
URL = "https://api.example.com/hooks?b=2&a=1"


def signed(
    scheme: str | Recipe,
    secret: str | bytes,
    body: bytes = BODY,
    *,
    timestamp: int = NOW,
    url: str = URL,
    content_type: str = "application/json",
) -> dict[str, str]:
    """The headers of a request by ``scheme``. A secret in bytes is the key itself."""
    recipe = SCHEMES[scheme] if isinstance(scheme, str) else scheme
    key = secret if isinstance(secret, bytes) else decode_key(secret, recipe.key)
    message = Message("msg_1", timestamp, "POST", url, body, content_type)
    return {**dict(Signer(recipe, [key]).sign(message).headers), "Content-Type": content_type}


def found(
    scheme: str | Recipe,
    headers: Mapping[str, str],
    body: bytes = BODY,
    *secrets: str,
    now: float = NOW,
    url: str = URL,
) -> Diagnosis:
    recipe = SCHEMES[scheme] if isinstance(scheme, str) else scheme
    received = Received(headers, body, "POST", url)
    return diagnose(recipe, secrets or (SECRET if recipe.key == "whsec" else TEXT,), received, now=now)


def parts(diagnosis: Diagnosis) -> list[str]:
    return [difference.part.value for difference in diagnosis.differences]


def texts(diagnosis: Diagnosis) -> str:
    return " ".join(f"{one.what} {one.fix}" for one in diagnosis.differences)


def one_difference(diagnosis: Diagnosis, part: str, text: str) -> None:
    assert not diagnosis.verified
    assert diagnosis.explained
    assert parts(diagnosis) == [part], texts(diagnosis)
    assert text in texts(diagnosis)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_right_signature_has_no_differences(scheme: str) -> None:
    recipe = SCHEMES[scheme]
    secret = SECRET if recipe.key == "whsec" else TEXT
    message = Message("msg_1", NOW, "POST", URL, BODY, "application/json")
    made = Signer(recipe, [decode_key(secret, recipe.key)]).sign(message)
    headers = {**dict(made.headers), "Content-Type": "application/json"}
    diagnosis = found(recipe, headers, url=made.url)
    assert diagnosis.verified
    assert (diagnosis.differences, diagnosis.explained, diagnosis.signatures) == ((), True, 1)
    assert scheme_of(headers) == scheme


# -- the body ----------------------------------------------------------------------------------------------------------

COMPACT = BODY.replace(b": ", b":").replace(b", ", b",")
CHANGES: Mapping[str, tuple[Callable[[bytes], bytes], str]] = {
    "line break": (lambda body: body + b"\n", "does not have the line break that this one ends with"),
    "two line breaks": (lambda body: body + b"\n\n", "does not have the line break"),
    "spaces": (lambda body: b" " + body, "does not have the white space around"),
    "mark": (lambda body: b"\xef\xbb\xbf" + body, "does not have the byte order mark"),
    "latin-1": (lambda body: body.decode().encode("latin-1"), "is in UTF-8, and this one is in ISO 8859-1"),
    "twice utf-8": (lambda body: body.decode("latin-1").encode(), "and this one is in UTF-8"),
    "gzip": (gzip.compress, "still compressed with gzip"),
    "base64": (b64encode, "contains in base64"),
    "string": (lambda body: json.dumps(body.decode()).encode(), "the text in the JSON string"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_body_that_was_changed_on_its_way(change: str) -> None:
    changed, text = CHANGES[change]
    one_difference(found("github", signed("github", TEXT), changed(BODY)), "body", text)


@pytest.mark.parametrize(
    ("sent", "got", "text"),
    [
        (b'{"a": 1}\n', b'{"a": 1}', "ends with a line break"),
        (b'{"a": 1}\r\n', b'{"a": 1}', "ends with CRLF"),
        (b'{\r\n"a": 1}', b'{\n"a": 1}', "of the signed body are CRLF"),
        (b'{\n"a": 1}', b'{\r\n"a": 1}', "of the signed body are LF"),
        (b"", b"{}", "is empty"),
        (b'{"a": 1, "b": [1.50, "x"]}', b'{"a":1,"b":[1.50,"x"]}', "with a space after each comma and colon."),
        (b'{"a":1,"b":[1.50,"x"]}', b'{"a": 1, "b": [1.50, "x"]}', "without spaces between its parts."),
        (b'{\n  "a": 1\n}', b'{"a": 1}', "indented by two spaces"),
        (b'{\n\t"a": 1\n}', b'{"a":1}', "indented by tabs"),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}', "with its keys sorted"),
        (b'{"a":"\\u00e9"}', '{"a":"é"}'.encode(), "with escapes such as \\u00e9"),
        (b'{"a":"\\u00E9"}', '{"a":"é"}'.encode(), "with escapes such as \\u00E9"),
        ('{"a":"é"}'.encode(), b'{"a":"\\u00e9"}', "with characters beyond ASCII as they are."),
        (b'{"a":"b\\/c"}', b'{"a":"b/c"}', "with each slash as \\/"),
        (b'{"a":"\\u003cb\\u003e"}', b'{"a":"<b>"}', "with <, > and & as escapes"),
        (b'{"a":1}', b'{"a":1.0}', "without a fraction"),
        (b'{"a":1}\n', b'{"a": 1}', "without spaces between its parts, with a line break at the end"),
    ],
)
def test_a_body_that_was_written_anew(sent: bytes, got: bytes, text: str) -> None:
    one_difference(found("github", signed("github", TEXT, sent), got), "body", text)


@pytest.mark.parametrize(
    ("sent", "got", "text"),
    [
        (b"a=1&b=x+y", b"a=1&b=x%20y", "a space as +"),
        (b"a=1&b=x%20y", b"a=1&b=x+y", "a space as %20"),
        (b"a=%c3%a9", b"a=%C3%A9", "escapes in lower case"),
        (b"a=1&b=2", b"b=2&a=1", "sorted by name"),
        (b"a=1", b"a=1&b=", "without its empty fields"),
    ],
)
def test_a_form_that_was_written_anew(sent: bytes, got: bytes, text: str) -> None:
    one_difference(found("github", signed("github", TEXT, sent), got), "body", text)


# -- the key -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "secret", "text"),
    [
        (SECRET.encode(), SECRET, "the secret's whole text as UTF-8"),
        (SECRET.removeprefix("whsec_").encode(), SECRET, "the text after the prefix as UTF-8"),
        (b"\xfb\xff" * 12, "whsec_" + urlsafe_b64encode(b"\xfb\xff" * 12).decode(), "URL-safe base64"),
        (b"\x01" * 24, "01" * 24, "hexadecimal"),
        (decode_key(SECRET, "whsec"), f"{SECRET}\n", "without the white space"),
        (decode_key(SECRET, "whsec"), f' "{SECRET}"\n', "without the quotation marks"),
    ],
)
def test_a_key_of_standard_webhooks_that_is_decoded_in_another_way(key: bytes, secret: str, text: str) -> None:
    one_difference(found("standard_webhooks", signed("standard_webhooks", key), BODY, secret), "key", text)


@pytest.mark.parametrize(
    ("key", "secret", "text"),
    [
        (decode_key(SECRET, "whsec"), SECRET, "decoded from base64, without the prefix"),
        (TEXT.encode() + b"\n", TEXT, "sender's key ends with a line break"),
        (b"a b", "a%20b", "percent escapes decoded"),
    ],
)
def test_a_key_of_text_that_is_decoded_in_another_way(key: bytes, secret: str, text: str) -> None:
    one_difference(found("stripe", signed("stripe", key), BODY, secret), "key", text)


def test_a_previous_secret_counts_and_is_mentioned() -> None:
    headers = signed("github", TEXT)
    diagnosis = found("github", headers, BODY, "the current secret", TEXT)
    assert diagnosis.verified
    assert diagnosis.notes == ("Only the previous secret matches: the sender does not use the current one yet.",)
    one_difference(found("github", headers, BODY, "the current secret", f"{TEXT}\n"), "key", "white space")


def test_one_of_several_signatures_is_enough() -> None:
    keys = [decode_key("other", "utf-8"), decode_key(TEXT, "utf-8")]
    message = Message("", NOW, "POST", URL, BODY)
    headers = dict(Signer(SCHEMES["stripe"], keys).sign(message).headers)
    diagnosis = found("stripe", headers)
    assert diagnosis.verified
    assert diagnosis.notes == ("The header has 2 signatures, and number 2 matches.",)


# -- headers, encoding, algorithm, content -----------------------------------------------------------------------------


def test_headers_under_other_names() -> None:
    headers = signed("standard_webhooks", SECRET)
    svix = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    one_difference(found("standard_webhooks", svix), "header", "The request has the scheme svix")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    diagnosis = found("standard_webhooks", environ)
    assert diagnosis.explained
    assert parts(diagnosis) == ["header"] * 3
    assert "Read http_webhook_signature." in texts(diagnosis)


def test_a_request_of_another_scheme_is_verified_by_that_scheme() -> None:
    headers = signed("stripe", SECRET)
    one_difference(found("standard_webhooks", headers), "header", "Verify with the scheme stripe.")
    diagnosis = found("standard_webhooks", headers, BODY + b"\n")
    assert parts(diagnosis) == ["header", "body"]
    assert diagnosis.explained


def test_a_request_without_a_signature_has_one_difference() -> None:
    diagnosis = found("standard_webhooks", {"Host": "a"})
    assert (parts(diagnosis), diagnosis.explained, diagnosis.tried) == (["header"], False, 0)
    assert "no proxy or gateway removes" in texts(diagnosis)


def test_the_case_of_a_name_is_only_a_note() -> None:
    headers = {name.lower(): value for name, value in signed("github", TEXT).items()}
    assert found("github", headers).verified
    diagnosis = found("github", headers, BODY + b"\n")
    assert parts(diagnosis) == ["body"]
    assert "arrived as x-hub-signature-256" in diagnosis.notes[0]


@pytest.mark.parametrize(
    ("value", "part", "text"),
    [
        ("{hex}", "header", "does not have the form sha256={signature}"),
        ('"sha256={hex}"', "header", "may have been cut, quoted"),
        ("sha256={base64}", "encoding", "written in base64, not in hexadecimal"),
        ("sha256={base64url}", "encoding", "written in URL-safe base64"),
    ],
)
def test_a_signature_in_another_form(value: str, part: str, text: str) -> None:
    digests = {body: hmac.digest(TEXT.encode(), body, "sha256") for body in map(b"%d".__mod__, range(100))}
    body, digest = next((body, one) for body, one in digests.items() if urlsafe_b64encode(one) != b64encode(one))
    written = value.format(
        hex=digest.hex(), base64=b64encode(digest).decode(), base64url=urlsafe_b64encode(digest).decode()
    )
    one_difference(found("github", {"X-Hub-Signature-256": written}, body), part, text)


def test_another_algorithm_is_told_by_the_length_of_the_signature() -> None:
    digest = hmac.digest(TEXT.encode(), BODY, "sha1").hex()
    one_difference(
        found(Recipe(header="X-Sign"), {"X-Sign": digest}), "algorithm", "20 bytes, so it is made with HMAC-SHA1"
    )


@pytest.mark.parametrize("content", ["{timestamp}.{body}", "{timestamp}:{body}", "{timestamp}{body}", "{url}{body}"])
def test_another_content(content: str) -> None:
    recipe = Recipe(header="X-Sign", timestamp_header="X-Time", content=content)
    receiver = replace(recipe, content="{body}")
    one_difference(found(receiver, signed(recipe, TEXT)), "content", f"The sender signs {content!r}")


def test_a_timestamp_or_an_id_that_the_receiver_does_not_use() -> None:
    recipe = Recipe(
        header="X-Grafana-Alerting-Signature",
        timestamp_header="X-Grafana-Alerting-Timestamp",
        content="{timestamp}:{body}",
    )
    one_difference(found("grafana", signed(recipe, TEXT)), "content", "The sender signs '{timestamp}:{body}'")
    recipe = Recipe(
        header="X-Hub-Signature-256", format="sha256={signature}", id_header="webhook-id", content="{id}.{body}"
    )
    one_difference(found("github", signed(recipe, TEXT)), "content", "The sender signs '{id}.{body}'")


# -- the URL -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "got", "wanted", "text"),
    [
        (URL, URL, [], ""),
        (URL, URL.replace("example.com", "example.com:443"), [], ""),
        (URL, URL.replace("https", "http"), ["url"], "begins with https://"),
        (URL, URL.replace("hooks", "hooks/"), ["url"], "has no slash at the end"),
        (URL.replace("hooks", "hooks/"), URL, ["url"], "has a slash at the end"),
        ("https://api.example.com/?a=1&b=2", "https://api.example.com/?b=2&a=1", ["url"], "sorted by name"),
        ("https://api.example.com/x", "https://api.example.com/x?a=1", ["url"], "has no query"),
        (URL, "http://internal:8080/hooks?b=2&a=1", ["url", "url"], "has the host api.example.com"),
        (URL, "", ["url"], "it is not known here"),
    ],
)
def test_the_url_of_twilio(sent: str, got: str, wanted: list[str], text: str) -> None:
    body = "A=1&B=Zoë".encode()
    headers = {**signed("twilio", TEXT, body, url=sent, content_type=FORM), "Host": "api.example.com"}
    diagnosis = found("twilio", headers, body, url=got)
    assert parts(diagnosis) == wanted
    assert diagnosis.verified is not bool(wanted)
    assert diagnosis.explained is bool(got)
    assert text in texts(diagnosis)


def test_a_form_whose_content_type_is_lost() -> None:
    headers = signed("twilio", TEXT, b"A=1&B=2", content_type=FORM)
    del headers["Content-Type"]
    one_difference(found("twilio", headers, b"A=1&B=2"), "header", "the Content-Type here is missing")


def test_the_hash_of_a_body_in_the_url() -> None:
    made = Signer(SCHEMES["twilio"], [TEXT.encode()]).sign(Message("", 0, "POST", URL, BODY, "application/json"))
    headers = dict(made.headers)
    assert found("twilio", headers, url=made.url).verified
    one_difference(found("twilio", headers, COMPACT, url=made.url), "body", "with a space after each comma")
    diagnosis = found("twilio", headers, b'{"other": 1}', url=made.url)
    assert not diagnosis.explained
    assert "not the one in bodySHA256" in texts(diagnosis)


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apart", "text"),
    [(301, "5 min 1 s old"), (100_000, "1 d 3 h old"), (-400, "in the future"), (-7190, "a clock in local time")],
)
def test_a_timestamp_that_is_too_far_from_the_clock(apart: int, text: str) -> None:
    headers = signed("standard_webhooks", SECRET)
    diagnosis = found("standard_webhooks", headers, now=NOW + apart)
    one_difference(diagnosis, "clock", text)
    assert diagnosis.is_signed
    assert diagnosis.age == apart
    assert ("local time" in texts(diagnosis)) is (apart == -7190)


@pytest.mark.parametrize("apart", [-300, 0, 300])
def test_a_timestamp_within_the_tolerance(apart: int) -> None:
    assert found("slack", signed("slack", TEXT), now=NOW + apart).verified


def test_milliseconds() -> None:
    headers = signed("stripe", TEXT, timestamp=NOW * 1000)
    diagnosis = found("stripe", headers)
    one_difference(diagnosis, "clock", "in milliseconds")
    assert (diagnosis.is_signed, diagnosis.age) == (True, 0.0)


def test_a_timestamp_that_was_converted_before_signing() -> None:
    headers = {**signed("slack", TEXT, timestamp=NOW * 1000), "X-Slack-Request-Timestamp": str(NOW)}
    one_difference(found("slack", headers), "timestamp", "signed timestamp is in milliseconds")


def test_a_timestamp_that_is_missing() -> None:
    headers = signed("stripe", TEXT)
    headers["Stripe-Signature"] = headers["Stripe-Signature"].partition(",")[2]
    diagnosis = found("stripe", headers)
    assert (parts(diagnosis), diagnosis.explained) == (["timestamp"], False)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (300, "5 min"), (12_000, "3 h 20 min"), (200_000, "2 d 7 h")]
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert spelled(seconds) == text


# -- several, none, and what is never shown ----------------------------------------------------------------------------


def test_several_differences_are_found_together() -> None:
    headers = signed("standard_webhooks", SECRET.encode())
    diagnosis = found("standard_webhooks", headers, COMPACT, f"{SECRET}\n", now=NOW + 5000)
    assert parts(diagnosis) == ["key", "key", "body", "clock"]
    assert diagnosis.explained


def test_another_secret_is_not_explained() -> None:
    diagnosis = found("standard_webhooks", signed("standard_webhooks", SECRET), BODY, "whsec_" + "A" * 40)
    assert not diagnosis.explained
    assert not diagnosis.differences
    assert diagnosis.tried > 500


def test_a_secret_that_cannot_be_decoded_is_a_difference() -> None:
    diagnosis = found("standard_webhooks", signed("standard_webhooks", SECRET), BODY, "not base64!")
    assert parts(diagnosis) == ["key"]
    assert "not whsec_ followed by base64" in texts(diagnosis)


@pytest.mark.parametrize("prefix", ["whpk", "whsk"])
def test_ed25519(prefix: str) -> None:
    pair = (
        "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
        if prefix == "whsk"
        else "1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
    )
    secret = f"{prefix}_{pair}"
    value = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": value,
    }
    recipe = with_public_key(STANDARD_WEBHOOKS, secret)
    body = b'{"test": 2432232314}'
    assert found(recipe, headers, body, secret, now=1614265330).verified
    one_difference(found(recipe, headers, body + b"\n", secret, now=1614265330), "body", "line break")
    diagnosis = found("standard_webhooks", headers, body, SECRET, now=1614265330)
    assert "has only signatures of version v1a" in texts(diagnosis)


def test_a_large_body_is_bounded() -> None:
    body = b'{"a": [' + b"1, " * 100_000 + b"1]}"
    diagnosis = found("github", signed("github", TEXT), body)
    assert not diagnosis.explained
    assert diagnosis.tried < 1000


def checks(monkeypatch: pytest.MonkeyPatch, scheme: str, headers: Mapping[str, str], body: bytes, secret: str) -> int:
    """How many signatures are compared until the diagnosis gives up."""
    counted = 0

    def counting(recipe: Recipe, keys: Sequence[bytes], claim: Claim) -> bool:
        nonlocal counted
        counted += len(claim.signatures)
        return is_signed(recipe, keys, claim)

    monkeypatch.setattr(diagnosis_module, "is_signed", counting)
    recipe = with_public_key(SCHEMES[scheme], secret)
    assert not found(recipe, headers, body, secret).explained
    return counted


@pytest.mark.parametrize(("version", "length", "secret"), [("v1", 32, SECRET), ("v1a", 64, "whpk_" + "A" * 43 + "=")])
def test_the_number_of_signatures_does_not_multiply_the_work(
    monkeypatch: pytest.MonkeyPatch, version: str, length: int, secret: str
) -> None:
    """The sender decides how many signatures the header has."""
    signatures = [b64encode(number.to_bytes(length, "big")).decode() for number in range(1, 3001)]
    value = " ".join(f"{version},{signature}" for signature in signatures)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": value}
    assert checks(monkeypatch, "standard_webhooks", headers, BODY, secret) < 1_000_000


def test_deeply_nested_json_is_not_written_with_indentation() -> None:
    """Its size would be the square of its depth."""
    body = b'{"a":' * 800 + b"1" + b"}" * 800
    written = [len(variant.value) for variant in body_variants(body)]
    assert max(written) <= 4 * 64 * 1024


@settings(max_examples=60, deadline=None)
@given(
    scheme=st.sampled_from([*SCHEMES]),
    value=st.one_of(
        st.text(max_size=80),
        st.binary(min_size=20, max_size=64).map(lambda digest: f"v1,{b64encode(digest).decode()}"),
        st.binary(min_size=32, max_size=32).map(lambda digest: f"t={NOW},v1={digest.hex()},v0=,,"),
    ),
    name=st.sampled_from(["webhook-signature", "X-Hub-Signature-256", "Stripe-Signature", "X-Twilio-Signature", "x"]),
    timestamp=st.one_of(st.none(), st.text(max_size=8), st.integers().map(str)),
    body=st.one_of(
        st.binary(max_size=60), st.sampled_from([b"{}", b'{"a":[1e999,NaN]}', b'"x', b"\x1f\x8b", b"a=%ff&"])
    ),
    secret=st.text(min_size=1, max_size=20),
    url=st.one_of(st.just(""), st.text(max_size=20), st.just("https://[::1]:99999/")),
)
def test_no_request_makes_it_fail(**drawn: Any) -> None:
    headers = {drawn["name"]: drawn["value"]}
    if drawn["timestamp"] is not None:
        headers["webhook-timestamp"] = drawn["timestamp"]
    recipe = SCHEMES[drawn["scheme"]]
    received = Received(headers, drawn["body"], "POST", drawn["url"])
    assert not diagnose(recipe, [drawn["secret"]], received, now=NOW).verified


@settings(max_examples=25, deadline=None)
@given(
    secret=st.text("abcdefghijklmnop", min_size=12, max_size=30),
    body=st.binary(min_size=1, max_size=60),
    suffix=st.sampled_from([b"", b"\n", b"x"]),
    scheme=st.sampled_from(["github", "stripe", "shopify"]),
)
def test_no_diagnosis_contains_a_secret_or_a_signature(secret: str, body: bytes, suffix: bytes, scheme: str) -> None:
    headers = signed(scheme, secret, body)
    right = [signed(scheme, secret, text).get(SCHEMES[scheme].header, "") for text in (body, body + suffix)]
    shown = repr(found(scheme, headers, body + suffix, secret, "another secret"))
    assert secret not in shown
    for value in right:
        assert value[-30:] not in shown
