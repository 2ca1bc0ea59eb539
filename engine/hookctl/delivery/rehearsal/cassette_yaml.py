"""Parses the YAML of cassettes at a cost bounded by the file's size: no aliases, deep nesting or huge numbers."""

from __future__ import annotations

import re
from typing import Any

import yaml

NULL = "tag:yaml.org,2002:null"
MAX_EVENTS = 20_000
"""The maximum number of YAML events in a cassette, which has a few for each header."""
MAX_DEPTH = 16
"""The maximum nesting of lists and mappings; a cassette has six levels."""


class _Loader(yaml.CBaseLoader):
    """Reads every scalar as text, except null and binary data."""

    yaml_implicit_resolvers = {start: [(NULL, re.compile("(?:~|null|Null|NULL|)$"))] for start in ("~", "n", "N", "")}  # noqa: RUF012 - PyYAML's own form
    yaml_constructors = {  # noqa: RUF012 - as above
        NULL: yaml.SafeLoader.construct_yaml_null,
        "tag:yaml.org,2002:binary": yaml.SafeLoader.construct_yaml_binary,
    }


def parse(text: str) -> Any:
    """The document in ``text``: mappings, lists, text, bytes and None. Raises ValueError or yaml.YAMLError."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if number == MAX_EVENTS:
            raise ValueError("it contains more lists, mappings and values than a recorded exchange")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ValueError("it has an anchor or an alias")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"its lists and mappings are nested more than {MAX_DEPTH} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - it makes plain data alone
