"""Masks secrets in the record of an attempt.

hookctl's own request is masked by place: a header or a part of the URL that contains a reference or comes from auth.
This does not depend on the form of the secret. Text from outside may repeat a secret anywhere, so it is searched: see
:mod:`hookctl.masking.masker`.
"""

from __future__ import annotations

from itertools import chain

from hookctl.masking.masker import Masker
from hookctl.model import MASK, Failure, Mismatch, Response, Verdict, known_cause

SCHEMES = ("Bearer ", "Basic ", "Digest ", "Negotiate ", "AWS4-HMAC-SHA256 ")
"""Authentication schemes. A record shows only the scheme of a header that auth added."""


def mask_header_value(value: str) -> str:
    """``***``, after the authentication scheme if there is one."""
    return next((scheme + MASK for scheme in SCHEMES if value.startswith(scheme)), MASK)


def without_scheme(value: str) -> str:
    """The credentials in a header value."""
    return next((value.removeprefix(scheme) for scheme in SCHEMES if value.startswith(scheme)), value)


class Redactor(Masker):
    """Masks the secrets that it knows in responses, verdicts and failures."""

    __slots__ = ()

    def response(self, response: Response) -> Response:
        """``response`` with its reason, headers and body masked."""
        head = " ".join((response.reason, *chain.from_iterable(response.headers)))
        encoding = ",".join(value for name, value in response.headers if name.lower() == "content-encoding")
        body = self.body(response.body, cut=response.truncated, encoding=encoding)
        if body is response.body and not self.find(head.encode("utf-8", "surrogatepass")):
            return response
        return Response(
            status=response.status,
            reason=self.text(response.reason),
            headers=tuple((self.text(name), self.text(value)) for name, value in response.headers),
            body=body,
            truncated=response.truncated,
            framed=response.framed,
        )

    def verdict(self, verdict: Verdict) -> Verdict:
        """``verdict`` with secrets masked in the values that it quotes from the response."""
        if verdict.passed:
            return verdict
        return Verdict(verdict.validator, tuple(self._mismatch(mismatch) for mismatch in verdict.mismatches))

    def failure(self, failure: Failure) -> Failure:
        """``failure`` with secrets masked in its message, which may quote a response. An unknown cause is dropped."""
        return Failure(failure.kind, self.excerpt(failure.message), known_cause(failure.cause))

    def _mismatch(self, mismatch: Mismatch) -> Mismatch:
        return Mismatch(
            validator=mismatch.validator,
            message=self.excerpt(mismatch.message),
            path=self.excerpt(mismatch.path),
            expected=mismatch.expected,
            got=self.json(mismatch.got),
        )
