"""A secret is masked in every encoding. The encodings are generated: those of other languages, nested in each other."""

from __future__ import annotations

import gzip
import html
import json
import quopri
import re
import zlib
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote_to_bytes

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hookctl.masking.masker import MOST_WORK, Masker
from hookctl.model import MASK

SPECIAL = "+/&<>\"'\\=%;:, #{}()~!?\u00e9\u00df\u20ac\u6f22\U0001f600"
SECRETS = st.text(st.sampled_from(SPECIAL + "abcdefXYZ0123456789-_."), min_size=6, max_size=24).filter(
    lambda text: text.strip() == text
)
AROUND = st.text(st.sampled_from('xyz {}[]:,"'), max_size=8)
PREFIX = st.text(st.sampled_from("user:name "), max_size=5)


# -- encoders ----------------------------------------------------------------------------------------------------------


def each(text: str, write: Callable[[str], str], which: str = "") -> str:
    """``text`` with each of its characters, or each that is in ``which``, written by ``write``."""
    return "".join(write(character) if not which or character in which else character for character in text)


def units(text: str, form: str) -> str:
    """Each UTF-16 unit of ``text`` in ``form``."""
    raw = text.encode("utf-16-be")
    return "".join(form % int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2))


def as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def as_go(text: str) -> str:
    return each(json.dumps(text, ensure_ascii=False)[1:-1], lambda character: units(character, "\\u%04x"), "<>&")


def as_gson(text: str) -> str:
    return each(json.dumps(text, ensure_ascii=False)[1:-1], lambda character: units(character, "\\u%04x"), "<>&='")


def as_base64_lines(text: str) -> str:
    return (
        encodebytes(("a line before the secret, long enough to be wrapped" + text).encode())
        .decode()
        .replace("\n", "\r\n")
    )


ENCODERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": lambda text: text.upper() if text.upper().lower() == text.lower() else text,
    "Python json.dumps": as_json,
    "Python json.dumps, UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "PHP json_encode": lambda text: as_json(text).replace("/", "\\/"),
    "Go encoding/json": as_go,
    "Java Gson": as_gson,
    "JSON, every character": lambda text: units(text, "\\u%04X"),
    "JavaScript, hexadecimal": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "JavaScript, braces": lambda text: each(text, lambda character: f"\\u{{{ord(character):x}}}"),
    "Python, long": lambda text: each(text, lambda character: f"\\U{ord(character):08X}"),
    "C, octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "encodeURIComponent": lambda text: quote(text, safe="!~*'()"),
    "form": quote_plus,
    "percent, lower case": lambda text: re.sub("%..", lambda match: match[0].lower(), quote(text, safe="")),
    "percent, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "JavaScript escape": lambda text: each(text, lambda character: units(character, "%%u%04X")),
    "Python html.escape": html.escape,
    "Go html/template": lambda text: each(html.escape(text), lambda character: f"&#{ord(character)};", "'+"),
    "PHP htmlspecialchars": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "entities, named": lambda text: (
        html.escape(text).replace("&#x27;", "&apos;").replace("+", "&plus;").replace("=", "&equals;")
    ),
    "entities, every character": lambda text: each(text, lambda character: f"&#x{ord(character):X};"),
    "entities, decimal": lambda text: each(text, lambda character: f"&#{ord(character)};"),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64, without padding": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "base64, for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64, in lines": as_base64_lines,
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "hexadecimal, with colons": lambda text: text.encode().hex(":"),
    "list of bytes": lambda text: json.dumps(list(text.encode())),
}


# -- decoders, written apart from the code under test ------------------------------------------------------------------


def unescaped(data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    text = re.sub(
        r"\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})",
        lambda match: chr(int(match[1] or match[2], 16) % 0x110000),
        text,
    )
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = re.sub(r"\\([\"'\\/])", r"\1", text)
    raw = text.encode()
    raw = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), raw)
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), raw)


def unlisted(data: bytes) -> bytes:
    return re.sub(
        rb"\[(\d+(?:, \d+)*)\]", lambda match: bytes(int(number) & 255 for number in match[1].split(b", ")), data
    )


def unquoted(data: bytes) -> bytes:
    raw = unquote_to_bytes(data)
    text = re.sub(rb"%u([0-9a-fA-F]{4})", lambda match: b"\\u" + match[1], raw)
    return unescaped(text) if text != raw else raw


def from_base64(data: bytes) -> Iterator[bytes]:
    joined = data.replace(b"\r\n", b"").replace(b"-", b"+").replace(b"_", b"/")
    for run in re.findall(rb"[A-Za-z0-9+/]{6,}", joined):
        for shift in range(4):
            cut = run[shift:]
            cut = cut[: len(cut) - (len(cut) % 4 == 1)]
            yield b64decode(cut + b"=" * (-len(cut) % 4))


def from_hex(data: bytes) -> Iterator[bytes]:
    for run in re.findall(rb"[0-9a-fA-F]{10,}", data.replace(b":", b"")):
        for shift in range(2):
            yield bytes.fromhex(run[shift : len(run) - (len(run) - shift) % 2].decode())


def decodings(data: bytes, depth: int) -> set[bytes]:
    """Everything that up to ``depth`` decoders make of ``data``."""
    known = latest = {data}
    for _ in range(depth):
        latest = {form for one in latest for form in once(one)} - known
        known |= latest
    return known


def once(data: bytes) -> Iterator[bytes]:
    yield unescaped(data)
    yield unquoted(data)
    yield data.replace(b"+", b" ")
    yield html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")
    yield quopri.decodestring(data)
    yield unlisted(data)
    yield from from_base64(data)
    yield from from_hex(data)


# -- properties --------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    SECRETS,
    st.lists(st.tuples(st.sampled_from(sorted(ENCODERS)), PREFIX, PREFIX), min_size=1, max_size=3),
    AROUND,
    AROUND,
)
def test_no_encoding_hides_a_secret(secret: str, stack: list[tuple[str, str, str]], before: str, after: str) -> None:
    assume(not set(secret) <= set('xyz {}[]:,"<>'))  # else it may be in the text around it
    text = secret
    for at, (name, prefix, suffix) in enumerate(stack):
        if name == "upper case" and any("base64" in earlier for earlier, _, _ in stack[:at]):
            continue  # base64 in another case is lost
        text = ENCODERS[name](prefix + text + suffix)
    original = f"{before}<{text}>{after}".encode()
    masked = Masker([secret]).body(original)
    assert MASK.encode() in masked
    assert masked.startswith(f"{before}<".encode())
    assert masked.endswith(f">{after}".encode())
    wanted = secret.lower().encode()
    assert [form for form in decodings(masked, len(stack)) if wanted in form.lower()] == []


@pytest.mark.parametrize("name", ENCODERS)
def test_the_decoders_of_this_test_undo_its_encoders(name: str) -> None:
    secret = "Zo\u00eb&+/=<'\"\\\U0001f600 1%41"
    known = decodings(ENCODERS[name](secret).encode(), 2)
    assert any(secret.encode().lower() in form.replace(b"ZO\xc3\x8b", b"zo\xc3\xab").lower() for form in known)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_secret_that_looks_encoded_itself(name: str) -> None:
    for secret in (
        "%41%42-\\u0043d",
        "&lt;\\n&amp;%25",
        "dGhlIHNlY3JldA==",
        "73656372657431",
        "a+b+c+d",
        "[1, 2, 3, 4]",
    ):
        masked = Masker([secret]).text(f"<{ENCODERS[name](secret)}>")
        assert MASK in masked
        assert not [form for form in decodings(masked.encode(), 1) if secret.lower().encode() in form.lower()]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_text_without_the_secret_stays(text: str) -> None:
    masker = Masker(["not-in-any-text", "n\u00f6t in any text"])
    assert masker.text(text) == text
    assert masker.body(text.encode()) == text.encode()


@settings(max_examples=150, deadline=None)
@given(SECRETS, st.sampled_from(sorted(ENCODERS)), st.data())
def test_what_the_cap_cuts_through_is_masked(secret: str, name: str, data: st.DataObject) -> None:
    encoded = ENCODERS[name](secret)
    cut = data.draw(st.integers(0, len(encoded)))
    masked = Masker([secret]).body(b"<" + encoded[:cut].encode(), cut=True)
    shown = decodings(masked, 1)
    prefixes = [secret[:length].lower().encode() for length in range(6, len(secret) + 1)]
    assert [form for form in shown if any(form.lower().endswith(prefix) for prefix in prefixes)] == []


# -- by example --------------------------------------------------------------------------------------------------------

SECRET = "s3cr3t+Canary/7"


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(SECRET.encode(), mtime=0),
        zlib.compress(b'{"you sent": "' + SECRET.replace("/", "\\/").encode() + b'"}'),
        gzip.compress(b"x" * 100_000 + b64encode(SECRET.encode()), mtime=0),
        gzip.compress(bytes(3 * MOST_WORK), mtime=0),
        SECRET.encode("utf-16"),
        json.dumps({"a": SECRET}).encode("utf-16-be"),
        SECRET.encode("utf-32"),
        b64encode(SECRET.encode("utf-16-le")),
        b64encode(gzip.compress(SECRET.encode(), mtime=0)),
    ],
)
def test_bodies_that_are_not_text(body: bytes) -> None:
    masked = Masker([SECRET]).body(body)
    assert MASK.encode() in masked
    assert Masker([SECRET]).find(masked) in ((), [])


def test_a_compressed_body_without_the_secret_stays() -> None:
    body = gzip.compress(b"nothing to see" * 100, mtime=0)
    assert Masker([SECRET]).body(body, encoding="gzip") == body


def test_a_body_that_cannot_be_decoded_is_masked_whole() -> None:
    deflate = zlib.compressobj(wbits=-15)
    bare = deflate.compress(SECRET.encode() * 3) + deflate.flush()
    assert Masker([SECRET]).body(bare, encoding="deflate") == b"***"
    assert Masker([SECRET]).body(b"\x8b\x00\x80abc\x03", encoding="br") == b"***"
    assert Masker([]).body(b"\x8b\x00\x80abc\x03", encoding="br") == b"\x8b\x00\x80abc\x03"


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-16-le", "utf-16-be"])
def test_character_sets(charset: str) -> None:
    secret = "p\u00e4ssw\u00f6rter"
    assert Masker([secret]).body(b"<" + secret.encode(charset) + b">") == b"<***>"
    assert Masker([secret]).text(f"<{secret.encode().decode('latin-1')}>") == "<***>"


def test_a_masked_body_is_still_what_it_was() -> None:
    body = b'{"token": "s3cr3t\\u002bCanary\\/7", "status": "no"}'
    assert json.loads(Masker([SECRET]).body(body)) == {"token": "***", "status": "no"}


def test_the_neighbors_of_a_secret_in_base64_stay() -> None:
    masked = Masker([SECRET]).text(b64encode(f"user-name:{SECRET}, more text".encode()).decode())
    before, after = masked.split(MASK)
    assert b64decode(before[:12]) == b"user-name"
    assert len(before) == 13  # a letter more, which holds the first bits of the colon
    assert after.endswith(b64encode(b"e text").decode())


def test_numbers_are_masked() -> None:
    assert Masker(["1234567890"]).json({"a": [1234567890, 123456, True, None, 1.5]}) == {
        "a": ["***", 123456, True, None, 1.5]
    }


def test_pieces_that_were_cut_are_masked() -> None:
    masker = Masker([SECRET])
    assert masker.excerpt('got "s3cr3t+Can..." and "xs3cr3t+C…", not s3cr3') == 'got "***..." and "x***…", not s3cr3'
    assert masker.excerpt("got s3cr3t\\u002bCa") == "got ***"


def _inside(window: int) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, window)
    return deflater.compress(SECRET.encode()) + deflater.flush()


def _damaged() -> bytes:
    data = bytearray(gzip.compress(SECRET.encode(), mtime=0))
    data[-8] ^= 255
    return bytes(data)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (_damaged(), "gzip"),
        (zlib.compress(SECRET.encode()) + b"and more", ""),
        (gzip.compress(SECRET[:9].encode(), mtime=0) + gzip.compress(SECRET[9:].encode(), mtime=0), "gzip"),
        (
            b"".join(gzip.compress(str(n).encode(), mtime=0) for n in range(40))
            + gzip.compress(SECRET.encode(), mtime=0),
            "",
        ),
        (_inside(12), ""),
        (_inside(-15), "deflate"),
        (b"whatever it is", "identity, br"),
        (json.dumps({"a": {"b": {"c": {"d": list(SECRET.encode())}}}}, indent=4).encode(), ""),
        (json.dumps([f"0x{byte:02x}" for byte in SECRET.encode()]).encode(), ""),
        (".".join(f"{byte:02x}" for byte in SECRET.encode()).encode(), ""),
        ("".join(f"&#{byte:020d};" for byte in SECRET.encode()).encode(), ""),
        ("".join(f"\\u{{{byte:010x}}}" for byte in SECRET.encode()).encode(), ""),
        ("".join(f"={byte:02x}" for byte in SECRET.encode()).encode(), ""),
    ],
)
def test_what_readers_would_still_decode_is_masked(body: bytes, encoding: str) -> None:
    assert MASK.encode() in Masker([SECRET]).body(body, encoding=encoding)


def test_a_prefix_before_a_line_break_at_the_cap_is_masked() -> None:
    """The same bytes come from one line alone, where they are not at its end, and from both lines, where they are."""
    body = b"<" + b64encode(b"a line before the secret, long enough to be wrapped" + b"000000") + b"\r\nM"
    assert MASK.encode() in Masker(["0000000"]).body(body, cut=True)
