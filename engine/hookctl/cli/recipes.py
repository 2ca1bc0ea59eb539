"""The recipes of ``hookctl init --recipe``: webhook files for well-known targets.

A recipe is a file in ``recipe_files/``, and its name is the file's. The comment at its head is also what ``init`` and
the documentation say about it, so nothing has to be written twice::

    # Slack: a message in a channel
    #
    # Set:
    #   SLACK_WEBHOOK_PATH
    #     Where to get it. A name in capitals is an environment variable, any other a field of the file.
    #
    # Repeats: what the target makes of a request that it gets twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parent / "recipe_files"
_HEAD = re.compile(r"(?:#.*\n)+")
_SETTING = re.compile(r"^  (?P<name>\S+)\n(?P<where>(?:    .*\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Setting:
    """Something in a recipe that only its user knows."""

    name: str
    """An environment variable, or a field of the file."""
    where: str
    """What to write there, and where to get it, in one line."""

    @property
    def is_secret(self) -> bool:
        """Whether it is an environment variable with a secret."""
        return self.name.isupper()


@dataclass(frozen=True, slots=True)
class Recipe:
    """A webhook for one target."""

    name: str
    """What ``--recipe`` takes."""
    text: str
    """The complete file."""
    target: str
    """The target's name, for people."""
    summary: str
    """What becomes of an event there, in a few words."""
    settings: tuple[Setting, ...]
    repeats: str
    """What the target makes of a request that it gets twice, in one line."""

    @property
    def webhook(self) -> str:
        """The ``name`` in the file."""
        return next(line.removeprefix("name: ") for line in self.text.splitlines() if line.startswith("name: "))


def recipe_names() -> list[str]:
    """The name of each recipe, in order."""
    return sorted(path.stem for path in FILES.glob("*.yaml"))


def recipes() -> Iterator[Recipe]:
    """Each recipe, in the order of their names."""
    return map(read_recipe, recipe_names())


def read_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises FileNotFoundError if there is none."""
    text = (FILES / f"{name}.yaml").read_text(encoding="utf-8")
    head = _HEAD.match(text)
    lines = [line[2:].rstrip() for line in (head[0] if head else "").splitlines()]
    blocks = "\n".join(lines[1:]).strip("\n").split("\n\n")  # the first line is for editors
    target, _, summary = blocks[0].partition(": ")
    settings = tuple(
        Setting(found["name"], _in_one_line(found["where"]))
        for block in blocks
        if block.startswith("Set:\n")
        for found in _SETTING.finditer(f"{block}\n")
    )
    repeats = next((block.removeprefix("Repeats: ") for block in blocks if block.startswith("Repeats: ")), "")
    return Recipe(name, text, target, _in_one_line(summary), settings, _in_one_line(repeats))


def recipe_lines() -> Iterator[str]:
    """One line for each recipe: its name, and what becomes of an event."""
    width = max(map(len, recipe_names())) + 2
    for recipe in recipes():
        yield f"  {recipe.name:{width}}{recipe.summary}"


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
