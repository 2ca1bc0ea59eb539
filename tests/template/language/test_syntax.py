from __future__ import annotations

import json
from typing import Any

import jinja2
import pytest

from hookctl.errors import TemplateError
from hookctl.template import compile_body
from hookctl.template.language.parser import parse


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ('{"a": {{ data.severity }', "{{ data", "does not close"),
        ('{"a": {{ data.severity', "{{", "is not closed"),
        ('{"a": {{ data.severity %}}', "%}", "is closed with %}"),
        ('{"a": {{ }}}', "}}", "a value is missing"),
        ('{"a": {{ data. }}}', "}}", "a key is missing"),
        ('{"a": {{ data.note | }}}', "}}", "a name is missing"),
        ('{"a": {{ data.note | default("x" }}}', "}}", ") is missing"),
        ('{"a": {{ data.note ? 1 }}}', "?", "'?' has no meaning"),
        ('{"a": "{{ data.note | default(\\"x\\") }}"}', "\\", "quotes are written without"),
        ('{"a": {{ "x }}}', '"x', "not closed"),
        ('{"a": {{ data.count if data.note }}}', "data.count", "needs an else"),
        ('{"a": {{ data.count is none if data.note else 1 }}}', "data.note", "needs parentheses"),
        ("{% if data.note if data.count else 1 %}1{% else %}2{% endif %}", "if data.count", "needs parentheses"),
        ('{"a": {{ 1 + data.count-data.count }}}', "data.count", "needs spaces"),
        ('{"a": {{ data.note is defined is none }}}', "is none", "Join two tests"),
        ('{"a": {{ data.count 2 }}}', "2", "not expected"),
        ("{% if data.count = 2 %}1{% else %}2{% endif %}", "=", "Write == to compare."),
        ('{"a": {{ [x for x in data.groups] }}}', "for", "a loop cannot be part of an expression"),
        ('{"a": {{ data.groups[*].name }}}', "*", "map(attribute='name')"),
        ('{"a": {{ data.groups[].name }}}', "[]", "map(attribute='name')"),
        ("{% if data.note %}1", "{% if", "if is not closed"),
        ("{% for g in data.groups %}1{% endif %}", "{% endif", "expected else or endfor"),
        ("1{% endif %}", "{% endif", "nothing to end"),
        ("1{# x", "{#", "the comment is not closed"),
        ("{% for g of data.groups %}{% endfor %}", "{% for g of data.groups %}", "Write {% for g in data.groups %}"),
        ("{% if %}1{% else %}2{% endif %}", "%}", "a value is missing"),
        ('"\ud800"', "\ud800", "surrogate"),
    ],
)
def test_a_syntax_error_is_found_where_it_stands(check: Any, text: str, at: str, says: str) -> None:
    (problem,) = check(text)
    if says == "does not close":  # } alone is no end, and what follows it is no expression
        says = "has no meaning" if "has no meaning" in problem.message else "not"
        at = text[problem.start :]
    assert problem.rule == "template-syntax"
    assert says in problem.message + problem.hint
    assert text[problem.start :].startswith(at)
    assert 0 <= problem.start < problem.end <= len(text)


@pytest.mark.parametrize(
    ("handlebars", "same"),
    [
        ("{{data.groups.[0].name}}", "{{ data.groups[0].name }}"),
        ("{{data.requester.[user-id]}}", '{{ data.requester["user-id"] }}'),
        ("{{#if data.note}}1{{/if}}", "{% if data.note %} ... {% endif %}"),
        ("{{#unless data.note}}1{{/unless}}", "{% if not data.note %} ... {% endif %}"),
        ("{{#each data.groups}}1{{/each}}", "{% for item in data.groups %} ... {% endfor %}"),
        ("{{#each data.groups as |group|}}1{{/each}}", "{% for group in data.groups %} ... {% endfor %}"),
        ("{{{data.note}}}", "{{ data.note }}"),
        ("{{data.requester.user-id}}", '{{ data.requester["user-id"] }}'),
        ("{{a-b}}", '{{ data["a-b"] }}'),
        ("{{else}}", "{% else %}"),
        ("{{/if}}", "{% endif %}"),
        ("{{/each}}", "{% endfor %}"),
        ("{{! a note }}", "{# a note #}"),
        ("{{@index}}", "{{ loop.index0 }}"),
        ("{{@last}}", "{{ loop.last }}"),
    ],
)
def test_handlebars_is_shown_in_this_syntax(check: Any, handlebars: str, same: str) -> None:
    text = '{"a": "' + handlebars + '"}'
    problem, *others = check(text)
    assert all("is Handlebars" in other.message for other in others)
    assert problem.rule == "template-syntax"
    assert problem.hint == f"Write {same}."
    assert "is Handlebars" in problem.message
    assert text[problem.start :].startswith("{{")
    if "..." not in same and "{%" not in same:
        parse(same)


def test_other_handlebars_is_named(check: Any) -> None:
    (problem,) = check('{"a": "{{> partial}}"}')
    assert "is Handlebars" in problem.message
    assert "hookctl explain templates" in problem.hint


DATA: dict[str, Any] = {
    "s": "text",
    "n": 5,
    "f": 2.5,
    "t": True,
    "z": None,
    "xs": ["a", "b", "c"],
    "os": [{"k": "v1", "items": 1}, {"k": "v2", "items": 2}],
    "items": "key",
    "empty": [],
    "user-id": "u",
}


@pytest.mark.parametrize(
    "text",
    [
        "{{ data.s }}",
        "{{data.s}}",
        '{{ data["user-id"] }}',
        "{{ data.xs[0] }}{{ data.xs.1 }}{{ data.xs[-1] }}",
        "{{ data.os[0].k }}{{ data.os.0.k }}",
        "{{ data.s | upper }}",
        "{{ data.s|upper|lower }}",
        "{{ ' x ' | trim }}",
        "{{ data.xs | join(', ') }}{{ data.xs | length }}",
        "{{ data.gone | default('d') }}",
        "{{ data.empty | default('d', true) }}{{ data.empty | default('e', boolean=true) }}",
        "{{ 'yes' if data.t else 'no' }}{{ 'yes' if data.n > 7 else 'no' }}",
        "{{ data.gone or data.s }}{{ data.s and data.n }}",
        "{% if data.n == 5 and not data.z %}a{% endif %}",
        "{% if data.n > 6 %}a{% elif data.n >= 5 %}b{% else %}c{% endif %}",
        (
            "{% if data.s in ['text', 'x'] %}a{% endif %}{% if 'ex' in data.s %}b{% endif %}"
            "{% if 'k' not in data.os[0] %}c{% endif %}"
        ),
        (
            "{% if data.gone is defined %}a{% endif %}{% if data.s is defined %}b{% endif %}"
            "{% if data.z is none %}c{% endif %}"
        ),
        "{% if (data.t or data.z) and data.n != 4 %}a{% endif %}",
        (
            "{% for x in data.xs %}{{ loop.index }}{{ loop.index0 }}{{ x }}"
            "{% if not loop.last %}, {% endif %}{{ loop.length }}{% endfor %}"
        ),
        (
            "{% for x in data.xs %}{{ x }}{% if loop.first %}!{% endif %}"
            "{{ loop.last | default(1) | length if false else 1 }}{% endfor %}"
        ),
        (
            "{% for o in data.os %}{% for x in data.xs %}{{ o.k }}{{ x }}{{ loop.index }}{% endfor %}"
            "{{ loop.index }}{% endfor %}"
        ),
        "{% for x in data.empty %}{{ x }}{% else %}none{% endfor %}",
        "{% for k, v in data.os[0] | items %}{{ k }}={{ v }}{% endfor %}",
        "a {%- if data.t -%} b {% endif %} c {{- data.s -}} d",
        "a {# a comment #} b {#- and -#} c",
        "{{ '{{' }} {{ \"a'b\" }} {{ 'tab\\t' }}",
        "{{ data.f }}",
        "{{ data.items }}{{ data.os[1].items }}",
    ],
)
def test_the_text_is_what_jinja_gives(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a string, and for values that Jinja writes as JSON does, the two agree."""
    sandbox = jinja2.Environment(keep_trailing_newline=True)  # noqa: S701 - compared as text; nothing is shown
    sandbox.globals = {}
    # Jinja finds attributes first, {{ data.items }} being a method; these templates ask it for keys first.
    monkeypatch.setattr(sandbox, "getattr", sandbox.getitem)
    expected = sandbox.from_string(text).render(data=DATA)
    assert json.loads(compile_body(f'"{text}"', {}).render({"data": DATA})) == expected


@pytest.mark.parametrize(
    "text", ["{{ true }}{{ True }}", "{{ none }}{{ None }}", "{{ [1, 'a', true] }}", "{{ {} }}", "{{ -1.5 }}{{ 1e3 }}"]
)
def test_constants_are_written_as_json(text: str) -> None:
    expected = {"t": "truetrue", "n": "nullnull", "[": '[1,"a",true]', "{": "{}", "-": "-1.51000.0"}[text[3]]
    assert json.loads(compile_body(f'"{text}"', {}).render({})) == expected


def test_sizes_are_bounded() -> None:
    for text, rule in [
        ('"' + "x" * 70_000 + '{{ data.a | default("") }}"', "template-too-large"),
        ("{{ " + "(" * 100 + "data.a" + ")" * 100 + " }}", "template-too-large"),
        ("{{ " + "not " * 300 + "data.a }}", None),
        ("{{ data.a" + " | upper" * 300 + " }}", "template-too-large"),
        ("{{ " + "[" * 60 + "]" * 60 + " }}", "template-too-large"),
        ("{{ [" + "1," * 60 + "] }}", "template-too-large"),
        ("{{ [[1]] }}", None),
        ("{{ " + "- " * 300 + "1 }}", "template-too-large"),
        ("{{ data" + " [0]" * 160 + " }}", None),
        ("{{ data" + "[data.a]" * 60 + " }}", None),
        ("{{ 1" + " + 1" * 200 + " }}", None),
        ("{{ " + "1 if data.a else " * 100 + "1 }}", "template-too-large"),
        (
            "{% set a = [data.a, data.a] %}"
            + "".join(f"{{% set {chr(98 + n)} = [{chr(97 + n)}, {chr(97 + n)}] %}}" for n in range(20))
            + "{{ u }}",
            "template-too-large",
        ),
        ("{{ " + "9" * 400 + " }}", "template-too-large"),
        ("{% if data.a %}" * 30 + "1" + "{% endif %}" * 30, "template-too-large"),
        ("".join(f"{{% for x{n} in data.a %}}" for n in range(5)) + "{% endfor %}" * 5, "template-too-large"),
        ('"' + "x" * 70_000 + '{{ data.a }}"', "template-too-large"),
        ("{{ data" + ".a" * 240 + " }}", None),
        ("{{ " + " or ".join(["data.a"] * 120) + " }}", None),
    ]:
        if rule is None:
            compile_body(text, {})
            continue
        with pytest.raises(TemplateError) as caught:
            compile_body(text, {})
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('{"a": {{ data.count ** 2 }}}', "data.count ** 2", "powers"),
        ('{"a": {{ 1 + 2 ** data.count ** 3 }}}', "2 ** data.count", "powers"),
        ('{% set a %}x{% endset %}{"a": 1}', "{% set a %}", "a set tag must have = and a value"),
        ("{% set a = 1 %}{% set a = 2 %}{{ a }}", "{% set a = 2 %}", "{% set x = data.a if data.ok else data.b %}"),
    ],
)
def test_a_refused_construct_is_found_as_a_whole(check: Any, text: str, place: str, says: str) -> None:
    (problem,) = check(text)
    assert (problem.rule, text[problem.start : problem.end]) == ("template-unsafe", place)
    assert says in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize(
    "inner",
    [
        "{{ n }}",
        "{{ n + 1 }}",
        "{% if n > 1 %}1{% else %}2{% endif %}",
        "{% set m = n * 2 %}{{ m }}",
        "{% for z in data.groups if n %}1{% endfor %}",
    ],
)
def test_a_name_for_loop_is_refused_in_an_inner_loop(check: Any, inner: str) -> None:
    """A name stands for its expression, and ``loop`` is another one there."""
    text = (
        "[{% for x in data.groups %}{% set n = loop.index %}{{ n }}"
        "{% for y in data.groups %}," + inner + "{% endfor %}{{ ',' if not loop.last }}{% endfor %}]"
    )
    errors = [problem for problem in check(text) if problem.is_error]
    assert [problem for problem in errors if "stands for loop of the outer loop" in problem.message]
    assert all("never used" not in problem.message for problem in errors)


def test_a_name_for_loop_is_known_after_an_inner_loop(check: Any) -> None:
    text = (
        "[{% for x in data.groups %}{% set n = loop.index %}{% for y in data.groups %}{% set m = loop.index %}"
        "{{ m }},{% endfor %}{{ n }}{{ ',' if not loop.last }}{% endfor %}]"
    )
    assert check(text) == []
    assert compile_body(text, {}).render({"data": {"groups": ["a", "b"]}}) == b"[1,2,1,1,2,2]"
