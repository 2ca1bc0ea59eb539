"""Styles of text for a terminal, what each color stands for, and lines that other formats style in their own way."""

from __future__ import annotations

from typing import NamedTuple

import click

from hookctl.model import DeliveryStatus

SIGN_COLORS = {"+": "green", "~": "yellow", "-": "red"}
STATUS_COLORS = {DeliveryStatus.DELIVERED: "green", DeliveryStatus.RETRYING: "yellow", DeliveryStatus.DEAD: "red"}


def styled(text: str, color: bool, *, fg: str | None = None, bold: bool = False) -> str:
    """The text in a color, bold or both; as it is where the output has no color."""
    return click.style(text, fg=fg, bold=bold or None) if color else text


def heading(text: str, color: bool) -> str:
    """The text in bold."""
    return styled(text, color, bold=True)


def signed(text: str, sign: str, color: bool, *, bold: bool = False) -> str:
    """A line of a difference in the color of its sign: ``+``, ``~``, ``-``, or a space for a line that stays."""
    return styled(text, color, fg=SIGN_COLORS.get(sign), bold=bold) if sign in SIGN_COLORS or bold else text


class Line(NamedTuple):
    """A line of a report before a format gives it its indentation, marks and colors."""

    text: str
    """What follows the mark, including the space between them."""
    mark: str = ""
    """The sign of a line of a difference: ``+``, ``~``, ``-``, or a space for a line that stays; empty for others."""
    is_important: bool = False

    def styled(self, color: bool, indent: str = "") -> str:
        """The line for a terminal, with its indentation; empty if nothing else is in it."""
        whole = f"{indent}{self.mark}{self.text}"
        return signed(whole if whole.strip() else "", self.mark, color, bold=self.is_important)
