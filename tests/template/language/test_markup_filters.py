"""The filters that write text for another notation, read back by independent readers of that notation."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hookctl.errors import RenderError
from hookctl.template.language.filters import find

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = st.lists(
    st.sampled_from(
        [*"*_`[]()<>#+-=.!|~&:$@\\ a1\n\t\r", "<!channel>", "https://x.example/", "&lt;", "```", "\u2028", "\x85"]
    )
).map("".join)


def run(name: str, value: Any) -> Any:
    function = find(name, {})
    assert function is not None
    return function(value)


@settings(max_examples=300)
@example("1. a")
@example("- a")
@example("# a")
@example("a | b\n--- | ---")
@given(HOSTILE)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    line = run("one_line", text)
    rendered = MARKDOWN.render(run("markdown_escape", line))
    assert rendered == (f"<p>{html.escape(line, quote=False)}</p>\n" if line else "")


def test_markdown_escapes_marks_of_every_dialect() -> None:
    """Also those that CommonMark does not have, such as ``~`` and ``$``, and headings that are underlined."""
    marks = "\\`*_{}[]()<>#+-=.!|~&:$@"
    assert run("markdown_escape", marks) == "".join(f"\\{mark}" for mark in marks)
    assert run("markdown_escape", "aZ 09,;?/'\"%^é\n") == "aZ 09,;?/'\"%^é\n"
    assert "<h1>" not in MARKDOWN.render(run("markdown_escape", "a\n==="))


@given(HOSTILE)
def test_one_line_is_one_line(text: str) -> None:
    line = run("one_line", text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "  " not in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
    assert line.replace(" ", "") == re.sub(r"[\s\x00-\x1f\x7f-\x9f]", "", text)


@given(HOSTILE)
def test_slack_finds_no_control_sequence(text: str) -> None:
    """Slack reads ``<...>`` as a mention or a link, and only the three entities as characters."""
    escaped = run("slack_escape", text)
    assert not {"<", ">"} & {*escaped}
    assert {*re.findall(r"&[^;]*;?", escaped)} <= {"&amp;", "&lt;", "&gt;"}
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("slack_escape", "<!channel> <@U123> <https://evil.example|click>",
         "&lt;!channel&gt; &lt;@U123&gt; &lt;https://evil.example|click&gt;"),
        ("slack_escape", 5, "5"),
        ("html", True, "true"),
        ("markdown_escape", 1.5, "1\\.5"),
        ("striptags", "a <!-- b > c --> d<br>e &lt; f <g", "a de < f <g"),
        ("one_line", "\ta\r\n\x00b\u2028c  d\x1b", "a b c d"),
        ("urlencode", [["a", 1], ["b c", None]], "a=1&b+c=null"),
    ],
)  # fmt: skip
def test_a_filter_writes(name: str, value: Any, expected: str) -> None:
    assert run(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("urlencode", "\ud800", "half a surrogate pair"),
        ("b64encode", "\ud800", "half a surrogate pair"),
        ("urlencode", [1], "each item is a list of a name and a value"),
        ("striptags", f"&#{'9' * 5000};", "cannot read a character reference"),
        ("html", ["a"], "takes a boolean, a number or a string, but the value is a list"),
    ],
)
def test_a_filter_refuses(name: str, value: Any, says: str) -> None:
    with pytest.raises(RenderError, match=says):
        run(name, value)
