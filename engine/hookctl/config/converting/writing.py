"""Writes a draft as a webhook file, and checks what was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from hookctl.config.converting.draft import Draft
from hookctl.config.converting.secrets import protect
from hookctl.config.converting.source_tree import SourceError
from hookctl.config.converting.vault import Vault
from hookctl.config.directory import check_contents
from hookctl.model import Finding, Json
from hookctl.model.rules.conversions import IMPORT_UNCONVERTED
from hookctl.model.secret import REFERENCE
from hookctl.model.source import SourceFile
from hookctl.plugin.calls import Plugins

ORDER = (
    "description",
    "labels",
    "status",
    "event",
    "when",
    "method",
    "url",
    "headers",
    "auth",
    "body_format",
    "body_template",
    "form",
    "timeout_seconds",
    "response_validators",
    "custom_validation_error_message",
    "retry",
    "outcomes",
    "rate_limit",
    "max_in_flight",
)
MAX_WEBHOOKS = 1000
"""The webhooks that one import makes."""
_PLAIN = re.compile(r"[A-Za-z/][\w /.-]*[\w/]|[A-Za-z]")
"""Text that YAML reads as itself without quotes, unless it is a word for another value."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_BLOCK = re.compile(r"(?!\s)[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]+")
"""Text that a block can hold as it is."""


@dataclass(frozen=True, slots=True)
class Written:
    """A webhook file that an import made."""

    name: str
    """The file's name, which the webhook's name gives."""
    text: str


def write(drafts: list[Draft], vault: Vault, plugins: Plugins) -> tuple[list[Written], list[Finding]]:
    """The file of each draft, and every finding about it at its place in the source. No secret is in either.

    Raises SourceError for more webhooks or secrets than one import may have.
    """
    if len(drafts) > MAX_WEBHOOKS:
        raise SourceError(f"it has more than {MAX_WEBHOOKS:,} webhooks", "Split it into several files.")
    files: list[Written] = []
    findings: list[Finding] = []
    for draft in drafts:
        protect(draft, vault)
    taken: set[str] = set()
    for draft in drafts:
        _name(draft, taken)
        text, lines = _text(draft, vault)
        if any(vault.leaks(REFERENCE.sub("", value)) for value in _values([draft.name, *draft.fields.values()])):
            message = "a secret would be in the file"
            findings.append(
                IMPORT_UNCONVERTED.finding(
                    what=message,
                    fix="Write the webhook by hand.",
                    file=draft.source,
                    span=draft.span,
                    webhook=draft.name,
                )
            )
            continue
        path = f"{re.sub(r'[^a-z0-9]+', '-', draft.name.lower()).strip('-')}.yaml"
        files.append(Written(path, text))
        findings += [*draft.findings, *_check(draft, path, text, lines, plugins)]
    # Masking a source looks through all of it, so each is masked once.
    sources = {id(file): file for file in (finding.file for finding in findings) if file}
    masked = {key: vault.masked(file) for key, file in sources.items()}
    return files, [_without_secrets(finding, vault, masked.get(id(finding.file))) for finding in findings]


def _values(value: Json) -> Iterator[str]:
    """Every text in a value, except for keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)


def _name(draft: Draft, taken: set[str]) -> None:
    """Give the draft a name that no other draft has."""
    number, name = 1, draft.name
    while draft.name.casefold() in taken:
        number += 1
        draft.name = f"{name[:60].rstrip(' _-')} {number}"
    taken.add(draft.name.casefold())


def _text(draft: Draft, vault: Vault) -> tuple[str, list[str]]:
    """The file's text, and the field of each of its lines."""
    fields = {"name": draft.name, **{name: draft.fields[name] for name in ORDER if name in draft.fields}}
    body = {name: yaml.dump({name: value}, Dumper=_Dumper, **_STYLE) for name, value in fields.items()}
    yaml_text = "".join(body.values())
    used = [name for name in vault.purposes if f"${{env:{name}}}" in yaml_text]
    notes = [*draft.notes, *(f"Set {name}: the {vault.purposes[name]}." for name in used)]
    head = "".join(f"# {line}\n" for note in notes for line in _comment(note))
    lines = [""] * head.count("\n")
    for name, text in body.items():
        lines += [name] * text.count("\n")
    return head + yaml_text, lines


def _comment(note: str) -> Iterator[str]:
    """The lines of a comment, without characters that YAML or a terminal acts on."""
    import textwrap

    words = re.sub(r"[^\x20-\x7e\xa0-\ud7ff]+", " ", note).strip()
    yield from textwrap.wrap(words, 110, break_long_words=False, break_on_hyphens=False)


def _check(draft: Draft, path: str, text: str, lines: list[str], plugins: Plugins) -> Iterator[Finding]:
    """What is wrong with the file, at the place in the source that each field is made of."""
    for finding in check_contents([(path, text.encode())], Path(), plugins).findings:
        line = finding.span.line if finding.span else 0
        field = lines[line - 1] if 0 < line <= len(lines) else ""
        if field in draft.broken:
            continue
        span = draft.spans.get(field, draft.span)
        hint = f"{finding.hint} It is line {line} of {path}.".strip() if line else finding.hint
        yield replace(finding, file=draft.source, span=span, hint=hint)


def _without_secrets(finding: Finding, vault: Vault, source: SourceFile | None) -> Finding:
    return replace(
        finding,
        message=vault.mask(finding.message),
        hint=vault.mask(finding.hint),
        file=source,
        suggestions=tuple(map(vault.mask, finding.suggestions)),
    )


class _Dumper(yaml.SafeDumper):
    """Writes YAML that YAML 1.1 and 1.2 read alike, and text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - a method of PyYAML
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - as above
        super().increase_indent(flow, indentless=False)


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text and _BLOCK.fullmatch(text) and not re.search(r"[ \t]$", text, re.MULTILINE):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and len(text) < 100
    is_url = re.fullmatch(r"https://[\w./-]+", text)
    is_quoting = '"' in text and "\n" not in text and _BLOCK.fullmatch(text)
    style = "" if is_plain or is_url else "'" if is_quoting else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)
_STYLE: dict[str, Any] = {
    "default_flow_style": False,
    "sort_keys": False,
    "allow_unicode": True,
    "width": 1_000_000,
}


def pretty(body: str) -> str:
    """JSON in several lines, if it is one line that is long and nothing is lost by it; otherwise the body."""
    try:
        value: Json = json.loads(body)
        laid_out = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    is_same = re.sub(r"\s", "", laid_out) == re.sub(r"\s", "", body)
    return f"{laid_out}\n" if is_same and "\n" not in body and len(body) > 60 else body
