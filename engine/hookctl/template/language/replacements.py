"""What to write instead of a construct that Jinja, Python, Ansible or Home Assistant has and templates do not.

The advice is in the tables of :mod:`hookctl.template.language.replacement_tables`.
"""

from __future__ import annotations

from hookctl.template.language.replacement_tables import FILTERS, FUNCTIONS, METHODS, NAMES, TAGS, TESTS


def tag_advice(word: str) -> str:
    """What to write instead of a tag."""
    found = TAGS.get(word) or TAGS.get(word.removeprefix("end"))
    return found or "The tags are if, elif, else, for, set and raw, and their ends."


def function_advice(name: str) -> str:
    """What to write instead of a function."""
    return FUNCTIONS.get(name, "Templates have no functions. Use a filter, such as {{ data.title | upper }}.")


def method_advice(name: str) -> str:
    """What to write instead of a method of a value."""
    return METHODS.get(name, "Values have no methods. Use a filter, such as {{ data.title | upper }}.")


def test_advice(name: str) -> str:
    """What to write instead of a test."""
    return TESTS.get(name, "Compare with ==, or use defined, none, string, number, boolean, mapping or sequence.")


def filter_advice(name: str) -> str | None:
    """What to write instead of a filter; None for a name that no related language has."""
    return FILTERS.get(name)


def name_advice(name: str) -> str | None:
    """What to write instead of a name that other languages have; None for any other name."""
    return NAMES.get(name)
