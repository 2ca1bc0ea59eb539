"""What to write instead of a construct that Jinja, Python, Ansible or Home Assistant has and templates do not.

The advice is in the tables of :mod:`hookctl.template.language.replacement_tables`. Only filters that exist are offered.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"""\"[^"]*\"|'[^']*'""")
_FILTER = re.compile(r"\|\s*([A-Za-z_]\w*)")
_SAMPLE = re.compile(r"\bdata\.\w+")
_ELSE = (
    "Use jmespath, such as {{ data.alerts | jmespath('[?ok].name') }}, or let the event's publisher prepare the value."
)


def tag_advice(word: str) -> str:
    """What to write instead of a tag."""
    from hookctl.template.language.replacement_tables import TAGS

    found = TAGS.get(word) or TAGS.get(word.removeprefix("end"))
    return _offered(found or "The tags are if, elif, else, for, set and raw, and their ends.")


def function_advice(name: str) -> str:
    """What to write instead of a function."""
    from hookctl.template.language.replacement_tables import FUNCTIONS

    other = "Templates have no functions. Use a filter, such as {{ data.title | upper }}."
    return _offered(FUNCTIONS.get(name, other))


def method_advice(name: str, path: str = "") -> str:
    """What to write instead of a method of a value. ``path`` is the value, if it is a field of the event."""
    from hookctl.template.language.replacement_tables import METHODS

    other = "Values have no methods. Use a filter, such as {{ data.title | upper }}."
    return _offered(_fitted(METHODS.get(name, other), path))


def test_advice(name: str) -> str:
    """What to write instead of a test."""
    from hookctl.template.language.replacement_tables import TESTS

    other = "Compare with ==, or use defined, none, string, number, boolean, mapping or sequence."
    return _offered(TESTS.get(name, other))


def filter_advice(name: str, path: str = "") -> str | None:
    """What to write instead of a filter; None for a name that no related language has. ``path`` is its value."""
    from hookctl.template.language.replacement_tables import FILTERS

    return _offered(_fitted(FILTERS[name], path)) if name in FILTERS else None


def name_advice(name: str) -> str | None:
    """What to write instead of a name that other languages have; None for any other name."""
    from hookctl.template.language.replacement_tables import NAMES

    return _offered(NAMES[name]) if name in NAMES else None


def offers_only_filters(advice: str) -> bool:
    """Whether every filter in an advice exists."""
    from hookctl.template.language.filters import BUILT_IN

    return all(name in BUILT_IN for name in _FILTER.findall(_QUOTED.sub("''", advice)))


def _offered(advice: str) -> str:
    return advice if offers_only_filters(advice) else _ELSE


def _fitted(advice: str, path: str) -> str:
    """The advice about the author's own value, if it is about one."""
    return _SAMPLE.sub(lambda _: path, advice) if path and len({*_SAMPLE.findall(advice)}) == 1 else advice
