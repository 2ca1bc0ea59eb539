"""Replaces the secrets of a draft by references, before anything is written.

It replaces more than ``hookctl validate`` recognizes: every token, password and signature, whatever it looks like.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote, urlsplit

from hookctl.config.check.literals import has_secret_name, in_body, in_header, in_url, shapes_in
from hookctl.config.converting.draft import Draft
from hookctl.config.converting.vault import Vault
from hookctl.model import Json
from hookctl.model.secret import REFERENCE
from hookctl.model.source import Span

_HEADER = re.compile(
    r"auth|signature|session|credential|csrf|xsrf|cookie|(?:^|-)(?:key|sig|pass)(?:$|-)", re.IGNORECASE
)
_PARAMETER = re.compile(
    r"(?:sig|signature|hmac|hash|key|keypairid|token|secret|password|passwd|pass|pwd|pw|auth|code|credentials?|policy"
    r"|session|sid|jwt|apikey)$|^xamz(?!date|algorithm|expires|signedheaders)|^xgoog(?!date|algorithm|expires|signedheaders)"
)
_SECRET_PATH = re.compile(
    r"//(?:hooks\.slack(?:-gov)?\.com|discord(?:app)?\.com/api/webhooks|[\w.-]*webhook\.office\.com|hooks\.zapier\.com"
    r"|hook\.[\w.]*make\.com)/"
)
"""URLs whose path is a secret."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_MEMBER = re.compile(r'(\\?)"(?P<name>[\w.-]{1,64})\1"\s{0,20}:\s{0,20}\1"(?P<value>(?:[^"\\]|\\[^"]){1,4096})\1"')
"""A string in JSON under a name, also in JSON text in a string."""
_RANDOM = 16
"""The characters of a word of letters and digits that people did not choose."""
_SETS_AUTHORIZATION = frozenset({"bearer", "basic", "digest", "oauth2", "jwt_bearer"})
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{[^{}]*\}", re.DOTALL)
_WORD = re.compile(r"(?<![^\s=;,&\"':])(?![A-Za-z][\w.-]*=|[A-Za-z]+\s)[^\s=;,&\"':]{4,}")
"""A word in a secret that neither is a name before ``=`` nor a scheme such as ``Bearer`` before a space."""
_KEPT = ("{{", "{%", "${")
"""What begins an expression or a reference."""


def protect(draft: Draft, vault: Vault) -> None:
    """Replace every secret of the draft by a reference."""
    _protect_authorization(draft, vault)
    _protect_users(draft, vault)
    headers = draft.fields.get("headers")
    if isinstance(headers, dict):
        for name, value in headers.items():
            headers[name] = _header(draft, vault, name, str(value))
    url = draft.fields.get("url")
    if isinstance(url, str):
        draft.fields["url"] = _url(draft, vault, url)
    body = draft.fields.get("body_template")
    if isinstance(body, str):
        draft.fields["body_template"] = _body(draft, vault, body)
    form = draft.fields.get("form")
    if isinstance(form, dict):
        for name, value in form.items():
            form[name] = _field(draft, vault, name, str(value))
    for field in ("url", "headers", "form", "body_template", "auth", "description", "labels"):
        if field in draft.fields:
            draft.fields[field] = _everywhere(draft.fields[field], vault, mask=field in {"description", "labels"})
    draft.notes = [vault.mask(note) for note in draft.notes]


def _protect_users(draft: Draft, vault: Vault) -> None:
    """Replace user names that are tokens."""
    blocks = draft.fields.get("auth")
    for block in blocks if isinstance(blocks, list) else [blocks]:
        user = block.get("username") if isinstance(block, dict) else None
        if isinstance(block, dict) and isinstance(user, str) and (is_random(user) or any(shapes_in(user))):
            block["username"] = _reference(draft, vault, "user", user)


def is_random(text: str) -> bool:
    """Whether a word looks like a token: a UUID, or long, with letters and digits."""
    if _UUID.fullmatch(text):
        return True
    return any(
        len(word) >= _RANDOM and re.search(r"[0-9]", word) and re.search(r"[A-Za-z]", word)
        for word in re.split(r"[-_.~]", text)
    )


def _protect_authorization(draft: Draft, vault: Vault) -> None:
    """Make auth of an ``Authorization`` header, if the draft has no other."""
    headers = draft.fields.get("headers")
    name = next((one for one in headers if one.lower() == "authorization"), None) if isinstance(headers, dict) else None
    if not isinstance(headers, dict) or name is None:
        return
    block = draft.fields.get("auth")
    if isinstance(block, dict) and block.get("type") in _SETS_AUTHORIZATION:
        del headers[name]
        what = f"the header Authorization is not imported: auth {block['type']} sets it"
        draft.left_out(what, "You do not need to do anything.", draft.spans.get("headers"))
        if not headers:
            del draft.fields["headers"]
        return
    scheme, _, value = str(headers[name]).strip().partition(" ")
    value, span = value.strip(), draft.spans.get("headers")
    if scheme.lower() == "bearer" and value and " " not in value:
        del headers[name]
        draft.auth(span, type="bearer", token=vault.reference(draft.name, "token", value))
    elif scheme.lower() == "basic" and (pair := _basic(value)):
        del headers[name]
        add_basic(draft, vault, *pair, span)
    if not headers:
        del draft.fields["headers"]


def _basic(value: str) -> tuple[str, str] | None:
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def add_basic(draft: Draft, vault: Vault, user: str, password: str | None, span: Span | None = None) -> None:
    """Add Basic auth with a reference for the password. With an empty one, the user name is the secret, as of Stripe.

    ``password`` is None if the source does not have it, as where curl asks for it.
    """
    if user and password == "":
        user = vault.reference(draft.name, "user", user)
    reference = vault.reference(draft.name, "password", password) if password else ""
    if not reference:
        reference = vault.expect(
            f"{re.sub('[^A-Z0-9]+', '_', draft.name.upper())}_PASSWORD", f"password of {draft.name}"
        )
    draft.auth(span, type="basic", username=user, password=reference)


def _header(draft: Draft, vault: Vault, name: str, value: str) -> str:
    if has_secret_name(name) or _HEADER.search(name):
        scheme, space, rest = value.partition(" ")
        if space and scheme.isalpha() and " " not in rest.strip():
            return f"{scheme} {_reference(draft, vault, name, rest.strip())}"
        return _reference(draft, vault, name, value)
    return _field(draft, vault, name, value)


def _field(draft: Draft, vault: Vault, name: str, value: str) -> str:
    """The value of a header or a field of a form, by its name and its look."""
    if has_secret_name(name) or is_random(value):
        return _reference(draft, vault, name, value)
    return _spans(draft, vault, value, [(found.start, found.end, name) for found in in_header(name, value)])


def _reference(draft: Draft, vault: Vault, what: str, value: str) -> str:
    """A reference in place of a whole value. Of a value with references or expressions, they stay."""
    if not value.strip():
        return value
    if not any(mark in value for mark in _KEPT):
        return vault.reference(draft.name, what, value)
    pieces, at = [], 0
    for match in _EXPRESSION.finditer(value):
        pieces += [_rest(draft, vault, what, value[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*pieces, _rest(draft, vault, what, value[at:])])


def _rest(draft: Draft, vault: Vault, what: str, text: str) -> str:
    """The text around an expression, with a reference for each part of a secret: any word but ``Bearer`` or ``a=``."""
    return _WORD.sub(lambda match: vault.reference(draft.name, what, match[0]), text)


def _url(draft: Draft, vault: Vault, url: str) -> str:
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return vault.replace(url)  # a finding of the URL's rules
    if user or password:
        host = parts.netloc.rpartition("@")[2]
        url = url.replace(parts.netloc, host, 1)
        add_basic(draft, vault, user, password, draft.spans.get("url"))
    url, _, fragment = url.partition("#")
    if fragment:
        draft.left_out("the URL's fragment is never sent", "You do not need to do anything.", draft.spans.get("url"))
    base, mark, query = url.partition("?")
    base = re.sub(r"^(https://[^/]+):443(?=/|$)", r"\1", base)
    has_shape = bool(_SECRET_PATH.search(base)) or any(True for _ in shapes_in(base)) or bool(in_url(base))
    head, _, path = base.partition("://")
    host, *segments = path.split("/")
    segments = [_segment(draft, vault, segment, has_shape=has_shape) for segment in segments]
    pairs = [_parameter(draft, vault, pair) for pair in query.split("&")]
    return f"{head}://{'/'.join([host, *segments])}{mark}{'&'.join(pairs)}" if path else url


def _segment(draft: Draft, vault: Vault, segment: str, *, has_shape: bool) -> str:
    plain = unquote(segment)
    is_part = has_shape and len(plain) >= 8 and re.search(r"[0-9A-Z]", plain) is not None
    return _reference(draft, vault, "url token", segment) if is_part or is_random(plain) else segment


def _parameter(draft: Draft, vault: Vault, pair: str) -> str:
    name, equals, value = pair.partition("=")
    plain, text = re.sub(r"[^a-z0-9]", "", unquote(name).lower()), unquote(value.replace("+", " "))
    if not equals or not (has_secret_name(name) or _PARAMETER.search(plain) or is_random(text)):
        return pair
    reference = _reference(draft, vault, unquote(name), text)
    return f"{name}={reference}" if reference != text else pair  # what it refers to is percent-encoded when it is sent


def _body(draft: Draft, vault: Vault, body: str) -> str:
    found = [(literal.start, literal.end, literal.what) for literal in in_body(body)]
    taken = {(start, end) for start, end, _ in found}
    found += [
        (*match.span("value"), match["name"])
        for match in _MEMBER.finditer(body)
        if has_secret_name(match["name"]) and match.span("value") not in taken
    ]
    return _spans(draft, vault, body, found)


def _spans(draft: Draft, vault: Vault, text: str, found: list[tuple[int, int, str]]) -> str:
    """The text with a reference for each place, from the last to the first; of two that overlap, the later counts."""
    end_of_rest = len(text)
    for start, end, what in sorted(found, reverse=True):
        if end <= end_of_rest:
            words = re.sub(r"^an? ", "", what)
            text = text[:start] + _reference(draft, vault, words, text[start:end]) + text[end:]
            end_of_rest = start
    return text


def _everywhere(value: Json, vault: Vault, *, mask: bool) -> Json:
    """The value with no secret that was found elsewhere."""
    if isinstance(value, str):
        if mask:
            return vault.mask(value)
        return _outside(value, vault)
    if isinstance(value, list):
        return [_everywhere(item, vault, mask=mask) for item in value]
    if isinstance(value, dict):
        return {key: item if key == "type" else _everywhere(item, vault, mask=mask) for key, item in value.items()}
    return value


def _outside(text: str, vault: Vault) -> str:
    """The text with references for secrets, leaving those that it has."""
    pieces, at = [], 0
    for match in REFERENCE.finditer(text):
        pieces += [vault.replace(text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*pieces, vault.replace(text[at:])])
