"""Pages of the documentation for a terminal."""

from __future__ import annotations

import pytest

from hookctl.cli.pages import page, topics
from hookctl.report.text.page import page_text

TOPICS = ["settings", "webhooks"]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("a [file](webhooks.md).", "a file (hookctl explain webhooks)."),
        ("[git\nrevision](settings.md#x)", "git\nrevision (hookctl explain settings)"),
        ("[`[intake]`](settings.md#x)", "`[intake]` (hookctl explain settings)"),
        ("an [error](rules.md#file-outside)", "an error (hookctl explain file-outside)"),
        ("[below](#below)", "below"),
        ("[changelog](../CHANGELOG.md)", "changelog"),
        ("[site](https://example.com/)", "site (https://example.com/)"),
        ("```yaml\n[a](webhooks.md)\n```\n", "```yaml\n[a](webhooks.md)\n```\n"),
    ],
)
def test_a_link_becomes_a_command(markdown: str, shown: str) -> None:
    assert page_text(markdown, TOPICS) == shown


def test_text_is_wrapped_and_code_is_not() -> None:
    markdown = (
        "# A heading that is long\n\none two\nthree four\n\n- five six seven eight\n  nine\n1. ten eleven twelve\n\n"
        "```\nthis line is left alone\n```\n"
    )
    assert page_text(markdown, TOPICS, width=14) == (
        "# A heading that is long\n\none two three\nfour\n\n"
        "- five six\n  seven eight\n  nine\n1. ten eleven\n   twelve\n\n"
        "```\nthis line is left alone\n```\n"
    )


def test_a_table_has_columns() -> None:
    markdown = "| a | b |\n| --- | --- |\n| one | `x \\| y` |\n"
    assert page_text(markdown, TOPICS, width=40) == "a    b\none  `x | y`\n"


@pytest.mark.parametrize("topic", topics())
def test_nothing_of_a_page_is_lost(topic: str) -> None:
    """Beside the lines, only the bars and rules of tables are gone."""
    shown, laid_out = page_text(page(topic), topics()), page_text(page(topic), topics(), width=70)
    words = [word for word in laid_out.split() if word.isalpha()]
    assert sorted(words) == sorted(word for word in shown.split() if word.isalpha())
    for line in "".join(laid_out.split("```")[::2]).splitlines():
        assert len(line) <= 70 or " " not in line.strip() or line.startswith("#"), line
    assert "](" not in "".join(laid_out.split("```")[::2]).replace("`", "")
