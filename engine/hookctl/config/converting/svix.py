"""Makes webhooks of the endpoints that Svix lists."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.config.converting.draft import Draft, webhook_name
from hookctl.config.converting.source_tree import SourceError, Tree, read_json, read_yaml
from hookctl.config.converting.vault import Vault
from hookctl.model import Json
from hookctl.model.source import SourceFile

_TYPES = ("filterTypes", "filter_types", "eventTypes", "event_types")


def read_svix(source: SourceFile, vault: Vault, *, event: str | None, fallback: str) -> list[Draft]:
    """A webhook for each endpoint, as `svix endpoint list` prints them. Raises SourceError.

    Args:
        source: JSON or YAML.
        vault: keeps the secrets.
        event: the event type of all; None: the types that each endpoint filters by.
        fallback: the event type of an endpoint that receives all types.
    """
    tree = read_json(source.text) if source.text.lstrip()[:1] in {"{", "["} else read_yaml(source.text)
    drafts = [
        _draft(tree, source, vault, pointer, endpoint, event, fallback) for pointer, endpoint in _endpoints(tree.value)
    ]
    if drafts:
        return drafts
    if isinstance(tree.value, dict) and "eventTypes" in tree.value:
        raise SourceError(
            "the file is an export of an environment, which has event types and no endpoints",
            "Export the endpoints with `svix endpoint list APP_ID`.",
        )
    raise SourceError("the file has no endpoints", "Export the endpoints with `svix endpoint list APP_ID`.")


def _endpoints(value: Json) -> Iterator[tuple[tuple[str | int, ...], dict[str, Json]]]:
    """Every object with a URL, in order."""
    rest: list[tuple[tuple[str | int, ...], Json]] = [((), value)]
    while rest:
        pointer, one = rest.pop(0)
        if isinstance(one, list):
            rest += [((*pointer, number), item) for number, item in enumerate(one)]
        elif isinstance(one, dict):
            if isinstance(one.get("url"), str):
                yield pointer, one
            else:
                rest += [((*pointer, key), item) for key, item in one.items() if isinstance(item, dict | list)]


def _draft(  # noqa: PLR0917 - what every reader has
    tree: Tree,
    source: SourceFile,
    vault: Vault,
    place: tuple[str | int, ...],
    endpoint: dict[str, Json],
    event: str | None,
    fallback: str,
) -> Draft:
    url = str(endpoint["url"])
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    names = (endpoint.get("uid"), endpoint.get("name"), host.replace(".", " "))
    draft = Draft(
        next((name for one in names if (name := webhook_name(one, ""))), "endpoint"), source, tree.span(*place)
    )
    description = endpoint.get("description")
    draft.put("description", description if isinstance(description, str) and description else None)
    draft.put("status", "inactive" if endpoint.get("disabled") is True else None, tree.span(*place, "disabled"))
    _event(tree, draft, place, endpoint, event, fallback)
    draft.put("method", "POST")
    draft.put("url", url, tree.span(*place, "url"))
    headers = endpoint.get("headers")
    if isinstance(headers, dict) and isinstance(headers.get("headers"), dict):  # as the API returns them
        headers = headers["headers"]
    for name, value in headers.items() if isinstance(headers, dict) else ():
        draft.header(name, str(value), tree.span(*place, "headers", name))
    _sign(tree, draft, vault, place, endpoint)
    draft.put("body_template", "{{ data }}", tree.span(*place))
    draft.notes.append("The body is the whole data of the event, as Svix sends a message's payload.")
    _rest(tree, draft, place, endpoint)
    return draft


def _event(  # noqa: PLR0917 - as above
    tree: Tree,
    draft: Draft,
    place: tuple[str | int, ...],
    endpoint: dict[str, Json],
    event: str | None,
    fallback: str,
) -> None:
    key = next((name for name in _TYPES if endpoint.get(name)), "")
    types = endpoint.get(key) if key else None
    names: list[Json] = [one for one in types if isinstance(one, str)] if isinstance(types, list) else []
    if event is not None or not names:
        draft.put("event", event or fallback, tree.span(*place))
        if event is None:
            draft.left_out(
                f"it receives every event type, and a webhook names its types; the file names {fallback}",
                "Write the event types in the file, or give one with --event.",
            )
        return
    draft.put("event", names[0] if len(names) == 1 else names, tree.span(*place, key))


def _sign(tree: Tree, draft: Draft, vault: Vault, place: tuple[str | int, ...], endpoint: dict[str, Json]) -> None:
    """The signature. Svix exports the secret only if it is asked for."""
    key = next((name for name in ("secret", "key") if isinstance(endpoint.get(name), str)), "")
    what = "signing secret"
    secret = endpoint.get(key) if key else None
    if isinstance(secret, str):
        reference = vault.reference(draft.name, what, secret)
    else:
        words = "".join(letter if letter.isalnum() else "_" for letter in f"{draft.name}_SIGNING_SECRET").upper()
        reference = vault.expect(words if not words[0].isdigit() else f"_{words}", f"{what} of {draft.name}")
    draft.auth(tree.span(*place, key) if key else tree.span(*place), type="standard_webhooks", secret=reference)
    draft.notes.append("Signatures are in webhook-signature, which the libraries of Svix verify like svix-signature.")


def _rest(tree: Tree, draft: Draft, place: tuple[str | int, ...], endpoint: dict[str, Json]) -> None:
    rate = endpoint.get("rateLimit", endpoint.get("throttleRate"))
    if isinstance(rate, int) and rate > 0:
        draft.put("rate_limit", f"{rate}/s", tree.span(*place, "rateLimit"))
    labels = endpoint.get("metadata")
    if isinstance(labels, dict) and labels:
        draft.put("labels", {name: str(value) for name, value in labels.items()}, tree.span(*place, "metadata"))
    if endpoint.get("channels"):
        draft.unconverted(
            "channels are not imported, so the webhook would receive the events of all channels",
            "Write a condition in when.",
            tree.span(*place, "channels"),
        )
    for name in ("transformation", "transformationParams", "code"):
        if endpoint.get(name):
            draft.unconverted(
                "the transformation is JavaScript, which is not imported",
                "Write the body in body_template.",
                tree.span(*place, name),
            )
