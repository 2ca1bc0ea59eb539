"""The known ways out of template sandboxes, and the known ways to make a template costly: each is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hookctl.errors import RenderError, TemplateError
from hookctl.model import BodyFormat
from hookctl.plugin import EventType, FilterType
from hookctl.template import check_body, compile_body
from hookctl.template.language.expressions import Text
from hookctl.template.language.placeholders import placeholder_problems
from hookctl.template.language.values import MAX_OUTPUT
from hookctl.template.proof.references import reference_problems, split_references

ESCAPES = [
    "{{ data.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''.__class__.__mro__[2].__subclasses__()[40]('/etc/passwd').read() }}",
    "{{ data['__class__']['__init__']['__globals__'] }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum(9999) }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ data | attr('__class__') }}",
    "{{ data | map(attribute='__class__') | list }}",
    "{{ data | selectattr('__class__') }}",
    "{{ data | groupby('__class__') }}",
    "{{ data.severity.format(data) }}",
    "{{ '{0.__class__}'.format(data) }}",
    "{{ '%s' % data }}",
    "{{ data.severity.__add__('x') }}",
    "{{ data.severity | format(1) }}",
    "{{ data.groups.append(1) }}",
    "{{ data.groups.pop() }}",
    "{{ data.clear() }}",
    "{{ (data).__class__ }}",
    "{{ data.severity['up' ~ 'per']() }}",
    "{{ [].__class__.__base__ }}",
    "{{ ().__class__ }}",
    "{{ {}.__class__ }}",
    "{{ {'a': 1}.items() }}",
    "{{ loop.__class__ }}",
    "{{ caller() }}",
    "{{ super() }}",
    "{{ varargs }}",
    "{{ kwargs }}",
    "{{ data | xmlattr }}",
    "{{ data | safe }}",
    "{{ data | pprint }}",
    "{% set x = data %}1",
    "{% set ns = namespace(x=1) %}1",
    "{% import 'os' as os %}1",
    "{% from 'x' import y %}1",
    "{% include '/etc/passwd' %}",
    "{% extends 'base' %}",
    "{% macro m() %}1{% endmacro %}1",
    "{% call m() %}1{% endcall %}",
    "{% block b %}1{% endblock %}",
    "{% filter upper %}1{% endfilter %}",
    "{% with x = 1 %}1{% endwith %}",
    "{% autoescape false %}1{% endautoescape %}",
    "{% do data.clear() %}1",
    "{% debug %}",
    "{% for x in data recursive %}{{ loop(x) }}{% endfor %}",
    "{% if loop.changed(1) %}1{% endif %}",
    "{% for x in data.groups %}{{ loop.cycle(1) }}{% endfor %}",
    "{% for data in data.groups %}{% endfor %}1",
    "{% for loop in data.groups %}{% endfor %}1",
    "{% for x in data.groups %}{% for x in data.groups %}{% endfor %}{% endfor %}1",
    "{% for x, x in data.groups %}{% endfor %}1",
]

BOMBS = [
    "{{ 'a' * 20000000 }}",
    "{{ 9 ** 400000 }}",
    "{{ 2 ** 2 ** 2 ** 2 ** 99 }}",
    "{{ '%20000000d' % 1 }}",
    "{{ 1 // 0 }}",
    "{{ range(999999999) | list }}",
    "{% for x in range(999999999) %}{% endfor %}1",
    "{{ data.severity | center(999999999) }}",
    "{{ data.severity | indent(999999999) }}",
    "{{ data.severity | ljust(99999999) }}",
    "{{ data.severity | wordwrap(1) }}",
    "{{ data.severity | batch(99999999, 1) }}",
    "{{ data.severity | round(999999999) | pprint }}",
    "{{ data | jmespath('" + "[" * 200 + "]" * 200 + "') }}",
    "{{ data | jmespath('" + "a|" * 300 + "a') }}",
    "{{ data | jmespath('" + "!" * 300 + "a') }}",
    "{{ data | jmespath('" + "a" * 2000 + "') }}",
    "{{ data | jmespath(data.severity) }}",
    "{{ [" + "data," * 400 + "] }}",
]


@pytest.mark.parametrize("text", ESCAPES + BOMBS)
def test_it_is_refused(check: Any, text: str) -> None:
    assert any(problem.is_error for problem in check(text))


@pytest.mark.parametrize("text", ESCAPES + BOMBS)
def test_it_renders_nothing_even_when_nobody_checked(text: str) -> None:
    """Unknown names and keys are for the check alone to refuse; when rendered, there is nothing behind them."""
    try:
        template = compile_body(text, {})
    except TemplateError:
        return
    with pytest.raises(RenderError, match=r"the event has no|round|takes a list|does not accept|divides by 0"):
        template.render({"data": {"severity": "High", "groups": [1], "count": 1}})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{{ dict(a=1) }}", b'{"a":1}'),
        ("{% raw %}1{% endraw %}", b"1"),
        ("{{ 'a' ~ 'b' }}", b'"ab"'),
        ("{{ data.count + 1 }}", b"2"),
        ("{{ ('a' ~ data.severity)[:2] }}", b'"aH"'),
    ],
)
def test_what_looks_like_an_escape_and_only_makes_a_value_is_allowed(text: str, sent: bytes) -> None:
    assert compile_body(text, {}).render({"data": {"severity": "High", "count": 1}}) == sent


@pytest.mark.parametrize("name", ["items", "keys", "get", "pop", "update", "clear", "copy", "values"])
def test_an_objects_keys_are_keys_alone(name: str) -> None:
    template = compile_body("{{ data." + name + ' | default("no key") }}', {})
    assert template.render({"data": {}}) == b'"no key"'
    assert template.render({"data": {name: [1]}}) == b"[1]"


def test_a_string_has_no_steps() -> None:
    template = compile_body('{{ data.s[0] | default("none") }}', {})
    assert template.render({"data": {"s": "abc"}}) == b'"none"'


def hits(text: str, data: Any, message: str, filters: dict[str, FilterType] | None = None) -> None:
    with pytest.raises(RenderError, match=message):
        compile_body(text, filters or {}).render({"data": data})


def test_a_body_is_capped() -> None:
    big = "x" * (MAX_OUTPUT // 2)
    assert compile_body("{{ data }}", {}).render({"data": big}) == f'"{big}"'.encode()
    hits('["{{ data }}", "{{ data }}"]', big, "larger than 1048576 bytes")
    hits('["{{ data | lower }}", "{{ data }}"]', big, "larger than 1048576 bytes")
    hits("{{ data }}", "é" * (MAX_OUTPUT - 2), "larger than 1048576 bytes")


def test_loops_stop_where_the_body_becomes_too_large() -> None:
    text = "[0{% for x in data.xs %}{% for y in data.xs %},{{ data.s }}{% endfor %}{% endfor %}]"
    hits(text, {"xs": [1] * 1000, "s": "x" * 1000}, "larger than")


def test_loops_that_write_nothing_are_bounded_too() -> None:
    loops = (
        "".join(f"{{% for x{n} in data %}}" for n in range(3)) + "{% if data == data %}{% endif %}" + "{% endfor %}" * 3
    )
    hits(f"1{loops}", [1] * 1000, "too much work")
    hits("1{% for x in data %}{% for y in data %}{% endfor %}{% endfor %}", [1] * 1500, "too much work")


@pytest.mark.parametrize(
    "inner",
    [
        "{{ '' if data.big == data.big else '' }}",
        "{% if 'y' in data.big %}{% endif %}",
        "{% if 1 in data.list %}{% endif %}",
        "{% if data.big | lower %}{% endif %}",
        "{% if data.list | join %}{% endif %}",
        "{% if data.list | jmespath('[].a') %}{% endif %}",
        "{% if data.big | slow %}{% endif %}",
    ],
)
def test_what_looks_at_large_values_counts_as_work(inner: str) -> None:
    slow = FilterType(name="slow", summary="", call=lambda value: value)
    text = '"{% for x in data.xs %}{% for y in data.xs %}' + inner + '{% endfor %}{% endfor %}"'
    hits(text, {"xs": [1] * 300, "big": "x" * 500_000, "list": ["x"] * 5000}, "too much work", {"slow": slow})


@pytest.mark.parametrize(
    "expression",
    [
        "[@,@]" + "|[@,@]" * 40,
        "[@,@][]" + ".[@,@][]" * 25,
        "[@,@]" + "|[@,@]" * 40 + "|to_string(@)",
        "to_string([" * 7 + "@,@" + "])" * 7,
        "join('" + "x" * 800 + "', text)",
        "[@,@]" + "|[@,@]" * 40 + "|[0]==[1]",
        "[@,@]" + "|[@,@]" * 40 + "|contains(@, @)",
    ],
)
def test_jmespath_cannot_make_values_grow(expression: str) -> None:
    hits(f'{{{{ data | jmespath("{expression}") }}}}', {"text": ["a"] * 50_000}, "too much work|cannot be applied")
    assert len(expression) < 1000


def test_a_list_of_the_same_value_many_times_counts_as_work() -> None:
    fifty = ",".join(["data.big"] * 50)
    hits("{{ [" + fifty + "] }}", {"big": ["x" * 100] * 9000}, "too much work")
    many = ",".join(["([" + ",".join(["data.big"] * 9) + "] if true else 1)"] * 9)
    hits("{{ [" + many + "] | length }}", {"big": ["x" * 100] * 9000}, "too much work")


def test_filters_cannot_make_values_grow() -> None:
    hits("{{ data.xs | join(data.s) }}", {"xs": [1] * 2000, "s": "x" * 1000}, "join returns more than")
    hits('"{{ data.s ' + "| tojson " * 30 + '| upper }}"', {"s": '"' * 1000}, "returns more than 1048576 characters")
    grow = FilterType(name="grow", summary="", call=lambda value: value * 1000)
    hits("{{ data | grow | length }}", "x" * 2000, "grow returns more than", {"grow": grow})


def test_a_template_that_is_too_costly_fails_alone() -> None:
    text = "[{% for x in data %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}]"
    template = compile_body(text, {})
    with pytest.raises(RenderError):
        template.render({"data": [1] * 2_000_000})
    assert template.render({"data": [1, 2]}) == b"[1,2]"


@pytest.mark.parametrize("iterable", ["[1, 2]", "'abc'", "[]", "(['a'] if true else ['b'])"])
def test_a_loop_runs_over_event_data_alone(iterable: str) -> None:
    with pytest.raises(TemplateError, match="a loop must use a value of the event") as caught:
        compile_body(f"[{{% for x in {iterable} %}}1{{% if not loop.last %}},{{% endif %}}{{% endfor %}}]", {})
    assert caught.value.rule == "template-unsafe"


ANYTHING = EventType(name="", summary="", schema={}, mock={})
REPEATED = ["{{", "{%", "{#", "<!--", "<?", "<![CDATA[", "<%", "{ ", "${", "{% raw %}", "{{ '", "<a ", "\\", '\\"']


@pytest.mark.usefixtures("cpu_limit")
@pytest.mark.parametrize("form", BodyFormat)
@pytest.mark.parametrize("before", ['"', "{% raw %}", "<a>${env:A}"])
def test_text_that_repeats_a_beginning_is_read_once(form: BodyFormat, before: str) -> None:
    for piece in REPEATED:
        text = before + piece * ((64_000 - len(before)) // len(piece)) + ("{% endraw %}" if "raw" in before else "")
        assert all(problem.start <= len(text) for problem in check_body(text, ANYTHING, {}, body_format=form))


@pytest.mark.usefixtures("cpu_limit")
@pytest.mark.parametrize("text", ["<%" + " " * 60_000, "<%" + " " * 60_000 + "%", "<% " * 60_000, "{" + " " * 60_000])
def test_a_placeholder_that_does_not_end_is_read_once(text: str) -> None:
    assert placeholder_problems(text) == []


@pytest.mark.usefixtures("cpu_limit")
@pytest.mark.parametrize("piece", ["{# ${env:A} #}", "{{ '${env:A}' }}", "{% ${env:A} %}", "<!---->${env:A}"])
def test_many_references_cost_no_more_than_their_number(piece: str) -> None:
    """The text is longer than a template may be, so that a search from each reference shows."""
    count = 40_000
    text = piece * count
    nodes = [Text("-", at * len(piece), at * len(piece) + 1) for at in range(count)]
    assert len([*reference_problems(nodes, {}, text)]) == count
    whole = re.compile("<!-.*?->")
    assert len(split_references([Text(text, 0, len(text))], whole)) >= 2 * count
