"""Makes a webhook of a curl command."""

from __future__ import annotations

import getopt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

from hookctl.config.check.rules.header_reserved import RESERVED
from hookctl.config.converting import curl_options
from hookctl.config.converting.curl_words import split_command
from hookctl.config.converting.draft import Draft, webhook_name
from hookctl.config.converting.secrets import add_basic
from hookctl.config.converting.source_tree import SourceError
from hookctl.config.converting.vault import Vault
from hookctl.config.converting.writing import pretty
from hookctl.json import strict
from hookctl.model import Json
from hookctl.model.source import SourceFile, Span

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class _Request:
    """What the options of a command say."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    """Each ``-d`` and its relatives: the option and the text."""
    user: str = ""
    bearer: str = ""
    digest: bool = False
    in_query: bool = False
    timeout: str = ""


def read_curl(source: SourceFile, vault: Vault, *, event: str, name: str = "") -> list[Draft]:
    """The webhook of a command. Raises SourceError if it is not a curl command."""
    command = split_command(source.text)
    words = command.words
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*|sudo|time|command|exec", words[0], re.DOTALL):
        words = words[1:]
    if not words or words[0].rpartition("/")[2] not in {"curl", "curl.exe"}:
        raise SourceError("there is no curl command", "Pass a command that begins with curl on standard input.")
    lines = source.text.count("\n")
    draft = Draft("curl", source, Span(1, 1, lines + 1, len(source.line(lines + 1)) + 1))
    request = _options(words[1:], draft)
    url = _url(request, draft)
    host = (urlsplit(url).hostname or "") if url.count("[") == url.count("]") == 0 else ""
    draft.name = webhook_name(name or host.replace(".", " "), "curl")
    draft.put("event", event)
    for variable in command.variables:
        vault.expect(variable, f"shell variable ${variable} of the command")
    if command.substitutions:
        draft.left_out(
            "the output of a command inside the command is not known",
            "Set the variable that takes its place, such as COMMAND_OUTPUT, or write the value.",
        )
    if command.rest:
        draft.left_out(f"what follows {command.rest} is not imported", "A webhook is one request.")
    _fill(draft, request, url, vault, command.given)
    return [draft]


def _options(words: Sequence[str], draft: Draft) -> _Request:
    """Read the options as curl does: short ones may be joined, and stand among the URLs."""
    request = _Request()
    try:
        options, urls = getopt.gnu_getopt(list(words), curl_options.SHORT, curl_options.LONG)
    except getopt.GetoptError as error:
        what = f"--{error.opt}" if len(error.opt) > 1 else f"-{error.opt}"
        hint = "Remove it from the command, or correct it."
        raise SourceError(f"{what} is not an option of curl that hookctl reads, or has no value", hint) from None
    request.urls = urls
    advice: set[tuple[str, str, bool]] = set()
    for option, value in options:
        name = curl_options.name_of(option)
        if name in curl_options.WITHOUT_EFFECT:
            continue
        if name not in curl_options.ADVICE:
            _take(request, name, value)
        elif curl_options.ADVICE[name] not in advice:
            advice.add(curl_options.ADVICE[name])
            what, fix, is_error = curl_options.ADVICE[name]
            (draft.unconverted if is_error else draft.left_out)(what, fix, _place(draft.source, option))
    return request


def _place(source: SourceFile, option: str) -> Span | None:
    """Where the command has an option; None if it is joined with others or shortened."""
    found = re.search(rf"(?<!\S){re.escape(option)}(?![\w-])", source.text)
    if found is None:
        return None
    line = source.text.count("\n", 0, found.start()) + 1
    column = found.start() - source.text.rfind("\n", 0, found.start())
    return Span(line, column, line, column + len(option))


_TEXTS = {
    "request": "method",
    "user": "user",
    "oauth2-bearer": "bearer",
    "max-time": "timeout",
}
"""Options whose value is a part of the request as it is, and the part."""
_HEADERS = {"user-agent": "User-Agent", "referer": "Referer", "cookie": "Cookie"}


def _take(request: _Request, name: str, value: str) -> None:
    """Take in one option that makes a part of the request."""
    if name in _TEXTS:
        setattr(request, _TEXTS[name], value)
    elif name == "url":
        request.urls.append(value)
    elif name == "head":
        request.method = "HEAD"
    elif name == "header":
        key, colon, text = value.partition(":")
        if colon and text.strip():
            request.headers.append((key.strip(), text.strip()))
    elif name in _HEADERS:
        request.headers.append((_HEADERS[name], value))
    elif name == "digest":
        request.digest = True
    elif name == "get":
        request.in_query = True
    else:
        request.data.append((name, value))


def _url(request: _Request, draft: Draft) -> str:
    if not request.urls:
        raise SourceError("the command has no URL", "Copy the whole command.")
    if len(request.urls) > 1:
        draft.unconverted(
            f"the command has {len(request.urls)} URLs, of which only the first is imported",
            "Import a command for each URL.",
        )
    url = request.urls[0]
    if "://" not in url:
        draft.left_out("the URL has no scheme", "curl sends it over http; the file has https.")
        url = f"https://{url}"
    base, mark, rest = url.partition("?")
    scheme, _, after = base.partition("://")
    host, slash, path = after.partition("/")
    if "@" not in host:
        host = host.lower()
    url = f"{scheme.lower()}://{host}{slash or '/'}{path}{mark}{rest}"
    return url.replace(" ", "%20")


def _fill(draft: Draft, request: _Request, url: str, vault: Vault, given: str) -> None:
    """Make the fields of the webhook. ``given`` is what the command gets on standard input; empty if not known."""
    texts = [_data(name, given if value == "@-" and given else value, draft) for name, value in request.data]
    is_json = any(name == "json" for name, _ in request.data)
    data = "".join(texts) if is_json else "&".join(texts)
    if request.in_query and data:
        url, data = f"{url}{'&' if '?' in url else '?'}{data}", ""
    method = (request.method or ("POST" if data or (request.data and not request.in_query) else "GET")).upper()
    if method not in _METHODS:
        draft.unconverted(f"webhooks do not send {method} requests", "Choose a method that the target accepts.")
        method = "POST"
    draft.put("method", method)
    draft.put("url", url, draft.span)
    _headers(draft, request, is_json=is_json)
    if request.bearer:
        draft.auth(type="bearer", token=vault.reference(draft.name, "token", request.bearer))
    if request.user:
        user, password = _pair(request.user)
        add_basic(draft, vault, user, password)
        if request.digest and isinstance(block := draft.fields["auth"], dict):
            block["type"] = "digest"
    if data:
        _body(draft, data, is_json=is_json)
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", request.timeout) and 0 < float(request.timeout) <= 300:
        draft.put("timeout_seconds", float(request.timeout))


def _pair(text: str) -> tuple[str, str | None]:
    """The user name of ``-u``, and the password, None if curl asks for it. A colon in a reference separates nothing."""
    match = re.fullmatch(r"((?:\$\{[^{}]*\}|[^:])*):(.*)", text, re.DOTALL)
    return (match[1], match[2]) if match else (text, None)


def _headers(draft: Draft, request: _Request, *, is_json: bool) -> None:
    for name, value in request.headers:
        low = name.lower()
        if low in RESERVED:
            if low in {"host", "webhook-id", "webhook-timestamp", "webhook-signature"}:
                draft.left_out(f"hookctl sets the header {low} itself", "You do not need to do anything.")
            continue
        draft.header(name, value)
    headers = draft.fields.get("headers")
    if is_json and isinstance(headers, dict) and "accept" not in {name.lower() for name in headers}:
        draft.header("Accept", "application/json")


def _data(name: str, value: str, draft: Draft) -> str:
    """The text that an option adds to the body."""
    if name == "data-urlencode":
        key, equals, text = value.partition("=")
        if not equals and "@" in value:
            key, _, path = value.partition("@")
            return f"{key}={_file(path, draft)}"
        return f"{key}={quote(text, safe='')}" if equals and key else quote(text if equals else value, safe="")
    if value.startswith("@") and name != "data-raw":
        return _file(value[1:], draft)
    return value if name in {"data-binary", "json", "data-raw"} else value.replace("\r", "").replace("\n", "")


def _file(path: str, draft: Draft) -> str:
    draft.unconverted(
        f"the body is in the file {path[:60]}" if path != "-" else "the body is read from standard input",
        "Write what it holds in body_template.",
    )
    return ""


def _body(draft: Draft, data: str, *, is_json: bool) -> None:
    """The body in the format that the request declares, or that it has."""
    headers = draft.fields.get("headers")
    content_type = (
        next((str(value).lower() for name, value in headers.items() if name.lower() == "content-type"), "")
        if isinstance(headers, dict)
        else ""
    )
    looks_json = data.lstrip()[:1] in {"{", "["}
    if is_json or "json" in content_type or (looks_json and (not content_type or _is_json(data))):
        if "ndjson" in content_type:
            draft.put("body_format", "text", draft.span)
            draft.put("body_template", data, draft.span)
            return
        if content_type.startswith(("application/json", _FORM_TYPE)):
            _drop_content_type(headers)
        if not is_json and not content_type:
            draft.left_out(
                f"curl sends this JSON as {_FORM_TYPE}, and hookctl sends it as application/json",
                "This is nearly always what the target expects.",
            )
        draft.put("body_template", pretty(data), draft.span)
    elif content_type.startswith(_FORM_TYPE) or (not content_type and "=" in data):
        _form(draft, data)
        _drop_content_type(headers)
    else:
        is_xml = "xml" in content_type or (not content_type and data.lstrip().startswith("<"))
        draft.put("body_format", "xml" if is_xml else "text", draft.span)
        draft.put("body_template", data, draft.span)
    if isinstance(headers, dict) and not headers:
        del draft.fields["headers"]


def _form(draft: Draft, data: str) -> None:
    pairs = parse_qsl(data, keep_blank_values=True, max_num_fields=10_000)
    form: dict[str, Json] = {}
    for name, value in pairs:
        if name in form:
            draft.unconverted(
                f"the form has the field {name[:60]} several times, of which only the first is imported",
                "Write the fields as body_template with body_format: text.",
            )
        form.setdefault(name, value)
    draft.put("form", form or {unquote_plus(data): ""}, draft.span)


def _drop_content_type(headers: Json) -> None:
    if isinstance(headers, dict):
        for name in [name for name in headers if name.lower() == "content-type"]:
            del headers[name]


def _is_json(text: str) -> bool:
    try:
        strict.parse(text)
    except (ValueError, RecursionError):
        return False
    return True
