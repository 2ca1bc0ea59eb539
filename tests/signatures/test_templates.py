from __future__ import annotations

import pytest

from hookctl.errors import TemplateError
from hookctl.signatures import PRESETS, STANDARD_WEBHOOKS, parse_content, parse_format
from hookctl.signatures.signing import VALUES
from hookctl.signatures.templates import CONTENT_NAMES, Format, Name


def test_content_is_text_and_names() -> None:
    assert parse_content("v0:{timestamp}:{body}") == ("v0:", Name("timestamp"), ":", Name("body"))
    assert parse_content("") == ()


def test_every_name_has_a_value() -> None:
    assert VALUES.keys() == CONTENT_NAMES.keys()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{timestamp}.{bdy}", "{bdy}", "unknown name {bdy}"),
        ("{}", "{}", "unknown name {}"),
        ("{signature}", "{signature}", "unknown name {signature}"),
        ("a{body", "{", "this brace does not enclose a name"),
        ("{body}}", "}", "this brace does not enclose a name"),
        ("{{ body }}", "{", "this brace does not enclose a name"),
        ("{body!r}", "{", "this brace does not enclose a name"),
        ("${env:KEY}", "{", "this brace does not enclose a name"),
    ],
)
def test_anything_else_in_content_is_refused_at_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse_content(text)
    assert (raised.value.message, text[raised.value.start : raised.value.end]) == (message, place)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(TemplateError) as raised:
        parse_content("{timestmp}")
    assert raised.value.hint.startswith("Did you mean {timestamp}?")


def test_a_format_has_a_part_for_each_further_signature() -> None:
    signature, timestamp = Name("signature"), Name("timestamp")
    assert parse_format("sha256={signature}") == Format(("sha256=", signature), ())
    assert parse_format("t={timestamp},v1={signature}[,v1={signature}]") == Format(
        ("t=", timestamp, ",v1=", signature), (",v1=", signature)
    )


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("sha256=", "sha256=", "format does not contain {signature} exactly once"),
        ("{signature}{signature}", "{signature}{signature}", "format does not contain {signature} exactly once"),
        ("{signature}[,x]", ",x", "format does not contain {signature} exactly once"),
        ("{signature}[{signature}]", "{signature}", "in format, a further signature does not begin with a separator"),
        ("{signature}[x{signature}]", "x{signature}", "in format, a further signature does not begin with a separator"),
        ("[{signature}] ", "[{signature}] ", "the brackets in format are not one pair at its end"),
        ("{signature}[]", "[]", "the brackets in format are not one pair at its end"),
        ("{signature}]", "]", "the brackets in format are not one pair at its end"),
        ("t={time},{signature}", "{time}", "unknown name {time}"),
        ("{signature}[,{sig}]", "{sig}", "unknown name {sig}"),
    ],
)
def test_anything_else_in_a_format_is_refused_at_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse_format(text)
    assert (raised.value.message, text[raised.value.start : raised.value.end]) == (message, place)


def test_every_preset_is_sound() -> None:
    for recipe in (STANDARD_WEBHOOKS, *PRESETS.values()):
        assert parse_content(recipe.content)
        assert parse_format(recipe.format)
