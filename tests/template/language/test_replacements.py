"""What to write instead of a construct that templates do not have: all of it can be read, and none lists everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from jinja2.filters import FILTERS

from hookctl.template.language import filters, replacements
from hookctl.template.language import replacement_tables as tables
from hookctl.template.language.expressions import Filtered, walk
from hookctl.template.language.filters import BUILT_IN
from hookctl.template.language.parser import read

TABLES = {name: getattr(tables, name) for name in ("TAGS", "FUNCTIONS", "METHODS", "TESTS", "FILTERS", "NAMES")}
ADVICE = sorted({advice for table in TABLES.values() for advice in table.values()})
ADDED_BY_FILTERS = {
    *("abs", "capitalize", "count", "d", "dictsort", "e", "escape", "first", "float", "forceescape", "int", "last"),
    *("list", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "select", "selectattr", "sort"),
    *("string", "striptags", "sum", "title", "truncate", "unique", "urlencode", "wordcount"),
}
"""Filters of Jinja that need no advice, because hookctl has them."""
CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
ADVISORS: dict[str, Callable[[str], str | None]] = {
    "TAGS": replacements.tag_advice,
    "FUNCTIONS": replacements.function_advice,
    "METHODS": replacements.method_advice,
    "TESTS": replacements.test_advice,
    "FILTERS": replacements.filter_advice,
    "NAMES": replacements.name_advice,
}


def complete(code: str) -> str:
    """The code with what it needs around it."""
    word = code.split()[1]
    before = {"endraw": "{% raw %}", "endif": "{% if data.x %}", "endfor": "{% for x in data.x %}"}.get(word, "")
    after = f"{{% end{word} %}}" if code.startswith("{%") and word in {"raw", "if", "for"} else ""
    if word == "elif":
        before, after = "{% if data.x %}", "{% endif %}"
    return before + code + ("{{ x }}" if word == "set" else after)


@pytest.mark.parametrize("advice", ADVICE)
def test_the_code_of_each_advice_can_be_read(advice: str) -> None:
    for code in CODE.findall(advice):
        reading = read(complete(code))
        assert reading.problems == (), code


@pytest.mark.parametrize("advice", ADVICE)
def test_each_advice_is_a_sentence_about_one_or_two_constructs(advice: str) -> None:
    assert advice[-1] in ".}"
    assert advice[0].isupper() or advice.startswith("hookctl")
    assert len(advice) <= 160
    assert len(CODE.findall(advice)) <= 2


@pytest.mark.parametrize("table", TABLES)
def test_only_filters_that_exist_are_offered(table: str) -> None:
    for name in [*TABLES[table], "unheard_of"]:
        advice = ADVISORS[table](name)
        for code in CODE.findall(advice or ""):
            used = {part.name for part in walk(*read(complete(code)).nodes) if isinstance(part, Filtered)}
            assert used <= {*BUILT_IN}, (name, code)
        assert not re.search(r"\b(?:use|Use) (?!jmespath)\w+\(", advice or ""), advice


def test_a_filter_that_does_not_exist_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert replacements.offers_only_filters("Write {{ data.a | items }}.")
    assert not replacements.offers_only_filters("Write {{ data.a | items | nonsense }}.")
    assert replacements.offers_only_filters("Write {{ data.a | jmespath('a | nonsense(@)') }}.")
    monkeypatch.setattr(filters, "BUILT_IN", {"jmespath": BUILT_IN["jmespath"]})
    assert replacements.method_advice("upper").startswith("Use jmespath")


def test_each_filter_of_jinja_exists_or_has_advice() -> None:
    without = {*FILTERS} - {*BUILT_IN} - {*tables.FILTERS}
    assert without <= ADDED_BY_FILTERS


@pytest.mark.parametrize("name", [*BUILT_IN])
def test_no_filter_that_exists_is_advised_against(name: str) -> None:
    assert replacements.filter_advice(name) is None


BODIES = [
    ("{{ data.labels.items() }}", "{{ data.labels | items"),
    ("{{ data.get('a', 'b') }}", 'Write {{ data["a"] | default("b") }}'),
    ("{{ data.labels.get('a') }}", 'Write {{ data.labels["a"] | default(none) }}'),
    ("{{ {'x': 1}.get(data.severity, 9) }}", "{'key': 'value'}[data.severity] | default(9)"),
    ("{{ data.note.upper() }}", "Write {{ data.note | upper }}"),
    ("{{ data['a'].upper() }}", "Write {{ data.a | upper }}"),
    ("{{ now().isoformat() }}", "Write {{ event_time | datetime }}"),
    ("{{ data.note | to_nice_json }}", "Write {{ data.note | tojson }}"),
    ("{{ data.title.split(',') }}", "do not split"),
    ("{{ data.title.strip() }}", "| trim"),
    ("{{ data.model_dump_json() }}", "| tojson"),
    ("{{ now() }}", "{{ event_time | datetime }}"),
    ("{{ lookup('env', 'X') }}", "${env:NAME}"),
    ("{{ len(data.tags) }}", "| length"),
    ("{{ uuid() }}", "{{ id }}"),
    ("{{ event() }}", "in data"),
    ("{% macro f(x) %}{% endmacro %}", "no macros"),
    ("{% set x %}1{% endset %}", "Write {% set x = "),
    ("{% elseif data.ok %}", "{% elif data.ok %}"),
    ("{% end %}", "{% endif %}"),
    ("{{ data.count is divisibleby 3 }}", "% 3 == 0"),
    ("{{ data.title is match('x') }}", "jmespath"),
    ("{{ data.title | to_nice_json }}", "| tojson"),
    ("{{ data.title | safe }}", "Remove it"),
    ("{{ data.title | groupby('x') }}", "a loop for each group"),
    ("{{ data.title | nonsense }}", "`hookctl explain templates`"),
]


@pytest.mark.parametrize(("written", "advice"), BODIES)
def test_a_body_with_it_has_the_advice(written: str, advice: str, check: Any) -> None:
    problems = check('{"a": "' + written + '"}')
    expected = advice.replace("{{ data.labels | items", "| items")
    assert any(expected in problem.hint for problem in problems), problems
    assert not any(problem.hint.count(",") > 8 for problem in problems)
