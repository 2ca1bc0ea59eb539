"""``hookctl plugins new``: writes a complete distribution with a plugin, its tests and its settings for CI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli.command_list import COMMANDS
from hookctl.cli.echo import echo
from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session

FILES = Path(__file__).parent / "plugin_files"
"""The files that every plugin has, and a directory for each kind. ``<name>`` and so on are replaced."""
KINDS: Mapping[str, str] = {
    "auth": "auth",
    "transport": "transport",
    "validator": "validator",
    "secret": "secret source",
    "event_type": "event type",
    "filter": "filter",
    "policy": "policy",
    "observer": "observer",
    "format": "format",
    "command": "command",
}
"""Each kind that the option takes, and its name in messages and in ``Plugins.origins``."""
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
PREFIX = "hookctl-"
LONGEST_NAME = 40
RESERVED = frozenset({"plugins"})
"""Names whose package would be one of hookctl's own."""
NEXT = """
Next:
  cd {distribution}
  python -m venv .venv
  .venv/bin/pip install --editable '.[dev]'
  .venv/bin/pytest                   run its tests
  .venv/bin/mypy                     check its types
  .venv/bin/ruff check               look for mistakes
  .venv/bin/hookctl plugins          see that hookctl finds it

Then change src/{module}/__init__.py, and read `hookctl explain plugins`.
"""
EPILOG = """
\b
Examples:
  hookctl plugins new acme --kind auth          write hookctl-acme/, with an auth that signs bodies
  hookctl plugins new chat --kind event_type    write hookctl-chat/, with an event type
"""


@click.command("new", epilog=EPILOG)
@click.argument("name")
@click.option("--kind", type=click.Choice([*KINDS]), required=True, help="What the plugin adds.")
@click.pass_obj
def new(session: Session, name: str, kind: str) -> None:
    """Write a complete plugin into the new directory hookctl-NAME.

    It installs, passes its tests, type-checks and lints as it is. NAME is also the name of the part that the plugin
    adds, with `_` in place of `-` where a file refers to it.
    """
    base = _checked(name)
    words = _words(base, kind)
    _check_is_free(session, kind, words["part"])
    root = Path(words["distribution"])
    try:
        root.mkdir()
    except FileExistsError:
        raise HookctlError(
            f"{root} exists already", hint="Use another name, or move it away; hookctl overwrites nothing."
        ) from None
    except OSError as error:
        hint = "Run the command in a directory that you can write to."
        raise HookctlError(f"{root} cannot be created: {error.strerror}", hint=hint) from error
    for path, text in sorted(_files(kind, words)):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        echo(f"Created {target}")
    echo(NEXT.format_map(words), nl=False)


def _checked(name: str) -> str:
    """The name without hookctl's prefix. Raises HookctlError if it cannot be the name of a plugin."""
    base = name.removeprefix(PREFIX)
    if not NAME.fullmatch(base) or len(base) > LONGEST_NAME:
        near = re.sub(r"[^a-z0-9]+", "-", base.lower()).strip("-")[:LONGEST_NAME].strip("-")
        meant = f" Did you mean {near!r}?" if NAME.fullmatch(near) else ""
        rule = f"Use up to {LONGEST_NAME} lower-case letters, digits and single hyphens, beginning with a letter."
        raise HookctlError(f"{name!r} cannot be the name of a plugin", hint=f"{rule}{meant}")
    if base in RESERVED or iskeyword(base):
        raise HookctlError(f"the name {base!r} is reserved", hint="Use another name.")
    return base


def _words(base: str, kind: str) -> dict[str, str]:
    """What replaces the placeholders in the files."""
    underscored = base.replace("-", "_")
    return {
        "name": base,
        "distribution": f"{PREFIX}{base}",
        "module": f"hookctl_{underscored}",
        "part": base if kind == "command" else underscored,
        "what": KINDS[kind],
    }


def _check_is_free(session: Session, kind: str, part: str) -> None:
    """Raises HookctlError if hookctl, or an installed plugin, has a part of that name already."""
    from hookctl.report.formats.registry import FORMATS

    own = {"command": COMMANDS, "format": {"text", *FORMATS}}.get(kind, ())
    owner = "hookctl" if part in own else session.plugins.origins.get((KINDS[kind], part))
    if kind == "policy" and not owner:
        from hookctl.config.check.catalog import RULES

        owner = "hookctl" if part in RULES else None
    if owner:
        raise HookctlError(
            f"there is already a {KINDS[kind]} named {part!r}, of {owner}", hint="Use a name that is not taken."
        )


def _files(kind: str, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each file of the distribution: its path and text."""
    package = f"src/{words['module']}"
    usage = (FILES / kind / "usage.md.txt").read_text(encoding="utf-8")
    for source, path in (
        ("pyproject.toml.txt", "pyproject.toml"),
        ("README.md.txt", "README.md"),
        ("gitignore.txt", ".gitignore"),
        (f"{kind}/test.py.txt", f"tests/test_{words['module']}.py"),
        *(
            (f"{kind}/{file.name}", f"{package}/{file.name.removesuffix('.txt')}")
            for file in (FILES / kind).glob("*.py.txt")
            if file.name != "test.py.txt"
        ),
    ):
        yield path, _filled((FILES / source).read_text(encoding="utf-8"), {"usage": usage, **words})
    yield f"{package}/py.typed", ""


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"<{word}>", value)
    return text
