"""A ``Content-Type`` that contradicts the body."""

from __future__ import annotations

import re

from hookctl.config.check.notes import Notes
from hookctl.model import Json, brief
from hookctl.model.finding import Severity
from hookctl.model.rules.rule import Rule
from hookctl.plugin.calls import Plugins

CONTENT_TYPE_MISMATCH = Rule(
    id="content-type-mismatch",
    summary="The Content-Type header contradicts the body.",
    explanation=(
        "The target reads the body as what `Content-Type` says. hookctl adds the right header for `body_format` and"
        " `form`, so most webhooks need none. Types that hookctl does not know, such as a vendor's own, are not"
        " compared. This is a warning."
    ),
    message="the body is {body}, but its Content-Type is {given}",
    hint="{fix}",
    variants={"charset": ("the body is UTF-8, but its Content-Type says {given}", "Remove the charset.")},
    severity=Severity.WARNING,
    bad=(
        "headers:\n  Content-Type: application/x-www-form-urlencoded\n"
        'body_template: \'{"severity": "{{ data.severity }}"}\''
    ),
    good=(
        'headers:\n  Content-Type: application/vnd.example+json\nbody_template: \'{"severity": "{{ data.severity }}"}\''
    ),
)

_NAMES = {"json": "JSON", "ndjson": "lines of JSON", "text": "plain text", "xml": "XML", "form": "a form"}
_FIT = {
    "json": {"json"},
    "ndjson": {"ndjson", "json", "text"},  # Elasticsearch and Splunk accept application/json for lines, too
    "text": {"text", "multipart"},  # an author can write the parts
    "xml": {"xml"},
    "form": {"form"},
}
"""For each format the families of media types under which it may be sent."""
_FAMILIES = {
    "form": r"application/x-www-form-urlencoded",
    "multipart": r"multipart/.*",
    "ndjson": r"application/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines|json-seq|json-stream)",
    "json": r"(?:application|text)/(?:x-)?json|.+/.+\+json",
    "xml": r"(?:application|text)/xml|.+/.+\+xml",
    "text": r"text/.*",
}
_CHARSET = r";\s*charset\s*=\s*\"?([^\s\";]+)"


def check(notes: Notes, _plugins: Plugins) -> None:
    """Note a ``Content-Type`` of fixed text that contradicts the format of the body."""
    fields = notes.webhook.fields
    body_format = "form" if "form" in fields else fields.get("body_format", "json")
    headers = fields.get("headers")
    if not isinstance(headers, dict) or str(body_format) not in _NAMES or not {"form", "body_template"} & {*fields}:
        return
    for name, value in headers.items():
        if name.lower() == "content-type":
            _compare(notes, name, value, str(body_format))


def _compare(notes: Notes, name: str, value: Json, body_format: str) -> None:
    if not isinstance(value, str) or "{" in value:
        return
    place = ("headers", name)
    family = _family(value)
    charset = re.search(_CHARSET, value, re.IGNORECASE)
    if family and family not in _FIT[body_format]:
        fix = _instead(family, is_form=body_format == "form")
        notes.add(CONTENT_TYPE_MISMATCH, place, body=_NAMES[body_format], given=brief(value), fix=fix)
    elif charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"} and family:
        notes.add(CONTENT_TYPE_MISMATCH, place, "charset", given=brief(charset[1]))


def _instead(family: str, *, is_form: bool) -> str:
    """What to write for a header whose media type is of this family."""
    if family == "multipart":
        return "Remove the header: hookctl does not send forms in parts, and most targets also accept a form without."
    fields = "form: instead of body_template" if family == "form" else f"body_format: {family}"
    return f"Remove the header, or send {_NAMES[family]}: write {'body_template and ' if is_form else ''}{fields}."


def _family(content_type: str) -> str:
    """The family of a media type; empty for one that is not known."""
    media_type = content_type.partition(";")[0].strip().lower()
    return next((name for name, pattern in _FAMILIES.items() if re.fullmatch(pattern, media_type)), "")
