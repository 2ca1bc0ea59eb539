"""Annotations of GitHub Actions: each a line that the runner reads from the log and shows beside the code."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.report.formats.annotations import Annotation
from hookctl.report.text.printable import inert, printable, printable_lines

ESCAPES = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
"""In the order in which they are replaced."""
PROPERTY_ESCAPES = (*ESCAPES, (":", "%3A"), (",", "%2C"))


def annotation_lines(annotations: Iterable[Annotation]) -> str:
    """A workflow command for each, errors and warnings; GitHub shows ten of each kind and step, so errors come first."""
    return "".join(
        _command(annotation) for annotation in sorted(annotations, key=lambda annotation: not annotation.is_error)
    )


def notice_line(title: str, message: str) -> str:
    """A notice without a place."""
    return f"::notice title={_escaped(title, PROPERTY_ESCAPES)}::{_escaped(inert(printable_lines(message)), ESCAPES)}\n"


def _command(annotation: Annotation) -> str:
    place = printable(annotation.path)
    properties: dict[str, str | int] = {"file": place}
    if span := annotation.span:
        properties |= {"line": span.line, "endLine": span.end_line}
        place += f":{span.line}:{span.column}"
        if span.line == span.end_line:  # GitHub takes columns within one line alone
            properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = annotation.rule
    named = ",".join(f"{name}={_escaped(inert(str(value)), PROPERTY_ESCAPES)}" for name, value in properties.items())
    message = "\n".join([f"{place}: {annotation.message}", *annotation.advice])
    return f"::{'error' if annotation.is_error else 'warning'} {named}::{_escaped(inert(message), ESCAPES)}\n"


def _escaped(text: str, escapes: Iterable[tuple[str, str]]) -> str:
    for character, escape in escapes:
        text = text.replace(character, escape)
    return text
