"""The words of expressions that are not names, and the outputs that are read without a parser."""

from __future__ import annotations

import re

from hookctl.model import Json

CONSTANTS: dict[str, Json] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "none": None,
    "None": None,
    "null": None,
}
"""Names with a fixed value. Jinja has no ``null``; authors of JSON write it."""
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "elif", "for", "endif", "endfor"})
"""Words that cannot be a name."""

_NOT_A_PATH = "|".join(sorted({*CONSTANTS, *KEYWORDS}))
PLAIN_OUTPUT = re.compile(
    rf"\{{\{{[ \t]*(?!(?:{_NOT_A_PATH})\b)([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*\}}\}}", re.ASCII
)
"""An output that is a path: ``{{ data.requester.email }}``."""
