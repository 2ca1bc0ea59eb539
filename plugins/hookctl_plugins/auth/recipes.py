"""The settings of the auth ``hmac`` as a recipe: expanded from a preset, checked, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from hookctl.errors import TemplateError
from hookctl.model import MASK, Problem
from hookctl.model.rules.fields import SETTING_INVALID
from hookctl.signatures import PRESETS, Recipe, parse_content, parse_format

if TYPE_CHECKING:
    from hookctl.model import Json
    from hookctl.plugin import Settings

FIELDS = {
    "algorithm": "algorithm",
    "key_encoding": "key",
    "content": "content",
    "header": "header",
    "format": "format",
    "encoding": "encoding",
    "timestamp_header": "timestamp_header",
    "id_header": "id_header",
    "body_hash_parameter": "body_hash_parameter",
}
"""The settings that make the recipe, and the field of the recipe for each."""
SECRETS = ("secret", "previous_secret")
"""The settings with a secret, in the order in which they sign."""
_OF_THE_REQUEST = {
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "webhook-id",
    "webhook-timestamp",
}
"""Headers that cannot carry a signature, because the request needs them."""
_OWN = {"timestamp_header": "webhook-timestamp", "id_header": "webhook-id"}
"""The header that carries this value anyway."""


def recipe_of(settings: Mapping[str, Json] | Settings) -> Recipe:
    """The recipe that the settings give. Raises KeyError without a preset and a header."""
    given: dict[str, Any] = {field: settings[name] for name, field in FIELDS.items() if name in settings}
    preset = settings.get("preset")
    if preset is None:
        return Recipe(**{"header": settings["header"], **given})
    return Recipe(**{**fields_of(PRESETS[cast("str", preset)]), **given})


def fields_of(recipe: Recipe) -> dict[str, str]:
    """The fields of a recipe by name, without the empty ones."""
    return {field: value for field in FIELDS.values() if (value := getattr(recipe, field))}


def expanded(settings: Mapping[str, Json]) -> Mapping[str, Json]:
    """The settings with every part of the recipe, and without the preset's name."""
    recipe = recipe_of(settings)
    parts = {name: value for name, field in FIELDS.items() if (value := getattr(recipe, field))}
    return {**parts, **{name: settings[name] for name in SECRETS if name in settings}}


def headers_of(settings: Mapping[str, Json]) -> Mapping[str, str]:
    """The headers that a request gets, with ``***`` for what is known only when it is sent."""
    recipe = recipe_of(settings)
    form = parse_format(recipe.format)
    parts = form.first + (form.further if "previous_secret" in settings else ())
    headers = {recipe.header: "".join(part if isinstance(part, str) else MASK for part in parts)}
    return headers | {name: MASK for name in (recipe.timestamp_header, recipe.id_header) if name}


def problems_of(settings: Mapping[str, Json]) -> Mapping[str, Problem]:
    """What no schema can express, by the name of the setting."""
    if "preset" not in settings and "header" not in settings:
        message = "the auth hmac has neither a preset nor a header"
        return {"preset": _problem(message, "Name the system with `preset`, or the header that carries the signature.")}
    return dict(reversed([*_problems(settings, recipe_of(settings))]))  # of two for one setting, the first counts


def _problems(settings: Mapping[str, Json], recipe: Recipe) -> Iterator[tuple[str, Problem]]:
    try:
        parse_content(recipe.content)
    except TemplateError as error:
        yield "content", Problem.from_error(error)
    try:
        if not parse_format(recipe.format).further and "previous_secret" in settings:
            what = "the format of the header has place for only one signature, so previous_secret cannot sign as well"
            fix = "Remove previous_secret, or repeat the signature in `format`: {signature}[,{signature}]."
            yield "previous_secret", _problem(what, fix)
    except TemplateError as error:
        yield "format", Problem.from_error(error)
    names = [name for name in ("header", "timestamp_header", "id_header") if getattr(recipe, name)]
    for index, name in enumerate(names):
        header = getattr(recipe, name)
        if header.lower() in _OF_THE_REQUEST and header.lower() != _OWN.get(name):
            yield name, _problem(f"the request needs the header {header} itself", "Choose another header.")
        for other in names[:index]:
            if getattr(recipe, other).lower() == header.lower():
                yield name, _problem(f"{name} and {other} are the same header", "Choose another header.")


def _problem(message: str, hint: str) -> Problem:
    return SETTING_INVALID.problem(0, 0, what=message, fix=hint)
