"""Writes the values of other template languages in the syntax of templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_GO_FILTERS = {
    "toUpper": "upper",
    "upper": "upper",
    "toLower": "lower",
    "lower": "lower",
    "title": "title",
    "trim": "trim",
    "trimSpace": "trim",
    "len": "length",
    "toJson": "tojson",
    "toPrettyJson": "tojson",
    "urlquery": "urlencode",
    "urlquote": "urlencode",
    "b64enc": "b64encode",
}
"""Filters without arguments, and their names here. ``quote`` and ``safeHtml`` have no counterpart."""
_LIQUID_FILTERS = {
    "upcase": "upper",
    "downcase": "lower",
    "capitalize": "capitalize",
    "strip": "trim",
    "size": "length",
    "json": "tojson",
    "uniq": "unique",
    "strip_html": "striptags",
    "url_encode": "urlencode",
    "truncatewords": "truncate",
    "date": "datetime",
    "remove": "replace",
}
_LIQUID_OPERATORS = {"plus": "+", "minus": "-", "times": "*", "divided_by": "/", "modulo": "%"}
_QUOTED = r"""'[^']*'|"[^"]*\""""
_FROM_ROOT = re.compile(r"data\.(?:data[.\[]|(?:event_type|event_time)$)")
_PIPE = re.compile(rf"\|(?=(?:[^'\"]|{_QUOTED})*$)")


def in_event(path: str) -> str:
    """A path below ``data`` that was written from the event's root: ``data.data.id`` is ``data.id``."""
    found = _FROM_ROOT.match(path)
    return path[len("data.") :] if found else path


def handlebars_path(path: str) -> str:
    """A Handlebars path.

    ``groups.[0].name`` is ``groups[0].name``, ``a.b-c`` is ``a["b-c"]``, and ``a-b`` is ``data["a-b"]``.
    """
    if path in {"", "this", "."}:
        return "item"
    if path == "index":
        return "index0"
    path = re.sub(r"\.?\[(\d+)\]", r"[\1]", path)
    path = re.sub(r"\.?\[([^\]\d\"'][^\]]*)\]", r'["\1"]', path)
    path = re.sub(r"^(\w+(?:-\w+)+)", r"data.\1", path)
    return re.sub(r"\.(\w+(?:-\w+)+)", r'["\1"]', path)


def go_value(value: str) -> str:
    """A Go value: ``.Labels.team`` is ``data.Labels.team``, ``$alert.Name`` is ``alert.Name``, and filters follow."""
    first, *filters = (part.strip() for part in _PIPE.split(value))
    if first == ".":
        first = "item"
    elif first.startswith("$."):
        first = f"data{first[1:]}"
    elif first.startswith("."):
        first = f"data{first}"
    else:
        first = first.lstrip("$")
    first = in_event(first)
    return " | ".join([first, *(name for one in filters if (name := _go_filter(one)))])


def _go_filter(text: str) -> str:
    name, _, argument = text.partition(" ")
    if name in {"default", "join"} and argument:
        return f"{name}({argument.strip()})"
    return _GO_FILTERS.get(name, "")


def liquid_value(value: str) -> str:
    """A Liquid value: ``data.at | date: "%Y"`` is ``data.at | datetime("%Y")``."""
    found, *filters = (part.strip() for part in _PIPE.split(value))
    for one in filters:
        name, _, arguments = (part.strip() for part in one.partition(":"))
        if name in _LIQUID_OPERATORS:
            found = f"({found} {_LIQUID_OPERATORS[name]} {arguments})"
        elif name in {"append", "prepend"}:
            found = f"({found} ~ {arguments})" if name == "append" else f"({arguments} ~ {found})"
        elif name == "map":
            found = f"{found} | map(attribute={arguments})"
        elif name == "remove":
            found = f"{found} | replace({arguments}, '')"
        elif name == "split":
            continue
        else:
            name = _LIQUID_FILTERS.get(name, name)
            found = f"{found} | {name}({arguments})" if arguments else f"{found} | {name}"
    return found


def js_value(value: str) -> str:
    """A JavaScript value: ``a?.b`` is ``a.b``, and ``a && !b`` is ``a and not b``."""
    value = value.replace("?.", ".")
    for sign, word in (
        (r"\s*===?\s*", " == "),
        (r"\s*!==?\s*", " != "),
        (r"\s*&&\s*", " and "),
        (r"\s*\|\|\s*", " or "),
    ):
        value = re.sub(sign, word, value)
    return re.sub(r"!(?=[\w(])", "not ", value)


_N8N_METHODS: Mapping[str, str] = {
    "toUpperCase": "upper",
    "toLowerCase": "lower",
    "trim": "trim",
    "toString": "string",
    "toNumber": "float",
    "toISO": "datetime",
    "toISOString": "datetime",
    "length": "length",
    "first": "first",
    "last": "last",
    "toTitleCase": "title",
    "toJsonString": "tojson",
    "isEmpty": "length == 0",
}


def n8n_value(path: str) -> str:
    """What follows ``$json``: ``.user["id"].toUpperCase()`` is ``data.user["id"] | upper``."""
    path, *methods = re.split(r"\.(?=\w+\(\)|length\b)", path)
    names = [_N8N_METHODS.get(method.removesuffix("()"), "") for method in methods]
    return " | ".join([in_event(f"data{path}"), *filter(None, names)])


VALUES: Mapping[str, Callable[[str], str]] = {
    "Go": go_value,
    "Handlebars": handlebars_path,
    "JavaScript": js_value,
    "Liquid": liquid_value,
    "n8n": n8n_value,
}
"""How a value of each language is written here."""
