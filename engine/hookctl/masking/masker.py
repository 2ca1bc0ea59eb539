"""Masks secrets in text from outside.

A response of a target or a token endpoint may contain a secret anywhere, in any encoding. So the masker searches the
text, its decoded views (:mod:`hookctl.masking.encodings` and :mod:`hookctl.masking.compressed`), and the views of those
views. It masks each secret that it finds in a view at its place in the text. :data:`MOST_WORK` bounds the search: if a
text would take more work, all of it is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hookctl.masking import compressed, encodings
from hookctl.masking.views import Span, View
from hookctl.model import MASK, Json

SHORTEST = 6
"""The minimum length in characters. Shorter secrets are not masked, because masking every ``a`` makes text useless."""
MOST_WORK = 2 * 1024 * 1024
"""The maximum work of one search, in bytes of views."""
PIECE_WORK = 24
"""The work, in bytes, that each piece of a view and each found secret counts for."""
_FOLDED = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ+", b"abcdefghijklmnopqrstuvwxyz ")
"""Ignores case, and treats ``+`` as a space, as in forms."""
_MOST_ODD_BYTES = 4
"""The number of bytes that a truncated character may leave at the end of a view."""
_READABLE = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Content-Encodings that can be decoded."""


class Masker:
    """Masks the secrets that it knows. It contains them, so it must never be shown."""

    __slots__ = ("_is_ascii", "_needles", "_run", "_shortest")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._needles = tuple({needle for secret in secrets for needle in _needles(secret)})
        self._shortest = min(map(len, self._needles), default=SHORTEST)
        self._run = b"a" * encodings.least_letters(self._shortest)
        self._is_ascii = all(needle.isascii() for needle in self._needles)

    def text(self, text: str, *, cut: bool = False) -> str:
        """``text`` with every secret in it masked.

        ``cut``: the text was truncated, so also mask the first part of a secret at its end.
        """
        if not self._needles:
            return text
        data = text.encode("utf-8", "surrogatepass")
        spans = self.find(data, cut=cut)
        return _decoded_text(_masked(data, spans)) if spans else text

    def excerpt(self, text: str) -> str:
        """As :meth:`text`, for text that quotes pieces of another text.

        Each piece may be truncated and end in ``...``.
        """
        text = self.text(text)
        for mark in ("...", "…"):
            text = mark.join(self.text(piece, cut=True) for piece in text.split(mark))
        return text

    def body(self, body: bytes, *, cut: bool = False, encoding: str = "") -> bytes:
        """``body`` with every secret in it masked.

        A body whose decompressed content contains a secret is masked completely; so is a body that cannot be
        decompressed.

        Args:
            body: The body as received.
            cut: Whether the limit may have truncated a secret.
            encoding: The body's Content-Encoding; several are separated by commas.
        """
        if not self._needles or not body:
            return body
        codings = {coding.strip() for coding in encoding.lower().split(",")}
        if not codings <= _READABLE:
            return MASK.encode()
        spans = self.find(body, cut=cut, deflated="deflate" in codings)
        return _masked(body, spans) if spans else body

    def json(self, value: Json) -> Json:
        """``value`` with secrets masked in every string, number and key."""
        if isinstance(value, str):
            return self.excerpt(value)
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, dict):
            return {self.excerpt(key): self.json(item) for key, item in value.items()}
        if isinstance(value, int | float) and self.text(text := str(value)) != text:
            return MASK
        return value

    def find(self, data: bytes, *, cut: bool = False, deflated: bool = False) -> Sequence[Span]:
        """The places of secrets in ``data``, in any order; all of ``data`` if the search would take too much work."""
        if not self._needles or (not cut and not deflated and self._is_plain(data)):
            return ()
        root = View(data, at_end=cut)
        waiting, seen, spans, work = [root], {(data, cut)}, list[Span](), len(data)
        for view in waiting:  # the list grows during the loop
            for span in self._in_view(view, len(data)):
                spans.append(span)
                work += PIECE_WORK
            for child in self._decoded(view, cut, max(0, MOST_WORK - work), deflated=deflated and _is_layer(view)):
                work += len(child.data) + PIECE_WORK * len(child.pieces)
                if work > MOST_WORK:
                    return [(0, len(data))]
                if (child.data, child.at_end) not in seen:
                    seen.add((child.data, child.at_end))
                    waiting.append(child)
        return spans

    def _is_plain(self, data: bytes) -> bool:
        """Whether ``data`` contains no secret and nothing to decode, as is the case for most responses."""
        folded = data.translate(_FOLDED)
        for needle in self._needles:
            if needle in folded:
                return False
        if encodings.has_escapes(data) or compressed.may_be_compressed(data):
            return False
        marks = encodings.kinds(data)
        return b"c" not in marks and self._run not in marks and not encodings.may_hold_list(data, self._shortest)

    def _in_view(self, view: View, length: int) -> Iterator[Span]:
        folded = view.data.translate(_FOLDED)
        for needle in self._needles:
            at = folded.find(needle)
            while at >= 0:
                yield view.original(at, at + len(needle))
                at = folded.find(needle, at + len(needle))
            if view.at_end and (start := _cut_at(folded, needle)) is not None:
                yield view.original(start, len(folded))[0], length

    def _decoded(self, view: View, cut: bool, limit: int, *, deflated: bool) -> Iterator[View]:
        """The views that ``view`` decodes to in one step. ``limit`` is the maximum number of decompressed bytes."""
        data = view.data
        if deflated:
            yield from compressed.inflated(view, 0, -15, limit)
        shortest = SHORTEST if cut else self._shortest
        marks = encodings.kinds(data)
        if b"c" in marks:
            yield from compressed.decompressed(view, limit)
            if not encodings.may_hold_text(data, shortest, is_ascii=self._is_ascii):
                return
            yield from encodings.texts(view)
        else:
            if compressed.may_be_compressed(data):
                yield from compressed.decompressed(view, limit)
            yield from encodings.escaped(view)
        yield from encodings.encoded(view, marks, shortest, by_alignment=cut)
        if encodings.may_hold_list(data, shortest):
            yield from encodings.listed(view)


def _is_layer(view: View) -> bool:
    """Whether ``view`` is a complete body, or its decompressed content: with several codings, another may follow."""
    return view.parent is None or (view.pieces[0][1] == 0 and view.pieces[0][3] == 0 and len(view.pieces) == 1)


def _needles(secret: str) -> Iterator[bytes]:
    """The bytes to search for: the secret in each character set, and decoded if it contains escapes itself."""
    if len(secret) < SHORTEST:
        return
    bare = secret.strip()  # many servers strip the padding
    seen: set[bytes] = set()
    text = bare if len(bare) >= SHORTEST else secret
    spellings = (text,) if text.isascii() else (text, text.upper(), text.lower())
    views = [View(form, at_end=False) for spelling in spellings for form in _character_sets(spelling)]
    for view in views:  # the list grows during the loop
        if view.data not in seen and len(view.data) >= SHORTEST:
            seen.add(view.data)
            views += encodings.escaped(view)
            yield view.data.translate(_FOLDED)


def _character_sets(text: str) -> Iterator[bytes]:
    if text.isascii():  # UTF-16 and UTF-32 are decoded to text, and the secret is found there
        yield text.encode()
        return
    for charset in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        try:
            yield text.encode(charset, "surrogateescape")
        except UnicodeEncodeError:
            continue
    data = text.encode("utf-8", "surrogatepass")
    yield data
    yield data.decode("latin-1").encode()  # UTF-8 that was read as Latin-1


def _decoded_text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a mask begins or ends inside a character
        return data.decode("utf-8", "replace")


def _cut_at(folded: bytes, needle: bytes) -> int | None:
    """The offset at which ``folded`` ends with the first six or more bytes of ``needle``; None if it does not."""
    start = folded.find(needle[:SHORTEST], max(0, len(folded) - len(needle) - _MOST_ODD_BYTES))
    while start >= 0:
        rest = folded[start:]
        most_odd = min(_MOST_ODD_BYTES, len(rest) - SHORTEST)
        if any(needle.startswith(rest[: len(rest) - odd]) for odd in range(most_odd + 1)):
            return start
        start = folded.find(needle[:SHORTEST], start + 1)
    return None


def _masked(data: bytes, spans: Iterable[Span]) -> bytes:
    out, done = list[bytes](), 0
    for start, end in sorted(spans):
        if start >= done:
            out += [data[done:start], MASK.encode()]
        done = max(done, end)
    return b"".join([*out, data[done:]])
