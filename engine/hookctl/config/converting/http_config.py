"""Reads the http_config that Prometheus and Alertmanager share: how to authenticate, and how to reach a target."""

from __future__ import annotations

import re

from hookctl.config.converting.draft import Draft, without_empty
from hookctl.config.converting.source_tree import Tree
from hookctl.config.converting.vault import Vault
from hookctl.model import Json

_NETWORK = ("proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header")
_FILE = re.compile(r"[^{}\s]+")


def read_http_config(tree: Tree, draft: Draft, vault: Vault, place: tuple[str | int, ...], config: Json) -> None:
    """Add the auth and headers of an http_config to a draft."""
    if not isinstance(config, dict):
        return
    span = tree.span(*place)
    basic, authorization, oauth2 = config.get("basic_auth"), config.get("authorization"), config.get("oauth2")
    if isinstance(basic, dict):
        draft.auth(
            tree.span(*place, "basic_auth"),
            type="basic",
            username=_text(basic, "username", draft, vault) or "user",
            password=_secret(basic, "password", draft, vault),
        )
    if isinstance(authorization, dict):
        kind = str(authorization.get("type", "Bearer"))
        token = _secret(authorization, "credentials", draft, vault)
        where = tree.span(*place, "authorization")
        if kind.lower() == "bearer":
            draft.auth(where, type="bearer", token=token)
        else:
            draft.auth(where, type="headers", headers={"Authorization": f"{kind} {token}"})
    if "bearer_token" in config or "bearer_token_file" in config:
        draft.auth(span, type="bearer", token=_secret(config, "bearer_token", draft, vault))
    if isinstance(oauth2, dict):
        _oauth2(tree, draft, vault, (*place, "oauth2"), oauth2)
    _headers(tree, draft, vault, (*place, "http_headers"), config.get("http_headers"))
    _network(tree, draft, place, config)


def _oauth2(tree: Tree, draft: Draft, vault: Vault, place: tuple[str | int, ...], oauth2: dict[str, Json]) -> None:
    block: dict[str, Json] = {
        "type": "oauth2",
        "client_id": _text(oauth2, "client_id", draft, vault),
        "client_secret": _secret(oauth2, "client_secret", draft, vault),
        "token_url": oauth2.get("token_url"),
        "scopes": oauth2.get("scopes"),
    }
    parameters = oauth2.get("endpoint_params")
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if name in {"audience", "resource"}:
            block[name] = value
        else:
            block.setdefault("endpoint_params", {})[name] = value  # type: ignore[index,call-overload]
    draft.auth(tree.span(*place), **without_empty(block))


def _headers(tree: Tree, draft: Draft, vault: Vault, place: tuple[str | int, ...], headers: Json) -> None:
    for name, entry in headers.items() if isinstance(headers, dict) else ():
        if not isinstance(entry, dict):
            continue
        kinds = (("values", False), ("secrets", True), ("files", True))
        found = [(value, secret, kind) for kind, secret in kinds for value in _list(entry.get(kind))]
        if len(found) > 1:
            draft.left_out(f"only the first value of the header {name} is imported", "Join the values with commas.")
        for value, is_secret, kind in found[:1]:
            text = f"${{file:{value}}}" if kind == "files" else str(value)
            text = vault.reference(draft.name, name, text) if is_secret else text
            draft.header(name, text, tree.span(*place, name))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _network(tree: Tree, draft: Draft, place: tuple[str | int, ...], config: dict[str, Json]) -> None:
    """Report what is a setting of the machine, and not of a webhook."""
    tls = config.get("tls_config")
    if isinstance(tls, dict):
        where = tree.span(*place, "tls_config")
        if "cert" in tls or "cert_file" in tls:
            draft.unconverted(
                "the client certificate is not imported", "Add auth of the type mtls: see `hookctl plugins`.", where
            )
        if tls.get("insecure_skip_verify") is True or "ca_file" in tls or "ca" in tls:
            fix = "Give a certificate authority with --cacert: see `hookctl explain network`."
            draft.left_out("hookctl verifies the target's certificate with the authorities of its machine", fix, where)
    for name in _NETWORK:
        if config.get(name):
            what = f"{name} is not a setting of a webhook"
            draft.left_out(
                what, "Set the proxy in hookctl.toml: see `hookctl explain network`.", tree.span(*place, name)
            )


def _text(config: dict[str, Json], name: str, draft: Draft, vault: Vault) -> str:
    """A setting that is text here, or in a file."""
    value = config.get(name)
    return str(value) if value is not None else _secret(config, name, draft, vault)


def _secret(config: dict[str, Json], name: str, draft: Draft, vault: Vault) -> str:
    """A reference for a setting that is here, or in a file, or to be set."""
    value, path = config.get(name), config.get(f"{name}_file")
    if value is not None and str(value) != "<secret>":
        return vault.reference(draft.name, name, str(value))
    if isinstance(path, str) and _FILE.fullmatch(path):
        return f"${{file:{path}}}"
    variable = re.sub("[^A-Z0-9]+", "_", f"{draft.name}_{name}".upper()).strip("_")
    return vault.expect(variable if not variable[:1].isdigit() else f"_{variable}", f"{name} of {draft.name}")
