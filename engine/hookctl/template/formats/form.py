"""Forms: the fields of an ``application/x-www-form-urlencoded`` body, each with a line template for its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.template.language.values import MAX_OUTPUT
from hookctl.template.rendering.evaluation import raise_too_large
from hookctl.template.rendering.line import TextTemplate, compile_text

_UNESCAPED = "*"
"""Beside letters, digits and ``-._~``. A masked secret is then shown as ``***``."""


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """A compiled form. Whatever the event holds, it has the fields that the author wrote, in the order of names."""

    fields: tuple[tuple[str, TextTemplate], ...]

    def with_text(self, change: Callable[[str], str]) -> FormTemplate:
        """The same with each piece of written text changed: its secret references resolved, say."""
        return FormTemplate(tuple((name, value.with_text(change)) for name, value in self.fields))

    def render(self, document: Mapping[str, Json]) -> bytes:
        """The body for an event's whole document.

        Raises:
            RenderError: names the field. The event lacks a value that has no default, a value is an object or a list,
                or the body would be too large.
        """
        body = "&".join(f"{_encoded(name)}={_value(name, value, document)}" for name, value in self.fields)
        if len(body) > MAX_OUTPUT:
            raise_too_large()
        return body.encode()


def compile_form(form: Mapping[str, str], filters: Mapping[str, Filter]) -> FormTemplate:
    """The compiled form. Raises TemplateError."""
    return FormTemplate(tuple((name, compile_text(value, filters, "form")) for name, value in sorted(form.items())))


def _value(name: str, value: TextTemplate, document: Mapping[str, Json]) -> str:
    try:
        return _encoded(value.render(document))
    except RenderError as error:
        what = f"the form field {name}: {error.message}"
        raise RenderError(what, hint=error.hint, start=error.start, end=error.end) from error


def _encoded(text: str) -> str:
    try:
        return quote_plus(text, safe=_UNESCAPED)
    except UnicodeEncodeError:
        raise RenderError(
            "a value contains an unpaired surrogate, which UTF-8 cannot encode",
            hint="The event's publisher must send valid Unicode.",
        ) from None
