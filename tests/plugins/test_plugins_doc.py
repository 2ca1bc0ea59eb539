"""docs/plugin-reference.md: every hook has a section, and what it says in prose is true of the code.

tests/plugin/test_hookspecs.py runs the examples, and tests/docs/test_plugin_reference.py compares the generated parts.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookctl.cli.session import Session
from hookctl.plugin import hookspecs, interfaces

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugin-reference.md").read_text(encoding="utf-8")
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("hookctl_"))
SECTIONS = dict(re.findall(r"^### (hookctl_\w+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))
CODE = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_section_with_an_example(hook: str) -> None:
    assert hook in SECTIONS, f"docs/plugin-reference.md has no section ### {hook}"
    (code,) = CODE.findall(SECTIONS[hook])
    assert f"@hookimpl\ndef {hook}()" in code


def test_no_section_is_of_a_hook_that_is_gone() -> None:
    assert sorted(SECTIONS) == HOOKS


def test_everything_that_a_plugin_can_import_is_named() -> None:
    assert [name for name in interfaces.__all__ if f"`{name}`" not in PAGE] == []


def test_the_page_names_what_a_command_gets() -> None:
    sentence = re.search(r"The object from `click.pass_obj` has (.*?)\. hookctl", PAGE, re.DOTALL)
    assert sentence
    names = re.findall(r"`([a-z_]+)(\(\))?`", sentence[1].partition(", which")[0])
    assert [name for name, _ in names] == ["directory", "store_url", "plugins", "existing_store"]
    for name, called in names:
        assert bool(called) == callable(getattr(Session, name))
