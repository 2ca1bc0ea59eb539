"""Variants of a key, a URL, a timestamp and a recipe: what senders and receivers confuse, each with how it differs."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from hookctl.errors import SecretError
from hookctl.signatures.keys import decode_key
from hookctl.signatures.recipe import Algorithm, KeyDecoding, Message, Recipe
from hookctl.signatures.schemes import SCHEMES
from hookctl.signatures.templates import CONTENT_NAMES

Value = TypeVar("Value")


class Part(StrEnum):
    """What can differ between the sender's signature and the receiver's check."""

    HEADER = "header"
    KEY = "key"
    BODY = "body"
    URL = "url"
    TIMESTAMP = "timestamp"
    CONTENT = "content"
    ALGORITHM = "algorithm"
    ENCODING = "encoding"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, and what to change in the receiver. Contains neither secrets nor signatures."""

    part: Part
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Variant(Generic[Value]):
    """A value to try, and how it differs from what the receiver uses; no differences: it is what the receiver uses."""

    value: Value
    differences: tuple[Difference, ...] = ()


WHERE_READ = "Correct the secret where the receiver reads it, or remove these characters there."
KEY_TEXTS: Sequence[tuple[str, str, str]] = (
    ("stripped", "The key is the secret without the white space around it.", WHERE_READ),
    ("unquoted", "The key is the secret without the quotation marks around it.", WHERE_READ),
    (
        "line break",
        "The sender's key ends with a line break that the secret here does not have.",
        "Remove the line break from the secret at the sender. `echo` adds one, `printf '%s'` does not.",
    ),
    ("unescaped", "The key is the secret with its percent escapes decoded.", WHERE_READ),
)
"""What may have happened to the text of a secret: name, difference, and fix."""
KEY_DECODINGS: Mapping[str, tuple[str, str]] = {
    "utf-8": (
        "The key is the secret's whole text as UTF-8. It is not decoded from anything.",
        "Use the bytes of the text as the key, with its prefix if it has one.",
    ),
    "without prefix": (
        "The key is the text after the prefix as UTF-8. It is not decoded from base64.",
        "Remove the prefix, and use the bytes of the remaining text as the key.",
    ),
    "base64": (
        "The key is decoded from base64, without the prefix whsec_ if there is one.",
        "Remove the prefix, and decode the remaining text from base64 before you use it as the key.",
    ),
    "base64url": (
        "The key is decoded from URL-safe base64, which has - and _ instead of + and /.",
        "Decode the secret with the URL-safe alphabet.",
    ),
    "hex": ("The key is decoded from hexadecimal digits.", "Decode the secret from hexadecimal before you use it."),
}
"""How a sender may decode a secret, and what to do about it."""
CONTENTS: Sequence[str] = (
    "{timestamp}{body}",
    "{timestamp}:{body}",
    "{timestamp}\n{body}",
    "{body}{timestamp}",
    "{id}.{body}",
    "{id}{timestamp}{body}",
    "{body_sha256}",
    "{url}{body}",
    "{method}{url}{body}",
    "{method}{url}{timestamp}{body}",
)
"""What senders sign, beyond the contents of the presets."""
ALGORITHMS: Mapping[int, Algorithm] = {20: "sha1", 32: "sha256", 64: "sha512"}
"""The HMACs by the length of their signatures in bytes."""
FORM = "application/x-www-form-urlencoded"
_PREFIX = re.compile(r"^[a-z]{2,10}_")


def key_variants(secret: str, how: KeyDecoding) -> Iterator[Variant[bytes | None]]:
    """The key as ``how`` decodes it, or None if it cannot, and then every other key that the secret may stand for."""
    known: set[bytes | None] = set()
    for text, changes in _texts(secret):
        for key, differences in _decoded(text, how, is_first=not changes):
            if key not in known:
                known.add(key)
                yield Variant(key, (*changes, *differences))


def _texts(secret: str) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    yield secret, ()
    stripped = secret.strip(" \t\r\n\v\f\0\ufeff\u00a0")
    texts = {
        "stripped": stripped,
        "unquoted": stripped.strip("\"'`"),
        "line break": f"{secret}\n",
        "unescaped": unquote(stripped),
    }
    for name, what, fix in KEY_TEXTS:
        if texts[name] not in (secret, "") and (name in {"stripped", "line break"} or texts[name] != stripped):
            yield texts[name], (Difference(Part.KEY, what, fix),)


def _decoded(text: str, how: KeyDecoding, *, is_first: bool) -> Iterator[tuple[bytes | None, tuple[Difference, ...]]]:
    try:
        yield decode_key(text, how), ()
    except SecretError:
        if is_first:
            yield None, ()
    rest = _PREFIX.sub("", text)
    ways = {
        "utf-8": text.encode(errors="surrogatepass"),
        "without prefix": rest.encode(errors="surrogatepass") if rest != text else b"",
        "base64": _from_base64(rest, url_safe=False),
        "base64url": _from_base64(rest, url_safe=True),
        "hex": _from_hex(rest),
    }
    for name, key in ways.items():
        if key:
            yield key, (Difference(Part.KEY, *KEY_DECODINGS[name]),)


def _from_base64(text: str, *, url_safe: bool) -> bytes:
    text = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    if url_safe and not ("-" in text or "_" in text):
        return b""
    try:
        return urlsafe_b64decode(text) if url_safe else b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def recipe_variants(recipe: Recipe, lengths: Sequence[int]) -> Iterator[Variant[Recipe]]:
    """The recipe, and then others by what they sign. ``lengths`` are those of the received signatures in bytes."""
    algorithm, differences = recipe.algorithm, tuple[Difference, ...]()
    fitting = [ALGORITHMS[length] for length in lengths if length in ALGORITHMS]
    if fitting and algorithm != "ed25519" and algorithm not in fitting:
        differences = (
            Difference(
                Part.ALGORITHM,
                f"The signature has {lengths[0]} bytes, so it is made with HMAC-{fitting[0].upper()}, "
                f"not HMAC-{algorithm.upper()}.",
                f"Compute HMAC-{fitting[0].upper()}.",
            ),
        )
        algorithm = fitting[0]
    yield Variant(replace(recipe, algorithm=algorithm), differences)
    named = {one.content: name for name, one in reversed([*SCHEMES.items()])}
    for content in [*named, *CONTENTS]:
        if content != recipe.content:
            also = f", as {named[content]} does" if content in named else ""
            what = f"The sender signs {content!r}{also}, not {recipe.content!r}."
            fix = f"Compute the signature over {_spelled(content)}."
            yield Variant(
                replace(recipe, algorithm=algorithm, content=content, body_hash_parameter=""),
                (*differences, Difference(Part.CONTENT, what, fix)),
            )


def _spelled(content: str) -> str:
    """A content in words: ``the timestamp, ".", the body``."""
    parts = [part for part in re.split(r"(\{\w+\})", content) if part]
    words = [f"the {part[1:-1]}" if part[1:-1] in CONTENT_NAMES else f'"{part}"' for part in parts]
    return ", ".join(words).replace("\n", "\\n").replace("body_sha256", "SHA-256 of the body in hexadecimal")


def target_variants(message: Message, content: str, headers: Mapping[str, str]) -> Iterator[Variant[Message]]:
    """The message, and then others by their timestamp or their URL, as far as ``content`` has them."""
    yield Variant(message)
    if "{parameters}" in content and not message.is_form and re.match(rb"[^{\[=\s]+=", message.body):
        what = f"The body is a form, but the Content-Type here is {message.content_type or 'missing'}."
        fix = f"Pass the header on to the code that verifies: Content-Type: {FORM}"
        yield Variant(replace(message, content_type=FORM), (Difference(Part.HEADER, what, fix),))
    if "{timestamp}" in content and message.timestamp:
        yield from _timestamps(message)
    if "{url}" in content and message.url:
        yield from _urls(message, headers)


def _timestamps(message: Message) -> Iterator[Variant[Message]]:
    fix = "Use the text of the header as it is, without converting it."
    if message.timestamp >= 10**11:
        what = "The signed timestamp is in seconds, and the header has it in milliseconds."
        yield Variant(replace(message, timestamp=message.timestamp // 1000), (Difference(Part.TIMESTAMP, what, fix),))
    else:
        what = "The signed timestamp is in milliseconds, and the header has it in seconds."
        yield Variant(replace(message, timestamp=message.timestamp * 1000), (Difference(Part.TIMESTAMP, what, fix),))


def _urls(message: Message, headers: Mapping[str, str]) -> Iterator[Variant[Message]]:
    try:
        url = urlsplit(message.url)
        _ = url.port
    except ValueError:
        return
    known = {message.url}
    other = "http" if url.scheme == "https" else "https"
    fix = "Use the public URL that the sender calls. Behind a proxy, rebuild it from X-Forwarded-Proto and -Host."
    schemes = [(url.scheme, ""), (other, f"begins with {other}://")]
    hosts = [(url.netloc, "")]
    if forwarded := headers.get("x-forwarded-host", headers.get("host", "")):
        hosts.append((forwarded, f"has the host {forwarded}"))
    bare = url.path.rstrip("/")
    paths = [
        (url.path, ""),
        (bare, "has no slash at the end of its path"),
        (f"{bare}/", "has a slash at the end of it"),
    ]
    pairs = parse_qsl(url.query, keep_blank_values=True)
    queries = [(url.query, ""), ("", "has no query")]
    if pairs:
        queries += [
            (urlencode(sorted(pairs)), "has its query parameters sorted by name"),
            (urlencode(pairs), "has its query percent-encoded in another way"),
        ]
    for chosen in product(schemes, hosts, paths, queries):
        (scheme, _), (host, _), (path, _), (query, _) = chosen
        text = url._replace(scheme=scheme, netloc=host, path=path, query=query).geturl()
        if text not in known:
            known.add(text)
            words = [words for _, words in chosen if words]
            yield Variant(
                replace(message, url=text),
                tuple(Difference(Part.URL, f"The signed URL {word}.", fix) for word in words),
            )
