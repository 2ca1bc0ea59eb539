"""What to check when a token endpoint gives no token, with the settings of the webhook's auth block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hookctl.model import DeliveryPlan, Json, PluginBlock, brief

CREDENTIALS = ("client_id", "client_secret", "token_url")
"""The settings to name where no block of the webhook has a ``token_url``: a plugin's auth may call them otherwise."""
FORM, BASIC = "client_secret_post", "client_secret_basic"


def token_words(plan: DeliveryPlan) -> Mapping[str, str]:
    """The values for the braces in the tips of a failed token request.

    ``credentials``: the settings to check, as ``a, b and c``. ``asks``: what the token is asked for. ``client_auth``:
    how else the client may authenticate. A text that does not apply is empty.
    """
    block = next((block for block in plan.auth if "token_url" in block.settings), None)
    if block is None:
        return {"credentials": _and(CREDENTIALS), "asks": "", "client_auth": ""}
    asked = ("scopes", "audience", "resource", "endpoint_params", "token_endpoint_auth_method")
    return {
        "credentials": _and([name for name in block.settings if name not in asked]),
        "asks": " ".join(_asks(block)),
        "client_auth": _client_auth(block.settings),
    }


def _asks(block: PluginBlock) -> Iterator[str]:
    settings = block.settings
    if scopes := _values(settings.get("scopes")):
        word = "scope" if len(scopes) == 1 else "scopes"
        yield f"The auth block asks for the {word} {_named(scopes)}: the client must be allowed to have them."
    else:
        yield "The auth block sets no scopes: if the server requires one, write scopes: [NAME]."
    for name in ("audience", "resource"):
        if values := _values(settings.get(name)):
            yield f"It asks for a token for the {name} {_named(values)}: the server must know it under this name."
    if block.type == "oauth2" and "audience" not in settings and "resource" not in settings:
        yield "It sets neither audience nor resource, and some servers require one."
    params = settings.get("endpoint_params")
    if isinstance(params, dict) and params:
        yield f"It also sends the parameters {_named(params)}."


def _client_auth(settings: Mapping[str, Json]) -> str:
    if "client_secret" not in settings:
        return ""
    if settings.get("token_endpoint_auth_method") == FORM:
        return (
            "The auth block sends the credentials in the form. Some servers accept them only in a Basic header: "
            f"token_endpoint_auth_method: {BASIC}"
        )
    return f"Some servers accept credentials only in the form: token_endpoint_auth_method: {FORM}"


def _values(value: Json) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _named(values: Iterable[str]) -> str:
    return brief(", ".join(values))


def _and(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
