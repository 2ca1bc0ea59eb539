"""I-Regexps (RFC 9485) and what RE2 makes of them."""

from __future__ import annotations

import contextlib
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.bounded import Budget
from hookctl.errors import BudgetError
from hookctl_plugins.validator.iregexp import compile_iregexp, translate


def matches(pattern: str, text: str) -> bool:
    compiled = compile_iregexp(pattern)
    assert compiled is not None, pattern
    return compiled.is_all_of(text, Budget(10**6))


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("", "", True),
        ("", "a", False),
        ("a|b", "b", True),
        ("ab|cd", "abd", False),
        ("a{10}", "a" * 10, True),
        ("a{2,}", "a", False),
        ("a{0,2}b", "aab", True),
        (".", "\n", False),
        (".", "\r", False),
        (".", "\u2028", True),
        (".", "\U0001f600", True),
        ("[.]", "x", False),
        ("[^.]", "\n", True),
        ("^a$", "a", True),
        ("a^", "a^", False),  # an anchor, not a character
        (r"\^\.\-\n", "^.-\n", True),
        ("[-a]", "-", True),
        ("[a-]", "-", True),
        ("[--]", "-", True),
        ("[-a-c-]+", "a-b-c", True),
        ("[^-]", "-", False),
        ("[^^]", "^", False),
        ("[a^]", "^", True),
        ("[a&&b]", "&", True),
        (r"[\]\[]+", "][", True),
        (r"\p{L}+", "aé漢", True),
        (r"\P{L}", "é", False),
        (r"\p{Lu}\p{Ll}", "Éa", True),
        (r"[\p{Nd}x]+", "1x٣", True),
        (r"\p{Cn}", "\u0378", True),
        (r"\p{Cn}", "\x01", False),
        (r"\P{Cn}", "\x01", True),
        (r"\P{Cn}", "\u0378", False),
        (r"\p{C}", "\u0378", True),
        (r"\p{C}", "\x01", True),
        (r"\P{C}", "a", True),
        (r"\P{C}", "\u0378", False),
        (r"[a\p{C}]", "\u0378", True),
        (r"[^\p{Cn}]", "a", True),
        (r"[^\P{C}]", "\ue000", True),
        ("(a(b)?)+", "aba", True),
        ("~`!@#%&=;:'\"<>,/_", "~`!@#%&=;:'\"<>,/_", True),
        ("\x00", "\x00", True),
    ],
)
def test_what_matches(pattern: str, text: str, is_match: bool) -> None:
    assert matches(pattern, text) is is_match


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "a)", "(a", "a**", "a+?", "*a", "|*", "(*)", "[", "[]", "[^]", "]", "a]", "{", "a{", "a{,2}", "a{x}",
        "[z-a]", "a{3,1}", "[a--]", "[[a]]", r"\d", r"\w", r"\$", r"\/", "\\", r"[\d]", r"\p{Latin}", r"\p{IsGreek}",
        r"\p{Cs}", r"\pL", r"\p{L", "(?:a)", "(?i)a", "(?=a)", r"(a)\1", "\ud800", "[\ud800]",
    ],
)  # fmt: skip
def test_what_is_not_one(pattern: str) -> None:
    assert compile_iregexp(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["a" * 1001, "a{1001}", "a{99999999999999999999}", r"(\p{L}{100}){10}", "((a{100}){100}){100}", r"\p{L}" * 190],
)
def test_what_costs_too_much(pattern: str) -> None:
    with pytest.raises(BudgetError) as raised:
        compile_iregexp(pattern)
    assert "regular expression" in raised.value.message


def test_nesting_crashes_nothing() -> None:
    """A parser that recurses at each parenthesis would overflow the stack of its thread."""
    for pattern in ("(" * 1000, "(" * 500 + ")" * 500, "(a|" * 250 + ")" * 250):
        with contextlib.suppress(BudgetError):
            compile_iregexp(pattern)
    assert translate("(" * 500_000) is None


def test_categories_are_those_of_unicode() -> None:
    sample = [chr(code) for code in range(0, 0x3000, 7)]
    every = set()
    for group, kinds in {
        "L": "lmotu",
        "M": "cen",
        "N": "dlo",
        "P": "cdefios",
        "Z": "lps",
        "S": "ckmo",
        "C": "cfno",
    }.items():
        for kind in kinds:
            pattern = compile_iregexp(rf"\p{{{group}{kind}}}")
            assert pattern is not None
            found = {text for text in sample if pattern.is_all_of(text, Budget(10**6))}
            wrong = {text for text in found if unicodedata.category(text) not in {group + kind, "Cn"}}
            assert not wrong or group + kind == "Cn"  # the tables of Python may be older or newer
            every |= found
    assert every == set(sample)


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[-b]", "[a-c]", r"\.", r"\n", r"\-", "^", "$", r"[\]b]", "é"])
patterns = st.recursive(
    atoms,
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map("|".join)
        | inner.map("({})".format)
        | st.tuples(inner.map("({})".format), st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}"])).map("".join)
    ),
    max_leaves=6,
)


@given(pattern=patterns, text=st.text(alphabet="ab.-\n\ré]", max_size=5))
@settings(max_examples=300)
def test_it_means_what_python_means(pattern: str, text: str) -> None:
    """An oracle: for these constructs, Python differs only in the dot and in ``$``."""
    own = re.sub(
        r"\[[^\]\\]*(?:\\.[^\]\\]*)*\]|\\.|\.|\$",
        lambda found: {".": "[^\\n\\r]", "$": r"\Z"}.get(found[0], found[0]),
        pattern,
    )
    assert matches(pattern, text) is (re.fullmatch(own, text) is not None)


@given(st.text(alphabet="ab.*+?()[]{}|^$\\-,12pPLC", max_size=12))
@settings(max_examples=500)
def test_no_text_raises_anything_else(pattern: str) -> None:
    try:
        compiled = compile_iregexp(pattern)
    except BudgetError:
        return
    assert (translate(pattern) is None) <= (compiled is None)
