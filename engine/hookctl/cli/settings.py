"""The settings of ``hookctl.toml``: one table of its keys, and the check of a file against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from hookctl.errors import SettingsError

LONGEST_SHOWN = 60
"""Characters of a wrong value that a message repeats."""
LONGEST_PATH = 250
"""Characters of a path that a message repeats; a file name has at most 255 bytes."""
MAX_COUNT = 10**12
"""The largest whole number in a setting: more than any store holds, and exact in every type that it is converted to."""
EACH = "*"
"""In a table of the settings, stands for any key that the author chooses."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a value must be: a description, and a function that tests it."""

    expected: str
    accepts: Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_COUNT


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_list_of_modules(value: Any) -> bool:
    return _is_list_of_text(value) and all(part.isidentifier() for name in value for part in name.split("."))


def _is_table_of_digests(value: object) -> bool:
    return isinstance(value, dict) and all(
        PLUGIN.fullmatch(name) and isinstance(digest, str) and DIGEST.fullmatch(digest)
        for name, digest in value.items()
    )


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""The name of an environment or of a variable."""
PLUGIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""The name of a plugin that is a single file, which is the file's name without ``.py``."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def is_variable_value(value: object) -> bool:
    """Whether a variable may have this value: no other syntax of a webhook file can come from it."""
    if isinstance(value, str):
        return value.isprintable() and not any(opening in value for opening in ("{{", "{%", "{#", "${"))
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and abs(value) < 1 << 63  # as in the specification of TOML


def _is_environment(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"store", "protected", "vars"}:
        return False
    variables = value.get("vars", {})
    return (
        _is_text(value.get("store", "-"))
        and isinstance(value.get("protected", False), bool)
        and isinstance(variables, dict)
        and all(NAME.fullmatch(name) and is_variable_value(one) for name, one in variables.items())
    )


TEXT = Form("a string that is not empty", _is_text)
COUNT = Form(f"a whole number from 1 to {MAX_COUNT:,}", _is_count)
PERCENT = Form("a number from 0 to 100", lambda value: _is_number(value) and 0 <= value <= 100)
DURATION = Form('a duration such as "30d" or "12h"', _is_text)
SIZE = Form('a size such as "500MB" or "20GB"', _is_text)
TEXTS = Form("a list of strings that are not empty", _is_list_of_text)
NETWORKS = Form('a list of networks such as ["10.1.0.0/16"]', _is_list_of_text)
MODULES = Form('a list of modules such as ["acme_webhooks"]', _is_list_of_modules)
DIGESTS = Form(
    'a table of names and digests such as {acme = "sha256:..."}, with file names that leave out .py and 64 lower-case'
    " hexadecimal digits",
    _is_table_of_digests,
)
FLAG = Form("true or false", lambda value: isinstance(value, bool))
TABLE = Form("a table", lambda value: isinstance(value, dict))
VARIABLE = Form("text in one line without {{, {%, {# and ${, a number, or true or false", is_variable_value)
ENVIRONMENT = Form(
    'a table with "store" (a string), "protected" (true or false) and "vars" (a table of values)',
    _is_environment,
)

SETTINGS: Mapping[str, Form | Mapping[str, Form]] = {
    "dir": TEXT,
    "store": TEXT,
    "environment": TEXT,
    "environments": {EACH: ENVIRONMENT},
    "vars": {EACH: VARIABLE},
    "cacert": TEXT,
    "connect_to": TEXTS,
    "cacert_for": {EACH: TEXT},
    "proxy": TEXT,
    "allow": {EACH: NETWORKS},
    "plugins": {"modules": MODULES, "files": DIGESTS},
    "policies": {EACH: TABLE},
    "observers": {EACH: TABLE},
    "safety": {"removal_percent": PERCENT, "removal_minimum": COUNT},
    "retention": {"age": DURATION, "size": SIZE},
    "intake": {"max_waiting": COUNT, "min_free": SIZE, "events_per_second": COUNT},
    "metrics": {"webhook_label": FLAG},
}
"""Every key of ``hookctl.toml``, documented in docs/settings.md. A mapping stands for a table and its keys.

The text of a duration, a size or a network, and the settings of a policy or an observer, are checked where they are
used.
"""


def check_settings(file: str, settings: Mapping[str, Any]) -> None:
    """Check a file's content. Raises SettingsError with every unknown key and every value of the wrong type."""
    problems = [f"{file}: {problem}" for problem in _problems(settings)]
    if problems:
        raise SettingsError("\n".join(problems), hint="`hookctl explain settings` describes every setting.")


def shown_path(path: Path | str) -> str:
    """A path as a message shows it: shortened if it is too long for the system."""
    text = str(path)
    return text if len(text) <= LONGEST_PATH else f"{text[:LONGEST_SHOWN]}..."


def shown(value: object) -> str:
    """A wrong value as a message shows it: as Python writes it, shortened."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write a number of more than 4,300 digits
        return "a number with too many digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _problems(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        rule = SETTINGS.get(key)
        if rule is None:
            yield f"unknown setting {shown(key)}{_meant(key, SETTINGS, 'the settings are')}"
        elif isinstance(rule, Form):
            yield from _problem(key, rule, value)
        elif not isinstance(value, dict):
            yield f"{key} must be a table, not {shown(value)}"
        else:
            for inner, found in value.items():
                form = rule.get(EACH) or rule.get(inner)
                if form is None:
                    yield f"unknown setting {shown(inner)} in [{key}]{_meant(inner, rule, 'its settings are')}"
                else:
                    yield from _problem(f"{key}.{inner}", form, found)


def _meant(word: str, known: Iterable[str], otherwise: str) -> str:
    """The known name that is most like ``word``; without one, all of them, after the words ``otherwise``."""
    from hookctl.model.nearest import nearest

    near = nearest(word, known)
    return f". Did you mean {near[0]!r}?" if near else f"; {otherwise} {', '.join(sorted(known))}"


def _problem(key: str, form: Form, value: object) -> Iterator[str]:
    if not form.accepts(value):
        yield f"{key} must be {form.expected}, not {shown(value)}"
