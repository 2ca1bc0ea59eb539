"""When no file descriptor is left to open a module, this machine lacks it: the runner goes on, all arrives later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hookctl.model import DeliveryStatus
from hookctl.testing.answers import Answer

pytestmark = pytest.mark.one_store("sqlite", "the modules that a delivery imports are the same with a server")
SCRIPT = Path(__file__).with_name("short_of_imports.py")
SECRET = "'${file:secret}'"
TOKEN = f"auth: {{type: oauth2, client_id: client, client_secret: {SECRET}, token_url: 'https://login.example.com/oauth/token'}}"
WEBHOOKS = {
    "oauth2": (TOKEN,),
    "bearer": (f"auth: {{type: bearer, token: {SECRET}}}",),
    "basic": (f"auth: {{type: basic, username: me, password: {SECRET}}}",),
    "headers": (f"auth: {{type: headers, headers: {{X-Key: {SECRET}}}}}",),
    "requests": ("transport: {type: requests}", f"headers: {{X-Key: {SECRET}}}"),
    "json_path": (
        "response_validators: [{type: json_path, json_path: '$.data[?@ == 1]', expected_values: [1], match: any}]",
        f"headers: {{X-Key: {SECRET}}}",
    ),
    "jmespath": ("response_validators: [{type: jmespath, expression: 'status == `200`'}]",),
    "when": ("when: \"contains(data.id || 'x', 'x')\"",),
}


@pytest.mark.parametrize("allowed", [0, 15, 30, 45])
@pytest.mark.parametrize("status", [401, 503])
def test_what_is_imported_while_it_delivers(site: Any, webhook: Any, status: int, allowed: int) -> None:
    """From some import after the start of the runner on, nothing can be imported for a while; then everything can."""
    site.env["HOOKCTL_CONNECT_TO"] += f" login.example.com:443:{site.receiver.address}:{site.receiver.port}"
    (site.root / "secret").write_text("secret", encoding="utf-8")
    site.apply(**{name: webhook(name, *lines) for name, lines in WEBHOOKS.items()})
    site.take_in(2)
    for name in WEBHOOKS:
        site.receiver.answer(f"/{name}", Answer(status, body=b"[1]"), Answer(200, body=b"[1]"))
    ended = site.run([], [str(SCRIPT), str(allowed)])
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["refused"]
    assert all(reason.startswith("local: ") for reason in told["local_failures"]), told
    reasons = set().union(*site.reasons().values())
    assert reasons <= {"the webhook is held: HTTP 401 Unauthorized"}  # nothing else is left
    assert set(site.stored().values()) <= {DeliveryStatus.DELIVERED, DeliveryStatus.HELD}
