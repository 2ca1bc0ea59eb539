"""Compares docs/recipes.md with the recipes and with the requests that they make. ``make docs`` writes the page."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hookctl.cli.recipes import FILES, Recipe, recipes

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
VARIES = re.compile(r"^(?:webhook-id|webhook-timestamp|User-Agent): .*\n", re.MULTILINE)
INTRODUCTION = """\
# Recipes

This page is for anyone who sends events to one of the targets below. A recipe is a webhook that is correct for its
target: method, URL, auth, body, the lengths and characters that the target accepts, how it reports errors, and what
follows from each answer, so that a retry makes no duplicate that can be avoided.

`hookctl init --recipe slack` writes `webhooks.d/slack.yaml`. In an empty directory, it also writes the other [first
files](cli.md#hookctl-init); in a directory that has webhook files, it adds only this one. It overwrites nothing. Then:

1. Set what the comment at the head of the file lists. Hosts below `example.com` are placeholders, and requests to them
   fail. Secrets are environment variables of the process that sends, or whatever [reference](webhooks.md#secrets) you
   put in their place.
2. Review the request: `hookctl plan`.
3. Send the mock event to the target: `hookctl test Slack`. It shows what the target answered, or which secret is not
   set.
4. Apply the webhook: `hookctl apply`. Then deliver events with [`hookctl send`](start.md#five-minutes), [`hookctl
   run`](running.md) or [`hookctl serve`](serve.md).

The file is yours from then on. Change the text, the `when` and the name as you like; comments say which limits to
observe. A recipe is for the event type `anomaly`. For another, change `event` and the fields of `data` in the body:
`hookctl validate` names each field that the event type does not have.

Tests send each recipe's requests to a receiver that enforces what the vendor publishes, with the mock event and with
hostile and very long ones, and with each form of error. They are in `tests/recipes/`, and name the vendor's pages.

A test keeps this page up to date. Each request is for the mock event; `***` is a secret.
"""


def paragraph(text: str) -> str:
    return textwrap.fill(text, 118, break_on_hyphens=False, break_long_words=False)


def overview() -> Iterator[str]:
    yield "| recipe | what becomes of an event | if a request is repeated |\n| --- | --- | --- |"
    for recipe in recipes():
        repeats = recipe.repeats.replace("|", "\\|")
        yield f"| [`{recipe.name}`](#{recipe.name}) | {recipe.target}: {recipe.summary} | {repeats} |"


def section(recipe: Recipe, request: str) -> str:
    """A recipe with its settings, its request, and what follows from an answer."""
    settings = "\n".join(
        textwrap.indent(paragraph(f"- `{setting.name}`: {setting.where}"), "  ").removeprefix("  ")
        for setting in recipe.settings
    )
    answers = recipe.text[recipe.text.rindex("\n\n", 0, recipe.text.index("response_validators:")) + 2 :]
    shipped = FILES.relative_to(PAGE.parents[1])
    return f"""\
## {recipe.name}

{paragraph(f"{recipe.target}: {recipe.summary}. The file is `{shipped}/{recipe.name}.yaml`.")}

Set:

{settings}

The request for the mock event:

```text
{request.rstrip()}
```

What counts as delivered:

```yaml
{answers.rstrip()}
```
"""


def test_the_page_of_recipes_is_up_to_date(project: Callable[..., Path], run_cli: Callable[..., Any]) -> None:
    root = project({f"webhooks.d/{recipe.name}.yaml": recipe.text for recipe in recipes()})
    parts = [INTRODUCTION, "\n".join([*overview(), ""])]
    for recipe in recipes():
        rendered = run_cli("render", recipe.webhook, cwd=root)
        assert (rendered.exit_code, rendered.stderr) == (0, "")
        parts.append(section(recipe, VARIES.sub("", rendered.stdout)))
    fresh = "\n".join(parts)
    if "UPDATE_DOCS" in os.environ:
        PAGE.write_text(fresh, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == fresh, "run `make docs`"
