"""What to write instead of a construct that templates do not have: all of it can be read, and none lists everything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hookctl.template.language import replacement_tables as tables
from hookctl.template.language import replacements
from hookctl.template.language.expressions import Filtered, walk
from hookctl.template.language.filters import BUILT_IN
from hookctl.template.language.parser import read

TABLES = {name: getattr(tables, name) for name in ("TAGS", "FUNCTIONS", "METHODS", "TESTS", "FILTERS", "NAMES")}
ADVICE = sorted({advice for table in TABLES.values() for advice in table.values()})
CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
KNOWN = {
    *BUILT_IN,
    *("abs", "b64encode", "capitalize", "first", "float", "int", "last", "list", "map", "max", "min", "replace"),
    *("reverse", "selectattr", "sort", "string", "striptags", "sum", "title", "truncate", "unique", "urlencode"),
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
        used = {part.name for part in walk(*reading.nodes) if isinstance(part, Filtered)}
        assert used <= KNOWN, code


@pytest.mark.parametrize("advice", ADVICE)
def test_each_advice_is_a_sentence_about_one_or_two_constructs(advice: str) -> None:
    assert advice[-1] in ".}"
    assert advice[0].isupper() or advice.startswith("hookctl")
    assert len(advice) <= 160
    assert len(CODE.findall(advice)) <= 2


@pytest.mark.parametrize("name", [*BUILT_IN])
def test_no_filter_that_exists_is_advised_against(name: str) -> None:
    assert replacements.filter_advice(name) is None


BODIES = [
    ("{{ data.labels.items() }}", "{{ data.labels | items"),
    ("{{ data.get('a', 'b') }}", "default('other')"),
    ("{{ data.title.split(',') }}", "do not split"),
    ("{{ data.title.strip() }}", "| trim"),
    ("{{ data.model_dump_json() }}", "| tojson"),
    ("{{ now() }}", "{{ event_time | datetime }}"),
    ("{{ lookup('env', 'X') }}", "${env:NAME}"),
    ("{{ len(data.tags) }}", "| length"),
    ("{{ uuid() }}", "{{ id }}"),
    ("{{ event() }}", "in data"),
    ("{% macro f(x) %}{% endmacro %}", "no macros"),
    ("{% set x %}1{% endset %}", "a value after ="),
    ("{% elseif data.ok %}", "{% elif data.ok %}"),
    ("{% end %}", "{% endif %}"),
    ("{{ data.count is divisibleby 3 }}", "% 3 == 0"),
    ("{{ data.title is match('x') }}", "jmespath"),
    ("{{ data.title | to_nice_json }}", "| tojson"),
    ("{{ data.title | safe }}", "Remove it"),
    ("{{ data.title | regex_replace('a', 'b') }}", "| replace('a', 'b')"),
    ("{{ data.title | groupby('x') }}", "a loop for each group"),
    ("{{ data.title | nonsense }}", "`hookctl explain templates`"),
]


@pytest.mark.parametrize(("written", "advice"), BODIES)
def test_a_body_with_it_has_the_advice(written: str, advice: str, check: Any) -> None:
    problems = check('{"a": "' + written + '"}')
    expected = advice.replace("{{ data.labels | items", "| items")
    assert any(expected in problem.hint for problem in problems), problems
    assert not any(problem.hint.count(",") > 8 for problem in problems)
