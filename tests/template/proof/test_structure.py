from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.errors import RenderError, TemplateError
from hookctl.template import compile_body

PROVED = [
    "[{% for x in data.xs %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}]",
    "[{% for x in data.xs %}{% if not loop.first %},{% endif %}{{ x }}{% endfor %}]",
    "[{% for x in data.xs %}{% if loop.index > 1 %},{% endif %}{{ x }}{% endfor %}]",
    "[{% for x in data.xs %}{% if loop.index0 %},{% endif %}{{ x }}{% endfor %}]",
    "[{% for x in data.xs %}{{ x }}{% if loop.index < loop.length %},{% endif %}{% endfor %}]",
    "[0{% for x in data.xs %},{{ x }}{% endfor %}]",
    (
        '{"a": 1{% if data.xs %},{% endif %}{% for x in data.xs %}'
        '"{{ x }}{{ loop.index }}": 1{% if not loop.last %},{% endif %}{% endfor %}}'
    ),
    (
        '{"a": 1{% if data.xs | length > 0 %},{% endif %}{% for x in data.xs %}'
        '"k{{ x }}": 1{% if not loop.last %},{% endif %}{% endfor %}}'
    ),
    '{ {% if data.a %}"a": 1{% endif %}{% if data.a and data.b %},{% endif %}{% if data.b %}"b": 1{% endif %} }',
    '{% if data.a %}{"a": 1{% else %}[{% endif %}{% if not data.a %}]{% else %}}{% endif %}',
    "[{% for x in data.xs %}{{ x }}{% if not loop.last %},{% endif %}{% else %}0{% endfor %}]",
    *(
        f"[{{% for x in data.xs %}}{{{{ x }}}}{{% if {condition} %}},{{% endif %}}{{% endfor %}}]"
        for condition in (
            *("loop.revindex > 1", "loop.revindex != 1", "2 <= loop.revindex", "loop.revindex0 > 0"),
            *("not loop.revindex0 == 0", "loop.last == false", "loop.last != true", "loop.last is false"),
            "loop.last is not true",
        )
    ),
    "[{% for x in data.xs %}{% if loop.first is false %},{% endif %}{{ x }}{% endfor %}]",
    (
        "[{% for x in data.xs %}[{% for y in data.ys %}{{ y }}{% if not loop.last %},{% endif %}{% endfor %}]"
        "{% if not loop.last %},{% endif %}{% endfor %}]"
    ),
    (
        '[{% for x in data.xs %}{% if x == "q" %}1{% elif x %}2{% else %}3{% endif %}'
        "{% if not loop.last %},{% endif %}{% endfor %}]"
    ),
    '{% if data.a == "x" %}1{% endif %}{% if data.a != "x" %}2{% endif %}',
]


def documents() -> list[dict[str, Any]]:
    values = itertools.product([True, None, "x"], [True, False], range(4), range(3))
    return [{"data": {"a": a, "b": b, "xs": list(range(x)), "ys": ["q"] * y}} for a, b, x, y in values]


@pytest.mark.parametrize("text", PROVED)
def test_a_proved_template_is_json_for_every_event(text: str) -> None:
    template = compile_body(text, {})
    for document in documents():
        json.loads(template.render(document))


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("[{% for x in data.xs %}{{ x }},{% endfor %}]", "]", "a comma before ] (when data.xs has an item)"),
        ("[{% for x in data.xs %}{{ x }}{% endfor %}]", "{{ x }}", "(when data.xs has an item, and another)"),
        (
            "[{% for x in data.xs %}{{ x }}{% if loop.revindex > 2 %},{% endif %}{% endfor %}]",
            "{{ x }}",
            "expected a comma",
        ),
        (
            "[{% for x in data.xs %}{{ x }}{% if loop.revindex != 0 %},{% endif %}{% endfor %}]",
            "]",
            "a comma before ]",
        ),
        ('{"a": 1{% if data.a %}"b": 2{% endif %}}', '"b"', "(when data.a is true)"),
        (
            '{ {% if data.a %}"a": 1{% endif %}{% if data.b %}, "b": 1{% endif %} }',
            ', "b"',
            "found a comma, expected a key in quotes or } (when data.a is false, data.b is true)",
        ),
        (
            "[{% for x in data.xs %}[{% endfor %}]",
            "{% for x in data.xs %}",
            "an iteration of the loop does not close what it opens",
        ),
        ('{"a": {{ data.a }}{{ data.b }}}', "{{ data.b }}", "expected a comma or }"),
        ('{"a": 1{{ data.a }}}', "{{ data.a }}", "expected a comma or }"),
        ("{{{ data.a }}: 1}", "{{{ data.a }}", "a space between { and {{"),
        ("{ {{ data.a }}: 1}", "{{ data.a }}", "a key in quotes"),
        ('{"a": 1,}', "}", "a comma before }"),
        ('{"a" 1}', "1}", "expected a colon"),
        ('{"a": 1', "1", "an object is not closed"),
        ('{"a": 1} 2', "2", "found 2, expected the end"),
        ("", "", "there is no value"),
        ("{a: 1}", "a:", "a is not JSON"),
        ('{"a": True}', "True", "True is not JSON"),
        ('{"a": 01}', "01", "01 is not JSON"),
        ('{"a": NaN}', "NaN", "NaN is not JSON"),
        ('{"a": "x\ny"}', "\ny", "a line break inside a string"),
        ('{"a": "\\x"}', "\\x", "not an escape in JSON"),
        ('{"a": "b}', '"b', "the string is not closed"),
        ("[" * 200 + "]" * 200, "[" * 100, "nested deeper than 100"),
    ],
)
def test_what_is_no_json_is_found_where_it_stands(check: Any, text: str, at: str, says: str) -> None:
    problem = next(problem for problem in check(text) if problem.is_error and problem.rule != "template-unknown-path")
    assert says in problem.message + problem.hint
    assert text[problem.start :].startswith(at)
    with pytest.raises(TemplateError):
        compile_body(text, {})


def test_a_template_that_parses_on_no_way(check: Any) -> None:
    problems = check("{% if data.note %}{,}{% else %}[,]{% endif %}")
    assert {problem.rule for problem in problems} == {"template-never-parses"}
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('{"a": {% if data.note %}"x{% endif %}"}', "{% if data.note %}"),
        ('{"a": "x{% if data.note %}"{% endif %}}', "{% if data.note %}"),
        ('{"a": {% if data.note %}1{% else %}"b{% endif %}"}', "{% else %}"),
        ('{"a": "{% for g in data.groups %}", "b": "{% endfor %}"}', "{% for g in data.groups %}"),
    ],
)
def test_a_string_that_crosses_a_tag_is_found_at_the_tag(check: Any, text: str, tag: str) -> None:
    (problem,) = check(text)
    assert problem.rule == "template-branch-depth"
    assert text[problem.start : problem.end] == tag
    assert "both its quotes" in problem.hint


CONDITIONS = st.sampled_from(
    [
        "data.a",
        "data.b",
        "not data.a",
        "data.a and data.b",
        "data.a or data.b",
        "data.xs",
        "data.ys | length > 0",
        "not (data.a and data.xs)",
    ]
)
PIECES = st.sampled_from(
    [
        "{% if not loop.last %},{% endif %}",
        "{% if loop.index0 > 0 %},{% endif %}",
        *("{", "}", "[", "]", ",", ":", '"k":', "1", "null", '"t"'),
        *("{{ data.a }}", '"{{ data.b }}"', '"{{ data.a }}":', '"{ \\"k\\": [{{ data.b }}] }"'),
    ]
)


def templates() -> st.SearchStrategy[str]:
    """Text with tags that are closed but JSON that often is not."""
    return st.recursive(
        PIECES | st.sampled_from(PROVED),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map("".join),
            st.lists(inner, max_size=3).map(lambda parts: "[" + ",".join(parts) + "]"),
            st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, CONDITIONS, inner, inner),
            st.builds("{{% if {} %}}{}{{% endif %}}".format, CONDITIONS, inner),
            st.builds("[{{% for w in data.xs %}}{}{{% if not loop.last %}},{{% endif %}}{{% endfor %}}]".format, inner),
            st.builds("{{% for w in data.ys %}}{}{{% endfor %}}".format, inner),
        ),
        max_leaves=8,
    )


@settings(max_examples=300, deadline=None)
@given(templates())
def test_what_compiles_parses_for_every_event(text: str) -> None:
    """The proof is sound: whatever it lets through renders to JSON, or not at all."""
    try:
        template = compile_body(text, {})
    except TemplateError:
        return
    for document in documents():
        try:
            body = template.render(document)
        except RenderError:
            continue
        json.loads(body)


def test_only_what_matters_is_said(check: Any) -> None:
    """Decisions that lead to the same place leave no trace in the message."""
    text = (
        '["{% if data.note %}x{% endif %}"{% for g in data.groups %}, {{ g }}{% endfor %}'
        "{% if data.title %}{% else %},{% endif %}]"
    )
    problem = next(problem for problem in check(text) if problem.is_error)
    assert problem.message == "a comma before ] (when data.title is false)"
