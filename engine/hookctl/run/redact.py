"""Masks secrets in what is kept of an attempt.

Our own request is masked by place: a header or a part of the URL that holds a reference or that auth put there. That
needs to know nothing about how a secret looks. The target's response is another's text: a target that echoes a
secret may do so anywhere, so that there is no place to mask by, and the text itself is searched, in the encodings in
which an echo comes. Secrets shorter than six characters are left alone there: masking each ``a`` helps nobody.
"""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from urllib.parse import quote, quote_plus

from hookctl.model import MASK, Json, Mismatch, Response, Verdict

SHORTEST = 6
SCHEMES = ("Bearer ", "Basic ", "Digest ", "Negotiate ", "AWS4-HMAC-SHA256 ")
"""What may be seen of a header that auth added."""


def mask_header_value(value: str) -> str:
    """``***``, with the authentication scheme before it where there is one."""
    return next((scheme + MASK for scheme in SCHEMES if value.startswith(scheme)), MASK)


def without_scheme(value: str) -> str:
    """The credentials in a header value."""
    return next((value.removeprefix(scheme) for scheme in SCHEMES if value.startswith(scheme)), value)


class Redactor:
    """Finds secrets in text that a target sent, in the encodings of an echo."""

    __slots__ = ("_bytes", "_texts")

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {form for secret in secrets for form in _forms(secret)}
        self._texts = tuple(sorted(found, key=len, reverse=True))  # the longest first: one may be part of another
        self._bytes = tuple(form.encode("utf-8", "surrogateescape") for form in self._texts)

    def text(self, text: str) -> str:
        """``text`` with every secret in it masked."""
        for form in self._texts:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def body(self, body: bytes, *, truncated: bool = False) -> bytes:
        """``body`` with every secret in it masked; also one that the cap cut through."""
        for form in self._bytes:
            if form in body:
                body = body.replace(form, MASK.encode())
        if truncated:
            for form in self._bytes:
                for length in range(len(form) - 1, SHORTEST - 1, -1):
                    if body.endswith(form[:length]):
                        return body[:-length] + MASK.encode()
        return body

    def json(self, value: Json) -> Json:
        """``value`` with every string in it masked, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.json(item) for key, item in value.items()}
        return value

    def response(self, response: Response) -> Response:
        """``response`` with its reason, headers and body masked."""
        if not response.truncated and not self._occurs_in(response):
            return response
        return Response(
            status=response.status,
            reason=self.text(response.reason),
            headers=tuple((self.text(name), self.text(value)) for name, value in response.headers),
            body=self.body(response.body, truncated=response.truncated),
            truncated=response.truncated,
            framed=response.framed,
        )

    def _occurs_in(self, response: Response) -> bool:
        body, head = response.body, "\n".join((response.reason, *chain.from_iterable(response.headers)))
        return any(raw in body or form in head for form, raw in zip(self._texts, self._bytes, strict=True))

    def verdict(self, verdict: Verdict) -> Verdict:
        """``verdict`` with what it repeats of the response masked."""
        if verdict.passed or not self._texts:
            return verdict
        return Verdict(verdict.validator, tuple(self._mismatch(mismatch) for mismatch in verdict.mismatches))

    def _mismatch(self, mismatch: Mismatch) -> Mismatch:
        return Mismatch(
            validator=mismatch.validator,
            message=self.text(mismatch.message),
            path=self.text(mismatch.path),
            expected=mismatch.expected,
            got=self.json(mismatch.got),
        )


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST:
        return
    raw = secret.encode("utf-8", "surrogateescape")
    yield secret
    percent = quote(secret, safe="", errors="surrogateescape")
    for form in (percent, quote(secret, errors="surrogateescape"), quote_plus(secret, errors="surrogateescape")):
        yield form
        yield _lower_escapes(form)
    for quoted in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        yield quoted[1:-1]
        yield quoted[1:-1].replace("/", "\\/")
    yield html.escape(secret)
    for encode in (b64encode, urlsafe_b64encode):
        yield from _base64_forms(raw, encode)


def _lower_escapes(percent: str) -> str:
    first, *rest = percent.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _base64_forms(raw: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """The secret alone, and what of it is the same in any text around it: base64 depends on where in the text it begins."""
    yield encode(raw).decode()
    for shift, start in ((0, 0), (1, 2), (2, 3)):
        encoded = encode(b"\0" * shift + raw).decode().rstrip("=")
        end = len(encoded) - 1 if (shift + len(raw)) % 3 else len(encoded)
        yield encoded[start:end]
