"""What to write instead of a construct that Jinja, Python, Ansible or Home Assistant has and templates do not."""

from __future__ import annotations


def tag_advice(word: str) -> str:
    """What to write instead of a tag."""
    return _TAGS.get(word, "The tags are if, elif, else, for and set, and their ends.")


def function_advice(name: str) -> str:
    """What to write instead of a function."""
    return _FUNCTIONS.get(name, "Use a filter: value | name(...).")


def method_advice(name: str) -> str:
    """What to write instead of a method of a value."""
    return _METHODS.get(name, "Use a filter: value | name(...).")


def test_advice(name: str) -> str:
    """What to write instead of a test."""
    return _TESTS.get(name, "Compare with ==, or use defined, none, string, number, boolean, mapping or sequence.")


_TAGS = {
    "set": "Write {% set name = value %} on one line.",
    "end": "Write {% endif %} or {% endfor %}.",
    "each": "Write {% for item in list %}.",
    "elseif": "Write {% elif %}.",
}
_FUNCTIONS = {"now": "Write event_time | datetime."}
_METHODS = {"items": "Write | items."}
_TESTS = {"even": "Write data.count % 2 == 0."}
