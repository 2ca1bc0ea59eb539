"""Built-in filters give for ordinary values what Jinja's filters of the same name give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.errors import RenderError
from hookctl.json.kinds import is_of_type
from hookctl.template.language.filters import BUILT_IN, find
from hookctl.template.language.values import MISSING

JINJA = jinja2.Environment(autoescape=False)  # noqa: S701 # the reference for JSON
OWN = {"datetime", "html", "jmespath", "markdown_escape", "one_line", "slack_escape", "to_json", "b64encode"}
"""Filters that Jinja does not have."""
DIFFERENT = {"d", "default", "tojson"}
"""Filters that differ on purpose; docs/templates.md says how."""

TEXT = st.text(st.sampled_from("ab cÄß<>&\"'/{[(-_.\n\t\r1é漢"), max_size=30)
WHOLE = st.integers(-(2**40), 2**40)
FINITE = st.floats(-1e12, 1e12, allow_nan=False).map(lambda number: number + 0.0)
NUMERAL = st.one_of(
    WHOLE.map(str), FINITE.map(str), st.sampled_from(["", " 7 ", "0x1f", "1e3", "12.9", "nan", "-", "1_000", "٣"])
)
ITEM = st.fixed_dictionaries(
    {"name": TEXT, "size": WHOLE, "ok": st.booleans(), "in": st.fixed_dictionaries({"k": st.lists(WHOLE, min_size=1)})}
)
ITEMS = st.lists(ITEM, max_size=6)
FLAG = st.booleans()
ORDERED = st.one_of(st.lists(TEXT, max_size=6), st.lists(WHOLE | FINITE, max_size=6))
ATTRIBUTE = st.sampled_from(["name", "size", "ok", "in.k.0"])


def call(values: st.SearchStrategy[Any], *arguments: Any, **keywords: Any) -> st.SearchStrategy[Any]:
    """A value with plain and named arguments; a named one may be left out, except ``attribute`` and ``default``."""
    needed = {name: keywords.pop(name) for name in ("attribute", "default") if name in keywords}
    return st.tuples(values, st.tuples(*arguments), st.fixed_dictionaries(needed, optional=keywords))


CALLS: dict[str, st.SearchStrategy[Any]] = {
    "abs": call(WHOLE | FINITE),
    "capitalize": call(TEXT),
    "count": call(TEXT | ITEMS | ITEM),
    "dictsort": call(
        st.dictionaries(TEXT, WHOLE), case_sensitive=FLAG, by=st.sampled_from(["key", "value"]), reverse=FLAG
    ),
    "e": call(TEXT | WHOLE),
    "escape": call(TEXT | FINITE),
    "first": call(TEXT | ITEMS),
    "float": call(WHOLE | FINITE | NUMERAL | FLAG | st.none()) | call(NUMERAL | st.none(), default=WHOLE | st.none()),
    "forceescape": call(TEXT | WHOLE),
    "int": call(WHOLE | FINITE | NUMERAL | FLAG | st.none())
    | call(NUMERAL | st.none(), default=WHOLE, base=st.sampled_from([0, 2, 8, 10, 16])),
    "items": call(ITEM),
    "join": call(st.lists(TEXT | WHOLE, max_size=6), TEXT) | call(ITEMS, TEXT, attribute=st.just("name")),
    "last": call(TEXT | ITEMS),
    "length": call(TEXT | ITEMS | ITEM),
    "list": call(TEXT | ITEMS | ITEM),
    "lower": call(TEXT),
    "map": call(ITEMS, attribute=ATTRIBUTE)
    | call(ITEMS, attribute=st.sampled_from(["none", "name.x", "in.none"]), default=TEXT.filter(bool))
    | call(st.lists(TEXT, max_size=6), st.sampled_from(["upper", "length", "title", "int", "first", "list"])).filter(
        lambda made: all(made[0])
    )
    | call(st.lists(TEXT, max_size=6), st.just("replace"), st.just("a"), TEXT, count=st.integers(-1, 3))
    | call(st.lists(ITEMS, max_size=3), st.just("sum"), attribute=st.just("size")),
    "max": call(ORDERED, case_sensitive=FLAG) | call(ITEMS, case_sensitive=FLAG, attribute=ATTRIBUTE),
    "min": call(ORDERED, case_sensitive=FLAG) | call(ITEMS, case_sensitive=FLAG, attribute=ATTRIBUTE),
    "reject": call(st.lists(TEXT | WHOLE | st.none())) | call(st.lists(WHOLE), st.sampled_from(["odd", "even"])),
    "rejectattr": call(ITEMS, ATTRIBUTE) | call(ITEMS, st.just("size"), st.sampled_from([">", "le", "ne"]), WHOLE),
    "replace": call(TEXT, st.sampled_from(["a", "", " ", "ab"]), TEXT, count=st.integers(-1, 5)),
    "reverse": call(TEXT | ITEMS),
    "round": call(FINITE, st.integers(1, 6), method=st.sampled_from(["common", "floor", "ceil"])),
    "select": call(st.lists(TEXT | WHOLE | st.none()))
    | call(st.lists(TEXT | WHOLE | st.none() | ITEM), st.sampled_from(["string", "mapping", "none", "integer"]))
    | call(st.lists(WHOLE), st.just("divisibleby"), st.integers(1, 9))
    | call(st.lists(TEXT), st.just("in"), st.lists(TEXT) | TEXT),
    "selectattr": call(ITEMS, ATTRIBUTE)
    | call(ITEMS, st.sampled_from(["name", "none"]), st.sampled_from(["defined", "undefined", "string"]))
    | call(ITEMS, st.just("name"), st.sampled_from(["==", "eq", "equalto", "!=", "<", "gt"]), TEXT),
    "sort": call(ORDERED, reverse=FLAG, case_sensitive=FLAG)
    | call(ITEMS, reverse=FLAG, case_sensitive=FLAG, attribute=st.sampled_from(["name", "size", "ok,name", "in.k.0"])),
    "string": call(TEXT | WHOLE),
    "striptags": call(
        st.lists(TEXT | st.sampled_from(["<b>", "<!-- x", "-->", "<!--", "&amp;", "&#33;"])).map("".join)
    ),
    "sum": call(st.lists(WHOLE | FINITE), start=WHOLE) | call(ITEMS, attribute=st.just("size")),
    "title": call(TEXT),
    "trim": call(TEXT),
    "truncate": call(
        TEXT, st.integers(3, 30), killwords=FLAG, end=st.sampled_from(["", "…", "..."]), leeway=st.integers(0, 5)
    ),
    "unique": call(ORDERED, case_sensitive=FLAG) | call(ITEMS, case_sensitive=FLAG, attribute=ATTRIBUTE),
    "upper": call(TEXT),
    "urlencode": call(TEXT | WHOLE | st.dictionaries(TEXT, TEXT | WHOLE)),
    "wordcount": call(TEXT),
}


def plain(result: Any) -> Any:
    """What Jinja gives, as JSON: iterators as lists, markup as text, nothing as missing."""
    if isinstance(result, jinja2.Undefined):
        return MISSING
    if isinstance(result, str):
        return str(result)
    return [plain(item) for item in result] if isinstance(result, Iterator | list | tuple) else result


def test_every_filter_is_compared() -> None:
    assert CALLS.keys() | OWN | DIFFERENT == BUILT_IN.keys()
    assert {name for name in OWN if name in JINJA.filters} == set()
    assert all(name in JINJA.filters for name in CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_filter_gives_what_jinjas_gives(name: str) -> None:
    ours = find(name, {})
    assert ours is not None

    @settings(max_examples=settings().max_examples // 4)
    @given(CALLS[name])
    def compare(made: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
        value, arguments, keywords = made
        before = json.dumps(value)
        expected = plain(JINJA.call_filter(name, value, list(arguments), keywords, context=context()))
        got = ours(value, *arguments, **keywords)
        if name in {"int", "float"} and isinstance(expected, float) and expected != expected:  # noqa: PLR0124 # not a number
            expected = keywords.get("default", 0)
        assert got == expected
        assert json.dumps(value) == before, "a filter must not change its value"
        if got is not MISSING:
            json.dumps(got, allow_nan=False)

    compare()


def context() -> jinja2.runtime.Context:
    return JINJA.from_string("").new_context()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", sorted(BUILT_IN.keys() - {"jmespath"}))
def test_a_filter_gives_json_or_a_render_error_whatever_it_is_given(name: str) -> None:
    """A call with a wrong number of arguments is a TypeError; the check refuses it."""
    function = find(name, {})
    assert function is not None

    @settings(max_examples=settings().max_examples // 4)
    @given(JSON, st.lists(JSON, max_size=3))
    def run(value: Any, arguments: list[Any]) -> None:
        try:
            result = function(value, *arguments)
        except RenderError:
            return
        except TypeError as error:
            if "positional argument" not in str(error):
                raise
            return
        if result is MISSING:
            assert BUILT_IN[name].may_give_nothing
        else:
            json.dumps(result, allow_nan=False)
            assert not BUILT_IN[name].gives or is_of_type(result, BUILT_IN[name].gives)

    run()
