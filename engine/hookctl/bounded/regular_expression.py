"""Regular expressions in linear time, for patterns and texts that others write.

The engine is RE2, which never backtracks. Its time is still proportional to the length of the text times the size of
the pattern, so each search spends steps by that product, and the memory of a pattern is limited.
"""

from __future__ import annotations

import re2

from hookctl.bounded.budget import Budget
from hookctl.errors import HookctlError

MAX_PATTERN = 1000
"""The maximum length of a pattern, in characters."""
MAX_MEMORY = 256 * 1024
"""The memory that RE2 may use for one pattern, in bytes. It limits how large ``{n}`` and ``\\p{..}`` can make it."""
WORK_SHIFT = 6
"""64 bytes that one instruction of the pattern looks at count as a step. The slowest patterns take 0.6 microseconds."""
_TOO_LARGE = ("too large", "invalid repetition size")


class PatternError(HookctlError):
    """A text is not a regular expression, or too large a one.

    ``start`` and ``end`` are the offsets of the part that is wrong.
    """

    def __init__(
        self, message: str, *, hint: str = "", start: int = 0, end: int = 0, is_too_large: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.start = start
        self.end = end
        self.is_too_large = is_too_large


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_anchored", "_anywhere", "_size")

    def __init__(self, text: str) -> None:
        """``text`` is in RE2's syntax.

        Raises:
            PatternError: It is not valid, or takes more memory than :data:`MAX_MEMORY`.
        """
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        options.never_capture = True
        options.log_errors = False
        try:
            compiled = re2.compile(text, options)
        except UnicodeEncodeError:
            raise PatternError("the regular expression contains half a surrogate pair", end=len(text)) from None
        except re2.error as error:
            raise _pattern_error(text, error) from None
        self._anywhere = compiled.search
        self._anchored = compiled.fullmatch
        self._size: int = max(1, compiled.programsize)

    def find(self, text: str, budget: Budget) -> str | None:
        """The first part of ``text`` that matches; None if no part does.

        Raises:
            BudgetError: Looking for it takes more steps than are left.
        """
        found = self._anywhere(self._weighed(text, budget))
        return None if found is None else found.group().decode("utf-8", "replace")

    def is_all_of(self, text: str, budget: Budget) -> bool:
        """Whether the whole ``text`` matches. Raises as :meth:`find` does."""
        return self._anchored(self._weighed(text, budget)) is not None

    def _weighed(self, text: str, budget: Budget) -> bytes:
        encoded = text.encode("utf-8", "surrogatepass")
        budget.spend(1 + (len(encoded) * self._size >> WORK_SHIFT))
        return encoded


def compile_pattern(text: str) -> Pattern:
    """The pattern that an author wrote. Raises as :class:`Pattern` does, also for more than 1,000 characters."""
    if len(text) > MAX_PATTERN:
        what = f"the regular expression has more than {MAX_PATTERN:,} characters"
        raise PatternError(what, hint="Shorten it.", start=MAX_PATTERN, end=len(text), is_too_large=True)
    return Pattern(text)


def _pattern_error(text: str, error: Exception) -> PatternError:
    given = error.args[0] if error.args else ""
    reason = given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
    start, end = _place(text, reason)
    if any(words in reason for words in _TOO_LARGE):
        hint = "Use smaller numbers in {n,m}, or fewer classes such as \\p{L}."
        return PatternError("the regular expression is too large", hint=hint, start=start, end=end, is_too_large=True)
    hint = "Write it in the syntax of RE2: https://github.com/google/re2/wiki/Syntax."
    if "perl operator" in reason or (reason.startswith("invalid escape") and reason[-1].isdigit()):
        hint = "RE2 has no lookahead, lookbehind or back references, because their cost has no bound."
    return PatternError(f"the regular expression is not valid: {reason}", hint=hint, start=start, end=end)


def _place(text: str, reason: str) -> tuple[int, int]:
    """Where the part is that RE2 quotes at the end of its reason; the whole text if it quotes none."""
    _, found, part = reason.partition(": ")
    start = text.find(part) if found and part else -1
    return (start, start + len(part)) if start >= 0 else (0, len(text))
