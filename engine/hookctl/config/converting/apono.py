"""Makes webhooks of those of Apono: its Terraform resources, and its JSON as the API and Terraform export it."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hookctl.config.converting.draft import Draft, webhook_name, without_empty
from hookctl.config.converting.handlebars import handlebars_to_jinja
from hookctl.config.converting.source_tree import SourceError, Tree, read_json
from hookctl.config.converting.terraform import Partly, Unknown, read_terraform, variable_of
from hookctl.config.converting.vault import Vault
from hookctl.model import Json
from hookctl.model.source import SourceFile, Span

_KINDS = (
    ("anomal", "anomaly"),
    ("audit", "audit_log"),
    ("integration", "integration"),
    ("manual", "access_request"),
    ("request", "access_request"),
)
"""A part of the name of a webhook's kind, and the event type."""
_TRIGGERS = ("created", "approved", "rejected", "granted", "expired", "failed", "manual")
Place = Callable[..., Span | None]


def read_apono(sources: list[SourceFile], vault: Vault, *, event: str | None) -> list[Draft]:
    """The webhooks of the sources, of which those whose name ends with ``.tf`` are one module of Terraform.

    Args:
        sources: what was read.
        vault: keeps their secrets.
        event: the event type of all; None: that of each webhook's kind.
    """
    drafts: list[Draft] = []
    terraform = [source for source in sources if source.path.endswith(".tf")]
    for resource in read_terraform(terraform) if terraform else ():
        if re.match(r"apono_\w*webhook", resource.type):
            kind = resource.type
            drafts.append(_draft(resource.values, resource.name, kind, resource.source, resource.span, vault, event))
    for source in sources:
        if source not in terraform:
            tree = _tree(source)
            for pointer, value, kind in _webhooks(tree.value):
                place = _placed(tree, pointer)
                drafts.append(_draft(value, "", kind, source, place, vault, event))
    if not drafts:
        raise SourceError(
            "the file has no webhooks of Apono",
            "Name a file with apono_manual_webhook resources, or the JSON that Apono's API returns.",
        )
    return drafts


def _tree(source: SourceFile) -> Tree:
    try:
        return read_json(source.text)
    except SourceError as error:
        error.source = source
        raise


def _placed(tree: Tree, start: tuple[str | int, ...]) -> Place:
    return lambda *pointer: tree.span(*start, *pointer)


def _webhooks(value: Json) -> Iterator[tuple[tuple[str | int, ...], dict[str, Json], str]]:
    """Every webhook in a JSON value: its pointer, the webhook, and what names its kind."""
    rest: deque[tuple[tuple[str | int, ...], Json, str]] = deque([((), value, "")])
    while rest:
        pointer, one, kind = rest.popleft()
        if isinstance(one, list):
            rest += [((*pointer, number), item, kind) for number, item in enumerate(one)]
        elif isinstance(one, dict):
            own = one.get("type")
            kind = (
                own if isinstance(own, str) else str(pointer[-1]) if pointer and isinstance(pointer[-1], str) else kind
            )
            if _is_webhook(one):
                yield pointer, one, kind
            else:
                rest += [((*pointer, key), item, kind) for key, item in one.items() if isinstance(item, dict | list)]


def _is_webhook(value: dict[str, Json]) -> bool:
    kind = value.get("type")
    has_request = isinstance(kind, dict) and ("http_request" in kind or "integration" in kind)
    return has_request or "http_request" in value or ("url" in value and bool({"name", "body_template"} & {*value}))


def _draft(  # noqa: PLR0917 - what every reader has
    values: Any, label: str, kind: str, source: SourceFile, place: Place, vault: Vault, event: str | None
) -> Draft:
    """One webhook, from the attributes that Terraform and JSON share."""
    values = values if isinstance(values, dict) else {}
    reader = _Reader(values, place, vault)
    name = values.get("name")
    draft = Draft(webhook_name(name if isinstance(name, str) else label, "webhook"), source, place())
    reader.draft = draft
    if isinstance(name, str) and draft.name != name:
        draft.notes.append(f"Apono calls it {name!r}.")
    _event(draft, values, kind, place, event)
    active = values.get("active", values.get("status", True))
    if active is False or str(active).lower() in {"inactive", "disabled", "false"}:
        draft.put("status", "inactive", place("active"))
    where, request = _request(values)
    if request is None:
        draft.unconverted(
            "it calls an action of an integration instead of a URL",
            "Write a webhook for the HTTP interface of that integration.",
            place("type"),
        )
    else:
        _http(draft, reader, where, request)
    _body(draft, reader)
    _auth(draft, reader, values)
    _rest(draft, reader, values)
    return draft


class _Reader:
    """Reads attributes of one webhook, some of which only Terraform knows."""

    draft: Draft

    def __init__(self, values: dict[str, Any], place: Place, vault: Vault) -> None:
        self.values = values
        self.place = place
        self.vault = vault

    def text(self, value: Any, what: str, *pointer: str | int, secret: bool = False) -> str | None:
        """An attribute as text; None if it is missing or only Terraform knows it. A secret becomes a reference."""
        if isinstance(value, Unknown):
            if secret:
                return self.vault.expect(variable_of(value), f"{what} of {self.draft.name}, {value.code} in Terraform")
            self._report(value.code, what, *pointer)
            return None
        if isinstance(value, Partly):
            if secret:  # the text around what only Terraform knows is a part of the secret
                codes = ", ".join(unknown.code for unknown in value.unknown)
                variable = re.sub("[^A-Z0-9]+", "_", f"{self.draft.name}_{what}".upper()).strip("_")
                variable = f"_{variable}" if variable[0].isdigit() else variable
                return self.vault.expect(variable, f"{what} of {self.draft.name}, made of {codes} in Terraform")
            for unknown in value.unknown:
                purpose = f"value of {unknown.code} in Terraform"
                self.vault.expect(variable_of(unknown), purpose)
            return value.text
        if value is None:
            return None
        text = value if isinstance(value, str) else json.dumps(value)
        return self.vault.reference(self.draft.name, what, text) if secret else text

    def _report(self, code: str, what: str, *pointer: str | int) -> None:
        self.draft.unconverted(
            f"the {what} is {code[:60]}, which only Terraform knows",
            "Write its value in the file, or give the variable a default and import again.",
            self.place(*pointer),
        )


def _request(values: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    """Where the attributes of the HTTP request are, and these; None if the webhook is not one."""
    kind = values.get("type")
    if isinstance(kind, dict):
        request = kind.get("http_request")
        return ("type", "http_request"), request if isinstance(request, dict) else None
    request = values.get("http_request")
    return (("http_request",), request) if isinstance(request, dict) else ((), values)


def _event(draft: Draft, values: dict[str, Any], kind: str, place: Place, event: str | None) -> None:
    names = [str(values.get(name, "")) for name in ("event_type", "event", "kind", "webhook_type", "category")]
    words = " ".join([*names, kind]).lower()
    found = next((event_type for part, event_type in _KINDS if part in words), "access_request")
    draft.put("event", event or found, place())
    triggers = _triggers(values)
    if not triggers and "manual" in kind and found == "access_request":
        triggers = ["manual"]
    if found == "access_request" and triggers and event is None:
        listed = ", ".join(f"'{trigger}'" for trigger in triggers)
        when = f"data.trigger == {listed}" if len(triggers) == 1 else f"contains([{listed}], data.trigger)"
        draft.put("when", when, place("triggers") or place())
    if values.get("filters"):
        draft.unconverted("the filters are not imported", "Write them as a condition in when.", place("filters"))


def _triggers(values: dict[str, Any]) -> list[str]:
    given: Any = next(
        (values[name] for name in ("triggers", "trigger", "events", "trigger_types") if name in values), []
    )
    words = [str(one) for one in (given if isinstance(given, list) else [given])]
    return [trigger for trigger in _TRIGGERS if any(trigger in word.lower() for word in words)]


def _http(draft: Draft, reader: _Reader, where: tuple[str, ...], request: dict[str, Any]) -> None:
    method = reader.text(request.get("method"), "method", *where, "method")
    draft.put("method", method.upper() if method else None, reader.place(*where, "method"))
    draft.put("url", reader.text(request.get("url"), "URL", *where, "url"), reader.place(*where, "url"))
    headers = request.get("headers")
    if isinstance(headers, list):
        headers = {str(one.get("name", one.get("key"))): one.get("value") for one in headers if isinstance(one, dict)}
    if isinstance(headers, Unknown):
        reader.text(headers, "list of headers", *where, "headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        is_unknown = isinstance(value, Unknown)  # headers are sensitive in Terraform, so it is a secret
        text = reader.text(value, name, *where, "headers", name, secret=is_unknown)
        if text is not None:
            draft.header(name, text, reader.place(*where, "headers", name))


def _body(draft: Draft, reader: _Reader) -> None:
    text = reader.text(reader.values.get("body_template"), "body", "body_template")
    if not text or not text.strip():
        return
    converted = handlebars_to_jinja(text)
    draft.put("body_template", converted.text, reader.place("body_template"))
    draft.template(converted, "body_template")
    headers = draft.fields.get("headers")
    if not isinstance(headers, dict):
        return
    content_type = next((name for name in headers if name.lower() == "content-type"), "")
    if content_type:
        kind = str(headers[content_type]).lower()
        if kind.split(";")[0].strip() == "application/json":
            del headers[content_type]  # it follows from the format
        elif "json" not in kind:
            draft.put("body_format", "xml" if "xml" in kind else "text")
        if not headers:
            del draft.fields["headers"]


def _auth(draft: Draft, reader: _Reader, values: dict[str, Any]) -> None:
    config = next(
        (values[name] for name in ("authentication_config", "authentication", "auth") if values.get(name)), None
    )
    if isinstance(config, Unknown):
        reader.text(config, "authentication", "authentication_config")
    if not isinstance(config, dict):
        return
    span = reader.place("authentication_config")
    oauth, basic, bearer = (_part(config, *names) for names in (("oauth", "oauth2"), ("basic",), ("bearer", "token")))
    if oauth:
        text = reader.text
        scopes = [one for one in _items(oauth.get("scopes")) if isinstance(one, str)]
        if isinstance(oauth.get("scopes"), Unknown):
            text(oauth["scopes"], "list of scopes", "authentication_config", "oauth", "scopes")
        url = oauth.get("token_endpoint_url", oauth.get("token_url"))
        block: dict[str, Json] = {
            "type": "oauth2",
            "client_id": text(oauth.get("client_id"), "client_id", secret=isinstance(oauth.get("client_id"), Unknown)),
            "client_secret": text(oauth.get("client_secret"), "client_secret", secret=True)
            or _missing(reader, "client_secret"),
            "token_url": text(url, "token URL", "authentication_config", "oauth", "token_endpoint_url"),
            "scopes": [*dict.fromkeys(scopes)],
        }
        draft.auth(span, **without_empty(block))
    elif basic:
        user = reader.text(basic.get("username"), "username", secret=isinstance(basic.get("username"), Unknown))
        password = reader.text(basic.get("password"), "password", secret=True) or _missing(reader, "password")
        draft.auth(span, type="basic", username=user or "user", password=password)
    elif bearer:
        token = reader.text(bearer.get("token", bearer.get("value")), "token", secret=True)
        draft.auth(span, type="bearer", token=token or _missing(reader, "token"))
    else:
        draft.unconverted("its authentication is not imported", "Add auth: see `hookctl plugins`.", span)


def _part(config: dict[str, Any], *names: str) -> dict[str, Any] | None:
    for name in names:
        value = config.get(name)
        if isinstance(value, dict):
            return value
        if isinstance(value, str | Unknown) and name in {"bearer", "token"}:
            return {"token": value}
    return None


def _missing(reader: _Reader, what: str) -> str:
    name = re.sub("[^A-Z0-9]+", "_", f"{reader.draft.name}_{what}".upper()).strip("_")
    return reader.vault.expect(name if not name[0].isdigit() else f"_{name}", f"{what} of {reader.draft.name}")


def _rest(draft: Draft, reader: _Reader, values: dict[str, Any]) -> None:
    timeout = values.get("timeout_in_sec", values.get("timeout_seconds"))
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        draft.put("timeout_seconds", timeout, reader.place("timeout_in_sec"))
    message = reader.text(values.get("custom_validation_error_message"), "message", "custom_validation_error_message")
    validators = [_validator(one) for one in _items(values.get("response_validators")) if isinstance(one, dict)]
    draft.put("response_validators", validators or None, reader.place("response_validators"))
    if message and validators:
        draft.put("custom_validation_error_message", message, reader.place("custom_validation_error_message"))


def _items(value: Any) -> Collection[Any]:
    return value if isinstance(value, list) else []


def _validator(value: dict[str, Any]) -> Json:
    path = str(value.get("json_path", ""))
    path = path if path.startswith("$") else f"$.data.{path.lstrip('.')}"
    return {
        "json_path": path,
        "expected_values": [one for one in _items(value.get("expected_values")) if _is_json(one)],
    }


def _is_json(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
