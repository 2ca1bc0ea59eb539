"""Which ``Content-Type`` contradicts which body."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookctl.model import Finding, Severity

BODIES = {
    "json": 'body_template: \'{"a": "{{ data.title }}"}\'',
    "ndjson": "body_format: ndjson\nbody_template: '[\"{{ data.title }}\"]'",
    "text": "body_format: text\nbody_template: '{{ data.title }}'",
    "xml": "body_format: xml\nbody_template: <a>{{ data.title }}</a>",
    "form": "form: {a: '{{ data.title }}'}",
}
FITS = {
    "application/json; charset=UTF-8": {"json", "ndjson"},
    "application/cloudevents+json": {"json", "ndjson"},
    "application/x-ndjson": {"ndjson"},
    "text/plain": {"text", "ndjson"},
    "text/csv": {"text", "ndjson"},
    "text/xml": {"xml"},
    "Application/SOAP+XML; action=x": {"xml"},
    "application/x-www-form-urlencoded": {"form"},
    "multipart/form-data; boundary=x": {"text"},
    "application/octet-stream": {*BODIES},
    "application/vnd.example": {*BODIES},
    "{{ data.type }}": {*BODIES},
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("content_type", FITS)
def test_a_content_type_of_another_format_is_a_warning(
    body: str, content_type: str, check: Callable[..., list[Finding]]
) -> None:
    found = check(
        "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
        f"headers:\n  Content-Type: '{content_type}'\n{BODIES[body]}\n"
    )
    if body in FITS[content_type]:
        assert found == []
    else:
        (finding,) = found
        assert (finding.rule, finding.severity) == ("content-type-mismatch", Severity.WARNING)
        assert finding.span is not None
        assert finding.span.line == 5


def test_without_a_body_there_is_nothing_to_contradict(check: Callable[..., list[Finding]]) -> None:
    head = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\nheaders: {Content-Type: text/xml}\n"
    assert check(head) == []


@pytest.mark.parametrize(
    ("body", "content_type", "instead"),
    [
        ("json", "application/x-www-form-urlencoded", "a form: write form: instead of body_template."),
        ("text", "text/xml", "XML: write body_format: xml."),
        ("form", "application/json", "JSON: write body_template and body_format: json."),
        ("form", "multipart/form-data; boundary=x", "hookctl does not send forms in parts"),
    ],
)
def test_the_hint_names_the_fields_for_the_other_format(
    body: str, content_type: str, instead: str, check: Callable[..., list[Finding]]
) -> None:
    (finding,) = check(
        "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
        f"headers: {{Content-Type: '{content_type}'}}\n{BODIES[body]}\n"
    )
    assert instead in finding.hint
