"""Text with secrets in it, which remembers how a record shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hookctl.model.secret import MASK, REFERENCE_IN_BODY, Resolve, SecretReference


class Revealed(str):
    """A piece of a body with secrets in it. It prints as it is shown, but ``"".join`` takes its text."""

    __slots__ = ("shown",)

    shown: str
    """The same with ``***`` for each secret."""

    def __repr__(self) -> str:
        """As a record shows it."""
        return repr(self.shown)


def reveal(text: str, resolve: Resolve | None, escape: Callable[[str], str]) -> str:
    """Literal text of a template with its references replaced: by secrets, or by ``***`` without ``resolve``.

    ``escape`` writes a secret for its place.
    """
    shown = REFERENCE_IN_BODY.sub(MASK, text)
    if resolve is None or shown == text:
        return shown
    revealed = Revealed(REFERENCE_IN_BODY.sub(lambda match: escape(resolve(SecretReference(*match.groups()))), text))
    revealed.shown = shown
    return revealed


def shown(pieces: Iterable[str]) -> str:
    """The text of a body as a record shows it."""
    return "".join([piece.shown if type(piece) is Revealed else piece for piece in pieces])
