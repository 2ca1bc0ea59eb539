"""Parameters of the URL that a webhook's auth adds as well."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from hookctl.config.check.notes import Notes, auth_blocks
from hookctl.errors import PluginError
from hookctl.model import PluginBlock
from hookctl.model.rules.rule import Rule
from hookctl.plugin.added import added_by
from hookctl.plugin.calls import Plugins

PARAMETER_SET_BY_AUTH = Rule(
    id="parameter-set-by-auth",
    summary="The webhook's auth adds this parameter to the URL, too.",
    explanation=(
        "Auth adds its parameters after the query of `url`. If one of them is there already, the request has it twice,"
        " and it depends on the target which of the two values counts. A plugin's auth is checked if it declares its"
        " parameters."
    ),
    message="auth {type} adds the parameter {name}, so the request would have it twice",
    hint="Remove the parameter from the URL, or remove the auth.",
    variants={
        "auth": (
            "auth {type} adds the parameter {name}, which an auth before it adds already",
            "Remove one of the two, or correct its parameter.",
        )
    },
    bad=(
        "url: https://siem.example.com/ingest?key=1\n"
        "auth:\n  type: api_key_query\n  parameter: key\n  key: ${env:SIEM_API_KEY}"
    ),
    good=(
        "url: https://siem.example.com/ingest?tenant=eu\n"
        "auth:\n  type: api_key_query\n  parameter: key\n  key: ${env:SIEM_API_KEY}"
    ),
)
_PARAMETER = re.compile(r"[?&;](?P<name>[^=&;?]*)")


def check(notes: Notes, plugins: Plugins) -> None:
    """Note each parameter of the URL that auth adds, and each that two auths add."""
    fields = notes.webhook.fields
    url, auth = fields.get("url"), fields.get("auth")
    if not isinstance(url, str) or not auth:
        return
    added: set[str] = set()
    for pointer, block in auth_blocks(auth):
        kind = block.get("type")
        if not isinstance(kind, str):
            continue
        settings = {key: value for key, value in block.items() if key != "type"}
        try:
            names = {name for name, _, _ in added_by([PluginBlock(kind, settings)], plugins.auth).query}
        except PluginError:
            continue  # wrong settings, which their own rules report; or a broken plugin, which the plan reports
        for match in _PARAMETER.finditer(url, max(url.find("?"), 0)):
            if (name := unquote_plus(match["name"])) in names:
                notes.add(PARAMETER_SET_BY_AUTH, ("url",), part=match.span("name"), type=kind, name=name)
        for name in sorted(names & added):
            notes.add(PARAMETER_SET_BY_AUTH, pointer, "auth", type=kind, name=name)
        added |= names
