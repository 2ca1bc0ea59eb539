"""What a filter may give and how much work it may be: limited before the result is built, and never quadratic."""

from __future__ import annotations

import inspect
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from hookctl.errors import RenderError
from hookctl.json import equality
from hookctl.template import compile_body
from hookctl.template.language import value_tests, values
from hookctl.template.language.filters import BUILT_IN, find
from hookctl.template.language.functions import declaration, selection
from hookctl.template.language.values import MAX_OUTPUT

MIB = 1024 * 1024
HALF = "x" * (MAX_OUTPUT // 2)


def run(name: str, value: Any, *arguments: Any, **keywords: Any) -> Any:
    function = find(name, {})
    assert function is not None
    return function(value, *arguments, **keywords)


GROWING: dict[str, tuple[Any, ...]] = {
    "b64encode": ("é" * (MAX_OUTPUT // 2),),
    "html": ("'" * (MAX_OUTPUT // 4),),
    "join": (["x"] * 2000, "y" * 1000),
    "map": ([""] * 2000, "replace", "", "y" * 1000),
    "markdown_escape": ("*" * (MAX_OUTPUT // 2 + 1),),
    "replace": ("a" * 10_000, "a", "b" * 10_000),
    "slack_escape": ("&" * (MAX_OUTPUT // 4),),
    "urlencode": ("\x00" * (MAX_OUTPUT // 2),),
}
"""Calls whose results would be larger than a filter may give."""
NOT_GROWING = {
    "abs", "capitalize", "count", "d", "datetime", "default", "dictsort", "first", "float", "int", "items", "jmespath",
    "last", "length", "list", "lower", "max", "min", "one_line", "reject", "rejectattr", "reverse", "round", "select",
    "selectattr", "sort", "string", "striptags", "sum", "title", "to_json", "tojson", "trim", "truncate", "unique",
    "upper", "wordcount",
}  # fmt: skip
"""Filters whose results are at most a few times as large as their value or an argument."""


def test_every_filter_is_known_to_grow_or_not() -> None:
    aliases = {"e", "escape", "forceescape"}
    assert GROWING.keys() | NOT_GROWING | aliases == BUILT_IN.keys()
    assert all(BUILT_IN[name] is BUILT_IN["html"] for name in aliases)


def test_no_filter_needs_jinja_to_render() -> None:
    program = (
        "import sys\n"
        "from hookctl.template.language.filters import BUILT_IN, find\n"
        "for name in BUILT_IN.keys() - {'jmespath'}:\n"
        "    for value in ('a', 1, [], {}):\n"
        "        try: find(name, {})(value)\n"
        "        except Exception: pass\n"
        "print([name for name in sys.modules if name.startswith(('jinja2', 'markupsafe'))])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("name", GROWING)
def test_a_result_that_is_too_large_is_refused_before_it_is_built(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RenderError, match=f"the filter {name} returns more than {MAX_OUTPUT} characters"):
            run(name, *GROWING[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * MIB  # at most a copy of the value, and what fitted


@pytest.mark.parametrize(
    ("name", "arguments", "size"),
    [
        ("replace", ("ab" * 10, "b", "ccc", 2), 24),
        ("html", ("<&'>\"",), 4 + 5 + 5 + 4 + 5),
        ("slack_escape", ("<&>",), 13),
        ("urlencode", ("é /",), 10),
        ("urlencode", ({"a b": "/", "c": 1},), 11),
        ("b64encode", ("abcd",), 8),
        ("join", (["a", "b"], "--"), 4),
        ("map", (["a", "b"], "replace", "", "--"), 10),
    ],
)
def test_the_limit_is_exact(name: str, arguments: tuple[Any, ...], size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, fits in ((size, True), (size - 1, False)):
        for module in (declaration, selection, inspect.getmodule(BUILT_IN[name].call) or selection):
            if hasattr(module, "MAX_OUTPUT"):
                monkeypatch.setattr(module, "MAX_OUTPUT", limit)
        if fits:
            run(name, *arguments)
        else:
            with pytest.raises(RenderError, match="returns more than"):
                run(name, *arguments)


class Counted:
    """Counts the calls of a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.function(*args)


def test_membership_reads_a_list_once(monkeypatch: pytest.MonkeyPatch) -> None:
    equal, identity = Counted(equality.is_equal), Counted(values.identity)
    monkeypatch.setattr(values, "is_equal", equal)
    monkeypatch.setattr(selection, "identity", identity)
    items = [{"id": number} for number in range(500)]
    assert len(run("selectattr", items, "id", "in", [*range(250, 750)])) == 250
    assert (equal.calls, identity.calls) == (0, 1000)


def test_looking_in_a_long_text_is_limited() -> None:
    with pytest.raises(RenderError, match="too much work"):
        run("select", ["ab"] * 1000, "in", "a" * 100_000)
    assert run("select", ["ab", "c"], "in", "a" * 100_000 + "b") == ["ab"]


def test_equal_numbers_are_found_by_their_text_and_not_by_pythons_hash() -> None:
    colliding = [number * (2**61 - 1) for number in range(100)]
    assert len({*map(hash, colliding)}) == 1
    assert len({*map(values.identity, colliding)}) == 100
    assert run("unique", [*colliding, *colliding]) == colliding


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 1.0, True, "1", None, [1], [1.0], [True]], [1, True, "1", None, [1], [True]]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": "1", "b": 2}], [{"a": 1, "b": 2}, {"a": "1", "b": 2}]),
        (["[1]", [1], '"', "a", "A", ["a"], ["A"], {}], ["[1]", [1], '"', "a", ["a"], ["A"], {}]),
    ],
)
def test_unique_compares_json_values(items: list[Any], unique: list[Any]) -> None:
    assert [*map(values.to_json, run("unique", items))] == [*map(values.to_json, unique)]


def test_one_key_is_made_for_each_item_of_a_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    from hookctl.template.language.functions import lists

    take = Counted(values.take)
    monkeypatch.setattr(lists, "take", take)
    items = [{"n": -number, "m": number} for number in range(1000)]
    run("sort", items, attribute="n,m")
    assert take.calls == 2000
    with pytest.raises(RenderError, match="at most 10 attributes"):
        run("sort", items, attribute="n," * 10 + "m")


def test_a_test_divides_only_small_integers() -> None:
    with pytest.raises(RenderError, match="64-bit"):
        run("select", [10**5000], "even")
    with pytest.raises(RenderError, match="no answer"):
        run("select", [1], "divisibleby", 0)
    assert value_tests.WITH_OPERAND["divisibleby"](9, 3)


@pytest.mark.parametrize(
    ("name", "value", "arguments"),
    [
        ("abs", -(2**64), ()),
        ("float", 10**400, ()),
        ("int", 1e300, ()),
        ("int", "9" * 30, ()),
        ("int", "f" * 30, (0, 16)),
        ("int", 2**63, ()),
        ("round", 1e300, ()),
        ("sum", [1e308, 1e308], ()),
        ("sum", [2**62, 2**62], ()),
        ("sum", [10**5000, 1], ()),
    ],
)
def test_numbers_stay_numbers_that_receivers_can_hold(name: str, value: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(RenderError, match=f"the filter {name} (is limited to 64-bit integers|gives a number that is)"):
        run(name, value, *arguments)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999", "", "x" * 2000, "9" * 5000, None])
def test_what_is_not_a_number_is_replaced(text: Any) -> None:
    assert run("float", text, 0.5) == 0.5
    assert run("int", text, 7) == 7


def test_results_and_arguments_count_as_work() -> None:
    def hits(inner: str, data: dict[str, Any]) -> None:
        text = '"{% for x in data.xs %}' + inner + '{% endfor %}"'
        with pytest.raises(RenderError, match="too much work"):
            compile_body(text, {}).render({"data": {"xs": [1] * 300, **data}})

    hits("{% if data.s | replace('a', data.big) == 'x' %}{% endif %}", {"s": "a", "big": HALF})
    hits("{% if data.s | replace(data.big, '') == 'x' %}{% endif %}", {"s": "a", "big": HALF})
    hits("{% if data.m | replace('', data.m) == 'x' %}{% endif %}", {"m": "m" * 1000})
    hits("{% if data.big | first | replace('', 'x') %}{% endif %}", {"big": ["x"] * 9000})


@pytest.mark.parametrize("use", ["title", "striptags", "urlencode", "map('title') | join"])
def test_slow_filters_count_as_more_work(use: str) -> None:
    """Ten uses of each on a long text would take half a second."""
    text = " a" * 150_000
    given: Any = [text] if use.startswith("map") else text
    uses = f" | length }}}}{{{{ data | {use}".join(["", *[""] * 10])
    template = compile_body(f'"{{{{ data | string{uses} | length }}}}"', {})
    with pytest.raises(RenderError, match="rendering takes too much work"):
        template.render({"data": given})
