"""Makes webhooks of the webhook_configs in a configuration of Alertmanager."""

from __future__ import annotations

import json
import re

from hookctl.config.converting.blocks import Converted, Unknown
from hookctl.config.converting.draft import Draft, webhook_name
from hookctl.config.converting.go_templates import go_to_jinja
from hookctl.config.converting.http_config import read_http_config
from hookctl.config.converting.source_tree import SourceError, Tree, read_yaml
from hookctl.config.converting.vault import Vault
from hookctl.model import Json
from hookctl.model.source import SourceFile

EVENT = "alertmanager"
"""The event type whose ``data`` is what Alertmanager sends to webhooks."""
_WHOLE = re.compile(r"\{\{-? *(?P<value>[^{}|]+?)(?: *\| *tojson)? *-?\}\}")
_OTHERS = {"max_alerts": "the publisher of the events decides how many alerts one has"}
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TYPES = ("slack", "pagerduty", "opsgenie", "email", "msteams", "msteamsv2", "telegram", "victorops", "pushover", "sns",
          "discord", "wechat", "webex", "jira", "rocketchat", "mattermost", "incidentio")  # fmt: skip
_RECIPES = {
    "jira_configs": "jira",
    "msteams_configs": "teams",
    "msteamsv2_configs": "teams",
    "opsgenie_configs": "opsgenie",
    "pagerduty_configs": "pagerduty",
    "slack_configs": "slack",
}
"""The recipes of `hookctl init` for the targets of other receivers."""


def read_alertmanager(source: SourceFile, vault: Vault, *, event: str) -> list[Draft]:
    """A webhook for each webhook_config. Raises SourceError."""
    tree = read_yaml(source.text)
    receivers = tree.value.get("receivers") if isinstance(tree.value, dict) else None
    if not isinstance(receivers, list):
        raise SourceError(
            "the file has no list of receivers", "Name a configuration of Alertmanager, alertmanager.yml."
        )
    drafts: list[Draft] = []
    for number, receiver in enumerate(receivers):
        if isinstance(receiver, dict):
            drafts += _receiver(tree, source, vault, number, receiver, event)
    if not drafts:
        raise SourceError(
            "no receiver has webhook_configs",
            "Only webhook_configs are imported. `hookctl init --recipe NAME` writes webhooks for other targets.",
        )
    return drafts


def _receiver(  # noqa: PLR0917 - what every reader has
    tree: Tree, source: SourceFile, vault: Vault, number: int, receiver: dict[str, Json], event: str
) -> list[Draft]:
    configs = receiver.get("webhook_configs")
    drafts: list[Draft] = []
    for index, config in enumerate(configs if isinstance(configs, list) else ()):
        place = ("receivers", number, "webhook_configs", index)
        draft = Draft(webhook_name(receiver.get("name"), "alertmanager"), source, tree.span(*place))
        if isinstance(config, dict):
            _config(tree, draft, vault, place, config, event)
            drafts.append(draft)
    others = [key for key in receiver if key.removesuffix("_configs") in _TYPES]
    if drafts and others:
        drafts[0].left_out(
            f"the receiver also has {', '.join(sorted(others))}, which are not imported",
            f"Write a webhook for each{_with_recipes(others)}.",
            tree.span("receivers", number, others[0]),
        )
    return drafts


def _with_recipes(kinds: list[str]) -> str:
    """How to begin the webhooks for other kinds of receivers, where there are recipes."""
    names = sorted({_RECIPES[kind] for kind in kinds if kind in _RECIPES})
    return f": begin with {' and '.join(f'`hookctl init --recipe {name}`' for name in names)}" if names else ""


def _config(  # noqa: PLR0917 - as above
    tree: Tree, draft: Draft, vault: Vault, place: tuple[str | int, ...], config: dict[str, Json], event: str
) -> None:
    """Fill a draft from one webhook_config."""
    draft.put("event", event, draft.span)
    draft.put("method", "POST")
    url = config.get("url")
    if isinstance(url, str):
        converted = go_to_jinja(url)
        draft.put("url", converted.text, tree.span(*place, "url"))
        draft.template(converted, "url")
    elif isinstance(config.get("url_file"), str):
        draft.unconverted(
            "the whole URL is in a file, but a webhook's host must be in its file",
            "Write the URL, with a secret reference such as ${file:/path} for its secret part.",
            tree.span(*place, "url_file"),
        )
    if config.get("send_resolved") is False:
        draft.put("when", "data.status == 'firing'", tree.span(*place, "send_resolved"))
    for name, what in _OTHERS.items():
        if config.get(name):
            draft.left_out(
                f"{name} is not imported: {what}", "You do not need to do anything.", tree.span(*place, name)
            )
    timeout = config.get("timeout")
    if found := re.fullmatch(r"([0-9]{1,6})(ms|s|m|h)", str(timeout)):
        seconds = int(found[1]) * _UNIT[found[2]]
        if 0 < seconds <= 300:
            draft.put("timeout_seconds", seconds)
    read_http_config(tree, draft, vault, (*place, "http_config"), config.get("http_config"))
    _payload(tree, draft, (*place, "payload"), config.get("payload"))


def _payload(tree: Tree, draft: Draft, place: tuple[str | int, ...], payload: Json) -> None:
    """The body: a custom payload, or everything that Alertmanager sends without one."""
    span = tree.span(*place)
    if payload is None:
        draft.put("body_template", "{{ data }}", draft.span)
        draft.notes.append("The body is the whole data of the event, which must be what Alertmanager sends.")
        return
    unknown: list[Unknown] = []
    body = _text(payload, unknown) if isinstance(payload, str) else _value(payload, unknown, "")
    draft.put("body_template", f"{body.strip()}\n" if "\n" in body else body, span)
    draft.template(Converted("", unknown), "body_template")


def _text(text: str, unknown: list[Unknown]) -> str:
    converted = go_to_jinja(text)
    unknown += converted.unknown
    return converted.text


def _value(value: Json, unknown: list[Unknown], indent: str) -> str:
    """The JSON of a payload that is YAML, with its texts converted. One that is only a value with toJson is a value."""
    inner = f"{indent}  "
    if isinstance(value, dict):
        rows = [
            f"{inner}{json.dumps(key, ensure_ascii=False)}: {_value(one, unknown, inner)}" for key, one in value.items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}" if rows else "{}"
    if isinstance(value, list):
        rows = [f"{inner}{_value(one, unknown, inner)}" for one in value]
        return "[\n" + ",\n".join(rows) + f"\n{indent}]" if rows else "[]"
    if not isinstance(value, str):
        return json.dumps(value)
    converted = _text(value, unknown)
    whole = _WHOLE.fullmatch(converted.strip())
    if whole and "tojson" in converted:
        return f"{{{{ {whole['value']} }}}}"
    pieces = re.split(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", converted, flags=re.DOTALL)
    return (
        '"'
        + "".join(
            piece if number % 2 else json.dumps(piece, ensure_ascii=False)[1:-1] for number, piece in enumerate(pieces)
        )
        + '"'
    )
