"""Random expressions and templates mean what they mean in Jinja: the trees are the same, and so is what is rendered."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import jinja2
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jinja2 import nodes

from hookctl.errors import RenderError, TemplateError
from hookctl.template import compile_body
from hookctl.template.language import expressions as ours
from hookctl.template.language.jinja_operators import COMPARING_TESTS, MATH, OPERATORS
from hookctl.template.language.parser import parse

JINJA = jinja2.Environment()  # noqa: S701 - what is rendered is JSON

# --- Precedence: words in any order, without parentheses that would decide it.

ATOMS = (
    "data.a",
    "data.b.c",
    "data['k']",
    "data.l[0]",
    "1",
    "2.5",
    "'x'",
    "true",
    "none",
    "[data.a, 1]",
    "{'k': data.a}",
)
BINARY = ("and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "//", "%", "~")
AFTER = (
    " | lower",
    " | default('x')",
    " | join(',') | upper",
    "[:2]",
    "[data.a]",
    " is defined",
    " is not none",
    " is eq 1",
    " is in [1]",
)
BEFORE = ("not ", "-", "+")


@st.composite
def any_expression(draw: st.DrawFn, depth: int = 2) -> str:
    parts: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        if number:
            parts.append(draw(st.sampled_from(BINARY)))
        atom = draw(st.sampled_from(ATOMS))
        if depth and draw(st.integers(0, 5)) == 0:
            atom = f"({draw(any_expression(depth - 1))})"
        before = "".join(draw(st.lists(st.sampled_from(BEFORE), max_size=2)))
        after = "".join(draw(st.lists(st.sampled_from(AFTER), max_size=2)))
        parts.append(before + atom + after)
    text = " ".join(parts)
    if depth and draw(st.integers(0, 4)) == 0:
        text = f"{text} if {draw(any_expression(0))} else {draw(any_expression(depth - 1))}"
    return text


def shown(part: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each node
    """One of our expressions with every parenthesis written."""
    match part:
        case ours.Const():
            return part.text
        case ours.Path():
            return reduce(lambda text, step: f"{text}[{json.dumps(step)}]", part.steps, part.root)
        case ours.ListOf():
            return f"[{', '.join(map(shown, part.items))}]"
        case ours.DictOf():
            pairs = zip(part.keys, part.values, strict=True)
            return f"{{{', '.join(f'{key.text}: {shown(value)}' for key, value in pairs)}}}"
        case ours.Item():
            return f"{shown(part.value)}[{shown(part.key)}]"
        case ours.Slice():
            return f"{shown(part.value)}[{part.first}:{part.stop}]"
        case ours.Arithmetic():
            operands = list(map(shown, part.operands))
            if len(operands) == len(part.operators):
                return f"({part.operators[0]}{operands[0]})"
            rest = zip(part.operators, operands[1:], strict=True)
            return reduce(lambda text, pair: f"({text} {pair[0]} {pair[1]})", rest, operands[0])
        case ours.Concat():
            return f"({' ~ '.join(map(shown, part.parts))})"
        case ours.Filtered():
            return f"({shown(part.value)} | {part.name}({', '.join(map(shown, part.arguments))}))"
        case ours.Compare():
            return f"({shown(part.left)} {part.operator} {shown(part.right)})"
        case ours.Test():
            return f"({shown(part.value)} is {part.name})"
        case ours.Not():
            return f"(not {shown(part.value)})"
        case ours.Logic():
            return reduce(lambda text, one: f"({text} {part.operator} {one})", map(shown, part.operands))
        case ours.Choice():
            return f"({shown(part.yes)} if {shown(part.condition)} else {shown(part.no)})"
    raise AssertionError(part)


def theirs(node: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each node
    """One of Jinja's expressions with every parenthesis written. Two signs of ``not`` and those of numbers are gone."""
    match node:
        case nodes.Const():
            return json.dumps(node.value)
        case nodes.Name():
            return {"true": "true", "none": "null"}.get(node.name, node.name)
        case nodes.Getattr():
            return f"{theirs(node.node)}[{json.dumps(node.attr)}]"
        case nodes.Getitem(arg=nodes.Slice() as bounds):
            first, stop = ("None" if bound is None else theirs(bound) for bound in (bounds.start, bounds.stop))
            return f"{theirs(node.node)}[{first}:{stop}]"
        case nodes.Getitem():
            return f"{theirs(node.node)}[{theirs(node.arg)}]"
        case nodes.List():
            return f"[{', '.join(map(theirs, node.items))}]"
        case nodes.Dict():
            return f"{{{', '.join(f'{theirs(pair.key)}: {theirs(pair.value)}' for pair in node.items)}}}"
        case nodes.Neg() | nodes.Pos():
            sign = "-" if isinstance(node, nodes.Neg) else "+"
            signed = theirs(node.node)
            try:
                number = json.loads(signed)
            except ValueError:
                return f"({sign}{signed})"
            if type(number) not in {int, float}:
                return f"({sign}{signed})"
            return json.dumps(-number if sign == "-" else number)
        case nodes.Concat():
            return f"({' ~ '.join(map(theirs, node.nodes))})"
        case nodes.Filter():
            return f"({theirs(node.node)} | {node.name}({', '.join(map(theirs, node.args))}))"
        case nodes.Test():
            value, arguments = theirs(node.node), list(map(theirs, node.args or ()))
            if arguments:
                return f"({value} {COMPARING_TESTS[node.name]} {arguments[0]})"
            return f"({value} is {node.name})"
        case nodes.Not():
            inner: nodes.Expr = node.node
            return (
                theirs(inner.node)
                if isinstance(inner, nodes.Not) and isinstance(inner.node, nodes.Not)
                else f"(not {theirs(inner)})"
            )
        case nodes.Compare():
            values = [theirs(node.expr), *(theirs(operand.expr) for operand in node.ops)]
            pairs = [
                f"({left} {OPERATORS[operand.op]} {right})"
                for operand, left, right in zip(node.ops, values, values[1:], strict=False)
            ]
            return reduce(lambda text, one: f"({text} and {one})", pairs)
        case nodes.And() | nodes.Or():
            return f"({theirs(node.left)} {'and' if isinstance(node, nodes.And) else 'or'} {theirs(node.right)})"
        case nodes.CondExpr():
            return f"({theirs(node.expr1)} if {theirs(node.test)} else {theirs(node.expr2)})"
    operator, _ = MATH[type(node)]
    return f"({theirs(node.left)} {operator} {theirs(node.right)})"


@given(text=any_expression())
@example("data.a == data.b.c is none")
@example("data.a * 1000 | int")
@example("not data.a in data.l")
@example("- data.a | lower")
@example("1 < data.a < 9 and not data.b.c")
@example("data.a ~ 1 + 2 ~ 3 * 4")
def test_the_tree_is_jinjas(text: str) -> None:
    text = "{{ " + text + " }}"
    try:
        (output,) = JINJA.parse(text).body[0].nodes  # type: ignore[attr-defined] # an Output
    except jinja2.TemplateSyntaxError:
        with pytest.raises(TemplateError):
            parse(text)
        return
    try:
        (found,) = parse(text)
    except TemplateError:
        assume(False)
        raise
    assert isinstance(found, ours.Output)
    assert shown(found.expression) == theirs(output)
    assert text[found.expression.start : found.expression.end].strip("()") in text


def test_a_refused_expression_is_the_exception() -> None:
    """Most of what the strategy above draws is accepted, so the test compares something."""
    accepted = ["data.a is none", "not not data.a", "-data.a ** 1"]
    assert [bool(parse("{{ " + text + " }}")) for text in accepted[:2]] == [True, True]
    with pytest.raises(TemplateError, match="powers"):
        parse("{{ " + accepted[2] + " }}")


# --- Output: templates of the grammar that are JSON on every path, for an event without surprises.

DATA: dict[str, Any] = {
    "n": 5,
    "m": -3,
    "f": 2.5,
    "s": "High",
    "t": "two words",
    "b": True,
    "c": False,
    "xs": ["a", "b", "c"],
    "ns": [3, 1, 2],
    "os": [{"k": "v1", "n": 1, "on": True}, {"k": "v2", "n": 2, "on": False}],
    "d": {"High": "critical", "a": "first"},
    "empty": [],
}


def either(*strategies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(*strategies)


def form(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Text with a part in the place of each ``§``."""
    return st.tuples(*parts).map(lambda texts: reduce(lambda text, part: text.replace("§", part, 1), texts, pattern))


def typed(item: dict[str, tuple[str, ...]]) -> dict[str, st.SearchStrategy[str]]:
    """Expressions by kind. ``item`` are more paths of each kind: those of a loop."""
    number: st.SearchStrategy[str] = st.deferred(lambda: numbers)
    text: st.SearchStrategy[str] = st.deferred(lambda: texts)
    truth: st.SearchStrategy[str] = st.deferred(lambda: truths)
    some: st.SearchStrategy[str] = st.deferred(lambda: lists)
    numbers = either(
        st.sampled_from(
            (
                "data.n",
                "data.m",
                "data.f",
                "data.ns[1]",
                "data.os[0].n",
                "7",
                "0x10",
                "1_0",
                "0",
                *item.get("number", ()),
            )
        ),
        st.sampled_from(
            ("data.n + 1", "data.n - data.m", "data.n * 2", "-data.n", "data.f / 2", "data.n // 2", "data.m % 3")
        ),
        form("(§ § §)", number, st.sampled_from(("+", "-", "*", "/", "//", "%")), number),
        form("§ | length", some),
        form("(§ if § else §)", number, truth, number),
    )
    texts = either(
        st.sampled_from(("data.s", "data.t", "data.xs[-1]", "'x y'", '"q"', "data['s']", *item.get("text", ()))),
        form("(§ ~ §)", text, either(text, st.sampled_from(("data.n", "1", "data.f")))),
        form("(§ | §)", text, st.sampled_from(("upper", "lower", "trim", "default('d')"))),
        form("(§)[§:§]", text, st.sampled_from(("", "1", "-2")), st.sampled_from(("", "2", "-1"))),
        form("(§ if § else §)", text, truth, text),
        form("(§ | join('-'))", some),
        form("({'High': 'critical', 'two words': 't'}[§] | default('info'))", text),
        form("(data.d[§] | default('none'))", text),
        form("(§ or §)", text, text),
    )
    truths = either(
        st.sampled_from(
            (
                "data.b",
                "data.c",
                "data.s == 'High'",
                "data.s in ['High', 'Low']",
                "'a' in data.xs",
                "data.gone is defined",
                *item.get("truth", ()),
            )
        ),
        st.sampled_from(
            (
                "data.n is number",
                "data.s is string",
                "data.d is mapping",
                "data.n is integer",
                "data.f is float",
                "data.b is true",
                "data.b is boolean",
                "data.s is not none",
                "data.xs is iterable",
            )
        ),
        form("§ § §", number, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), number),
        form("§ < § <= §", number, number, number),
        form("(§ § §)", truth, st.sampled_from(("and", "or")), truth),
        form("(not §)", truth),
    )
    lists = either(
        st.sampled_from(("data.xs", "data.ns", "data.empty", "data.xs[1:]", "data.xs[:2]", "data.ns[-2:]")),
        form("[§, §]", number, text),
    )
    return {"number": numbers, "text": texts, "truth": truths, "list": lists}


OUTSIDE = typed({})
INSIDE = typed(
    {
        "number": ("loop.index", "loop.revindex", "loop.index0", "loop.revindex0", "loop.length", "x.n"),
        "text": ("x.k",),
        "truth": ("loop.first", "loop.last", "x.on"),
    }
)


def pieces(kinds: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    """A member of a list: written as a value with ``<< >>``, or as text."""
    value = either(*kinds.values())
    return either(
        form("<< § >>", value),
        form('"a {{ § }} b"', kinds["text"]),
        form(
            '{% if § %}<< § >>{% elif § %}1{% else %}"x"{% endif %}',
            kinds["truth"],
            value,
            kinds["truth"],
        ),
        form("\"{% if § %}yes{% endif %}{{ 'no' if § }}\"", kinds["truth"], kinds["truth"]),
        form('{% raw %}"{{ raw }}"{% endraw %}{# a comment #}'),
    )


def loop(header: str, inner: str) -> str:
    return "[{% for x in data.os" + header + " %}" + inner + "{{ ',' if not loop.last }}{% else %}0{% endfor %}]"


MEMBERS = either(
    pieces(OUTSIDE),
    st.tuples(
        either(st.just(""), INSIDE["truth"].filter(lambda text: "loop" not in text).map(lambda text: f" if ({text})")),
        pieces(INSIDE),
    ).map(lambda parts: loop(*parts)),
    form("{% set v = § %}<< v >>", OUTSIDE["text"]),
)


@given(members=st.lists(MEMBERS, min_size=1, max_size=4))
def test_a_benign_event_gives_what_jinja_gives(members: list[str]) -> None:
    members = [
        member.replace("set v ", f"set v{number} ").replace("<< v >>", f"<< v{number} >>")
        for number, member in enumerate(members)
    ]
    text = f"[{', '.join(members)}]"
    try:
        expected = json.loads(
            JINJA.from_string(text.replace("<<", "{{ (").replace(">>", ") | tojson }}")).render(data=DATA)
        )
    except ZeroDivisionError:
        expected = None
    try:
        template = compile_body(text.replace("<<", "{{").replace(">>", "}}"), {})
    except TemplateError as error:
        assert error.rule == "template-too-large"  # noqa: PT017 - nothing else may be wrong with it
        return
    try:
        found = json.loads(template.render({"data": DATA}))
    except RenderError as error:
        assert expected is None or "too large" in error.message  # noqa: PT017 - either way it does not render
        return
    assert found == expected
