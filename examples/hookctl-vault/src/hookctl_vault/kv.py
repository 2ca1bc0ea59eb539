"""Reads secrets of the KV engine, version 2, over Vault's HTTP API.

The environment of the machine names the server, and a webhook file only a path on it. So an author of webhook files
cannot make hookctl send the token, or any request, to another server.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from hookctl.errors import SecretError

KEY = re.compile(
    r"(?P<mount>[\w.-]{1,100})/(?P<path>[\w.@-]{1,100}(?:/[\w.@-]{1,100}){0,9})#(?P<field>[^#]{1,200})", re.ASCII
)
MAX_BYTES = 1 << 20
"""More than Vault stores in one secret by default."""
SECONDS = 10.0
"""For connecting, for each wait, and for the whole body. hookctl itself waits 30 seconds for a source."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HINTS: Mapping[int, str] = {
    403: "Renew the token in VAULT_TOKEN, or give it a policy that may read this path.",
    404: "Write the secret with `vault kv put`, or correct the path.",
    503: "Unseal Vault.",
}


def read(key: str) -> str:
    """The text of a field. ``key`` is ``MOUNT/PATH#FIELD``. Raises SecretError, which never contains a secret."""
    match = KEY.fullmatch(key)
    if not match or {".", ".."} & {match["mount"], *match["path"].split("/")}:
        hint = "Write ${vault:MOUNT/PATH#FIELD}, such as ${vault:secret/siem#token}."
        raise SecretError("the key is not the path of a secret in Vault, with a field", hint=hint)
    fields = _fields(f"{match['mount']}/data/{match['path']}", shown=f"{match['mount']}/{match['path']}")
    text = fields.get(match["field"])
    if not isinstance(text, str):
        problem = "is not text" if match["field"] in fields else "does not exist"
        raise SecretError(f"the field of {key} in Vault {problem}", hint="Name a field with text after the `#`.")
    return text


def _fields(path: str, shown: str) -> Mapping[str, object]:
    address, token = _environment()
    headers = {"X-Vault-Token": token, "X-Vault-Request": "true"}
    if namespace := os.environ.get("VAULT_NAMESPACE"):
        headers["X-Vault-Namespace"] = namespace
    status, body = _get(f"{address}/v1/{path}", headers)
    if status != 200:
        hint = HINTS.get(status, "Look at the server with `vault status`.")
        raise SecretError(f"Vault answers with the status {status} for {shown}", hint=hint)
    try:
        fields = json.loads(body)["data"]["data"]
    except (ValueError, LookupError, TypeError):
        fields = None
    if not isinstance(fields, dict):
        hint = "Check that VAULT_ADDR is a Vault, and that the mount is a KV engine of version 2."
        raise SecretError(f"what Vault answers for {shown} is not a secret", hint=hint)
    return fields


def _get(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """The status and body of a response. Raises SecretError if there is none."""
    until = time.monotonic() + SECONDS
    body = b""
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy, and no password of ~/.netrc in place of the token
            session.verify = os.environ.get("VAULT_CACERT") or True
            response = session.get(url, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True)
            for piece in response.iter_content(8192):
                body += piece
                if len(body) > MAX_BYTES or time.monotonic() > until:
                    raise SecretError("the answer of Vault is too long, or takes too long", hint="Check VAULT_ADDR.")
            return response.status_code, body
    except (requests.RequestException, OSError) as error:
        hint = "Check VAULT_ADDR and VAULT_CACERT, and look at the server with `vault status`."
        raise SecretError(f"Vault cannot be reached: {type(error).__name__}", hint=hint) from error


def _environment() -> tuple[str, str]:
    """The address and the token. Raises SecretError if one is missing, or if the token would be sent in the clear."""
    address, token = (os.environ.get(name, "").strip() for name in ("VAULT_ADDR", "VAULT_TOKEN"))
    if not address or not token:
        missing = "VAULT_TOKEN" if address else "VAULT_ADDR"
        raise SecretError(f"{missing} is not set", hint="Set VAULT_ADDR and VAULT_TOKEN where hookctl runs.")
    if not (token.isascii() and token.isprintable()):
        raise SecretError("VAULT_TOKEN contains a character that no token has", hint="Set it to a token of Vault.")
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise SecretError("VAULT_ADDR is not an HTTPS URL", hint="Plain HTTP is only for a Vault on this machine.")
    return address.rstrip("/"), token
