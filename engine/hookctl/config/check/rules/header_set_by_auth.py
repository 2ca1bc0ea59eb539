"""Headers that a webhook's auth replaces."""

from __future__ import annotations

from hookctl.config.check.notes import Notes
from hookctl.errors import PluginError
from hookctl.model import PluginBlock
from hookctl.model.rules.rule import Rule
from hookctl.plugin.added import added_by
from hookctl.plugin.calls import Plugins

HEADER_SET_BY_AUTH = Rule(
    id="header-set-by-auth",
    summary="The webhook's auth sets this header, too.",
    explanation=(
        "Auth replaces a header of the same name, in upper or lower case, so the value in `headers` is never sent."
        " A plugin's auth is checked if it declares its headers."
    ),
    message="auth {type} sets the header {name}, so this value is never sent",
    hint="Remove the header or the auth.",
    bad="headers:\n  Authorization: ${env:OTHER_TOKEN}\nauth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    good="headers:\n  X-Tenant: eu\nauth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)


def check(notes: Notes, plugins: Plugins) -> None:
    """Note each header that auth replaces."""
    headers, auth = notes.webhook.fields.get("headers"), notes.webhook.fields.get("auth")
    if not isinstance(headers, dict) or not headers or not auth:
        return
    for block in auth if isinstance(auth, list) else [auth]:
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(block, dict) or not isinstance(kind, str):
            continue
        settings = {key: value for key, value in block.items() if key != "type"}
        try:
            added = {name.lower() for name in added_by([PluginBlock(kind, settings)], plugins.auth).headers}
        except PluginError:
            continue  # wrong settings, which their own rules report; or a broken plugin, which the plan reports
        for name in headers:
            if name.lower() in added:
                notes.add(HEADER_SET_BY_AUTH, ("headers", name), at_key=True, type=kind, name=name)
