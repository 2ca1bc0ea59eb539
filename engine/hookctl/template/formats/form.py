"""Forms: the fields of an ``application/x-www-form-urlencoded`` body, each with a line template for its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve, has_reference, mask
from hookctl.template.language.values import MAX_OUTPUT
from hookctl.template.rendering.evaluation import raise_too_large
from hookctl.template.rendering.line import TextTemplate, compile_text

_UNESCAPED = "*"
"""Beside letters, digits and ``-._~``. A masked secret is then shown as ``***``."""


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """A compiled form. Whatever the event holds, it has the fields that the author wrote, in the order of names."""

    fields: tuple[tuple[str, TextTemplate, TextTemplate], ...] = field(repr=False)
    """The name of each field, its value, and its value with secrets masked: the same object if it has none."""

    def render(self, document: Mapping[str, Json]) -> bytes:
        """The body for an event's whole document.

        Raises:
            RenderError: names the field. The event lacks a value that has no default, a value is an object or a list,
                or the body would be too large.
        """
        return self.render_both(document)[0]

    def render_both(self, document: Mapping[str, Json]) -> tuple[bytes, bytes]:
        """The body as :meth:`render` returns it, and as a record shows it: with ``***`` for each secret."""
        sent, shown = [], []
        for name, value, masked in self.fields:
            start = f"{_encoded(name)}="
            texts = _values(name, value, masked, document)
            sent.append(start + texts[0])
            shown.append(start + texts[1])
        body = "&".join(sent)
        if len(body) > MAX_OUTPUT:
            raise_too_large()
        return body.encode(), "&".join(shown).encode()


def compile_form(
    form: Mapping[str, str], filters: Mapping[str, Filter], resolve: Resolve | None = None
) -> FormTemplate:
    """The compiled form, with the secrets that ``resolve`` gives; without it, ``***``. Raises TemplateError."""
    fields = []
    for name, text in sorted(form.items()):
        value = compile_text(text, filters, "form")
        masked = value.with_text(mask) if has_reference(text) else value
        fields.append((name, masked if resolve is None or masked is value else value.with_secrets(resolve), masked))
    return FormTemplate(tuple(fields))


def _values(name: str, value: TextTemplate, masked: TextTemplate, document: Mapping[str, Json]) -> tuple[str, str]:
    """A field's value, with its secrets and with ``***`` for each, both percent-encoded as a whole."""
    try:
        found = value.values(document)
        sent = _encoded(value.vetted(found))
        return sent, sent if masked is value else _encoded(masked.fill(found))
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
