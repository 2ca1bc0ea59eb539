"""Published vectors, and recipes of one's own."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from hookctl.errors import SecretError, TemplateError
from hookctl.signatures import (
    PRESETS,
    STANDARD_WEBHOOKS,
    STANDARD_WEBHOOKS_ED25519,
    KeyDecoding,
    Message,
    Recipe,
    Signer,
    decode_key,
)

BODY = b'{"test": 2432232314}'
MESSAGE = Message(
    "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "post", "https://a.example/b?c=d", BODY, "application/json"
)
ED25519 = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="


def signed(recipe: Recipe, *secrets: str, message: Message = MESSAGE, key: KeyDecoding | None = None) -> dict[str, str]:
    return dict(Signer(recipe, [decode_key(secret, key or recipe.key) for secret in secrets]).sign(message).headers)


@pytest.mark.parametrize(
    ("secret", "message", "signature"),
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", MESSAGE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            Message("msg_loFOjxBNrRLzqYUf", 1731705121, "", "", b'{"event_type":"ping","data":{"success":true}}'),
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
    ],
)
def test_vectors_of_standard_webhooks(secret: str, message: Message, signature: str) -> None:
    assert signed(STANDARD_WEBHOOKS, secret, message=message) == {
        "webhook-signature": signature,
        "webhook-timestamp": str(message.timestamp),
        "webhook-id": message.id,
    }


def test_the_vector_of_ed25519() -> None:
    signature = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    assert signed(STANDARD_WEBHOOKS_ED25519, ED25519)["webhook-signature"] == signature


def test_a_public_key_that_is_of_another_private_key_is_refused() -> None:
    key = bytearray(decode_key(ED25519, "whsk"))
    key[40] ^= 1
    with pytest.raises(SecretError, match="does not belong to the private key"):
        Signer(STANDARD_WEBHOOKS_ED25519, [bytes(key)])


def test_the_example_of_githubs_documentation() -> None:
    message = replace(MESSAGE, body=b"Hello, World!")
    assert signed(PRESETS["github"], "It's a Secret to Everybody", message=message) == {
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }


def test_the_example_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    message = replace(MESSAGE, timestamp=1531420618, body=body)
    assert signed(PRESETS["slack"], "8f742231b10e8888abcd99yyyzzz85a5", message=message) == {
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "X-Slack-Request-Timestamp": "1531420618",
    }


def test_the_example_of_twilios_documentation() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    message = Message(
        "1", 0, "POST", "https://example.com/myapp.php?foo=1&bar=2", urlencode(form).encode(),
        "application/x-www-form-urlencoded; charset=utf-8",
    )  # fmt: skip
    assert signed(PRESETS["twilio"], "12345", message=message) == {"X-Twilio-Signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="}


def test_twilios_library_sorts_the_fields_of_a_form_as_the_recipe_does() -> None:
    fields = {"b": ["2", "1", "2"], "ä": ["ü=&"], "B": [""], "a": ["+ %"]}
    body = urlencode([(name, value) for name, values in fields.items() for value in values]).encode()
    message = replace(MESSAGE, body=body, content_type="application/x-www-form-urlencoded")
    validator = importlib.import_module("twilio.request_validator").RequestValidator("12345")
    validator.get_values = lambda _, name: fields[name]
    assert signed(PRESETS["twilio"], "12345", message=message) == {
        "X-Twilio-Signature": validator.compute_signature(MESSAGE.url, fields)
    }


def test_outpost_and_grafana_sign_as_their_code_does() -> None:
    digest = hmac.digest(b"s", BODY, "sha256").hex()
    before = hmac.digest(b"old", BODY, "sha256").hex()
    assert signed(PRESETS["outpost"], "s") == {"x-outpost-signature": f"v0={digest}"}
    assert signed(PRESETS["outpost"], "s", "old") == {"x-outpost-signature": f"v0={digest},{before}"}
    assert signed(PRESETS["grafana"], "s") == {"X-Grafana-Alerting-Signature": digest}
    timed = replace(
        PRESETS["grafana"], content="{timestamp}:{body}", timestamp_header="X-Grafana-Alerting-Timestamp"
    )  # what Grafana does if a timestamp header is set
    assert signed(timed, "s") == {
        "X-Grafana-Alerting-Signature": hmac.digest(b"s", b"1614265330:" + BODY, "sha256").hex(),
        "X-Grafana-Alerting-Timestamp": "1614265330",
    }


def test_a_recipe_may_sign_method_url_and_hash() -> None:
    recipe = Recipe(
        header="X-Sig",
        algorithm="sha512",
        key="hex",
        content="{method}\n{url}\n{id}\n{body_sha256}",
        format="id={id},t={timestamp},s={signature}",
        id_header="X-Id",
    )
    content = f"POST\nhttps://a.example/b?c=d\n{MESSAGE.id}\n{hashlib.sha256(BODY).hexdigest()}"
    signature = hmac.digest(bytes.fromhex("00ff"), content.encode(), "sha512").hex()
    assert signed(recipe, "00FF") == {
        "X-Sig": f"id={MESSAGE.id},t=1614265330,s={signature}",
        "X-Id": MESSAGE.id,
    }


@pytest.mark.parametrize(("url", "separator"), [("https://a.example/b", "?"), ("https://a.example/b?c=d", "&")])
def test_the_hash_of_a_body_that_is_not_a_form_goes_into_the_url(url: str, separator: str) -> None:
    sent = Signer(PRESETS["twilio"], [b"s"]).sign(replace(MESSAGE, url=url))
    assert sent.url == f"{url}{separator}bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    assert (
        sent.headers
        == Signer(replace(PRESETS["twilio"], body_hash_parameter=""), [b"s"])
        .sign(replace(MESSAGE, url=sent.url))
        .headers
    )
    for message in (replace(MESSAGE, body=b""), replace(MESSAGE, content_type="application/x-www-form-urlencoded")):
        assert Signer(PRESETS["twilio"], [b"s"]).sign(message).url == MESSAGE.url


def test_two_keys_need_a_format_with_place_for_two_signatures() -> None:
    with pytest.raises(TemplateError, match="place for one signature"):
        Signer(PRESETS["github"], [b"a", b"b"])
    both = signed(STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_plJ3nmyCDGBKInavdOK15jsl")
    first, second = both["webhook-signature"].split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second == signed(STANDARD_WEBHOOKS, "whsec_plJ3nmyCDGBKInavdOK15jsl")["webhook-signature"]


def test_nothing_that_signs_shows_a_signature() -> None:
    sent = Signer(PRESETS["github"], [b"canary"]).sign(MESSAGE)
    assert json.dumps(dict(sent.headers))[-10:-2] not in repr(sent)
