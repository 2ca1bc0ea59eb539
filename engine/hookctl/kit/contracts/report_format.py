"""The contract of a report format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from hookctl.kit.contracts.conduct import NETWORK, watched
from hookctl.kit.contracts.part import PartContract
from hookctl.kit.contracts.sample_reports import KINDS, quiet, samples

FOREIGN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters that no report contains; line feeds and tabs are not among them."""
CI_COMMAND = re.compile(r"^\s*(?:::[a-z-]+|##(?:\[|vso\[|teamcity\[))", re.MULTILINE)


class FormatContract(PartContract):
    """The tests of a report format. Set ``name``, and override :meth:`read` to check the output with a reader."""

    hook = "hookctl_format_types"
    what = "format"
    kinds: ClassVar[tuple[str, ...]] = KINDS

    def read(self, text: str) -> object:
        """Read back a report, also one about hostile names and messages.

        Raise an exception, or use ``assert``, if the text is not of this format.
        """
        return text

    def write(self, kind: str, report: Any) -> str:
        """A report as text, with the control characters that the format wrote."""
        made = getattr(self.part, kind)(report)
        pieces = [made] if isinstance(made, str) else [*made]
        for piece in pieces:
            assert isinstance(piece, str), f"{kind} gives {type(piece).__name__}, not text"
        return "".join(pieces)

    def has(self, kind: str) -> bool:
        """Whether the format has reports of that kind."""
        return getattr(self.part, kind) is not None

    def test_it_has_a_report(self) -> None:
        """The format can write findings, reviews or results, with functions."""
        functions = [kind for kind in self.kinds if self.has(kind)]
        assert functions, "the format has none of findings, review and results"
        for kind in functions:
            assert callable(getattr(self.part, kind)), f"{kind} is not a function"

    def test_it_is_stable(self, tmp_path: Path) -> None:
        """The same report makes the same text, so that a difference in CI is one of the webhooks."""
        for kind, report in samples(tmp_path):
            if self.has(kind):
                assert self.write(kind, report) == self.write(kind, report), f"{kind} writes something else each time"

    def test_it_writes_no_control_characters(self, tmp_path: Path) -> None:
        """Colors and carriage returns: hookctl would replace them, as it does with those in messages."""
        for kind, report in samples(tmp_path, is_hostile=False):
            if self.has(kind):
                found = FOREIGN.search(self.write(kind, report))
                assert not found, f"{kind} writes the control character {found[0]!r}; end lines with a line feed"

    def test_ci_commands_are_declared(self, tmp_path: Path) -> None:
        """Commands to a CI system are defused, unless the format declares that it consists of them."""
        if self.part.has_ci_commands:
            return
        for kind, report in samples(tmp_path, is_hostile=False):
            if self.has(kind):
                found = CI_COMMAND.search(self.write(kind, report))
                assert not found, f"{kind} writes the CI command {found[0]!r}; declare has_ci_commands=True"

    def test_hostile_text_stays_text(self, tmp_path: Path) -> None:
        """Names and messages that look like markup or commands break no report: :meth:`read` reads it back."""
        for kind, report in samples(tmp_path):
            if self.has(kind):
                self.read(self.write(kind, report))

    def test_ci_commands_are_escaped(self, tmp_path: Path) -> None:
        """A format of commands has one in a line: text from webhooks cannot begin another."""
        if not self.part.has_ci_commands:
            return
        for kind, report in samples(tmp_path):
            if self.has(kind):
                assert "\n::stop-commands::" not in self.write(kind, report), f"{kind} lets a message begin a command"

    def test_nothing_to_report_is_a_report(self, tmp_path: Path) -> None:
        """A run without findings, changes or results makes a report, too."""
        for kind, report in quiet(tmp_path):
            if self.has(kind):
                self.read(self.write(kind, report))

    def test_it_reaches_no_network(self, tmp_path: Path) -> None:
        """A format turns data into text."""
        for kind, report in samples(tmp_path):
            if self.has(kind):
                with watched(NETWORK) as called:
                    self.write(kind, report)
                assert not called, f"{kind} calls {called[0]}"
