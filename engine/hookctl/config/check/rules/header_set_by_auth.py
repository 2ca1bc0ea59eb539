"""Headers that a webhook's auth replaces."""

from __future__ import annotations

from hookctl.config.check.notes import Notes, auth_blocks
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
        " In a list of auths, each replaces the headers of those before it in the same way, so of two auths that set"
        " `Authorization`, only the last one counts. A plugin's auth is checked if it declares its headers."
    ),
    message="auth {type} sets the header {name}, so this value is never sent",
    hint="Remove the header or the auth.",
    variants={
        "auth": (
            "auth {type} sets the header {name}, which an auth before it sets already, so that value is never sent",
            "Remove one of the two, or give it another header.",
        )
    },
    bad="headers:\n  Authorization: ${env:OTHER_TOKEN}\nauth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
    good="headers:\n  X-Tenant: eu\nauth:\n  type: bearer\n  token: ${env:SIEM_TOKEN}",
)


def check(notes: Notes, plugins: Plugins) -> None:
    """Note each header that auth replaces: one of the webhook, or one of an auth before it."""
    headers, auth = notes.webhook.fields.get("headers"), notes.webhook.fields.get("auth")
    of_auths: set[str] = set()
    for pointer, block in auth_blocks(auth):
        kind = block.get("type")
        if not isinstance(kind, str):
            continue
        settings = {key: value for key, value in block.items() if key != "type"}
        try:
            added = {name.lower(): name for name in added_by([PluginBlock(kind, settings)], plugins.auth).headers}
        except PluginError:
            continue  # wrong settings, which their own rules report; or a broken plugin, which the plan reports
        for name in headers if isinstance(headers, dict) else ():
            if name.lower() in added:
                notes.add(HEADER_SET_BY_AUTH, ("headers", name), at_key=True, type=kind, name=name)
        for name in sorted(added.keys() & of_auths):
            notes.add(HEADER_SET_BY_AUTH, pointer, "auth", type=kind, name=added[name])
        of_auths |= added.keys()
