"""``hookctl init``: creates a new user's first files, or adds a webhook from a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli.completion import names_in_files
from hookctl.cli.echo import echo
from hookctl.cli.recipes import read_recipe, recipe_lines, recipe_names
from hookctl.cli.session import DIRECTORY, Session
from hookctl.cli.settings_file import NAME
from hookctl.errors import FileError, HookctlError
from hookctl.files import SHARED, make_directory, read_file, write_file
from hookctl.model.nearest import nearest
from hookctl.schema_files import schema_path

if TYPE_CHECKING:
    from hookctl.cli.recipes import Recipe

FIRST_FILES = Path(__file__).parent / "first_files"
SCHEMA = "webhook.schema.json"
WORKFLOW = Path(".github/workflows/webhooks.yaml")
IGNORED = ".hookctl/"
MAX_IGNORE_BYTES = 1024 * 1024
NOT_WRITTEN = "Run `hookctl init` in a directory that you can write to."
UNNAMED = "?"
"""The recipe of ``--recipe`` without a name: no recipe can have it."""

EPILOG = f"""
\b
Examples:
  hookctl init                 in the root of a new or an existing repository
  hookctl --dir hooks init     put the webhook files in hooks/
  hookctl init --recipe slack  begin with, or add, a webhook for Slack

\b
Recipes:
{chr(10).join(recipe_lines())}
"""

NEXT = """
Next:
  hookctl validate                   check the file
  hookctl plan                       review what would change
  hookctl apply                      apply it
  hookctl listen                     in another terminal: run a receiver on this machine
"""
EXPORT = """\
  export FIRST_WEBHOOK_TOKEN=test    set the secret that first.yaml refers to
"""
TEST = """\
  hookctl test                       send a mock event; add the options that listen prints
"""
DELIVER = (
    ("hookctl send events.jsonl", "deliver the events in a file"),
    ("hookctl serve", "or take in events over HTTP, deliver them, and show both"),
)
"""How deliveries begin, once a webhook is applied."""


class _RecipeName(click.Choice[str]):
    """The name of a recipe. For any other, the error lists all recipes."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name. Raises click.BadParameter if there is no such recipe."""
        if value in self.choices:
            return value
        near = nearest(value, self.choices)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        what = "name one of these" if value == UNNAMED else f"there is no recipe {value!r}.{meant} These are all"
        return self.fail("\n".join([f"{what}:", *recipe_lines()]), param, ctx)


@click.command("init", epilog=EPILOG)
@click.option(
    "--recipe",
    metavar="NAME",
    is_flag=False,
    flag_value=UNNAMED,
    type=_RecipeName(recipe_names()),
    help="Write a webhook for this target, as DIR/NAME.yaml: see below.",
)
@click.pass_obj
def command(session: Session, recipe: str | None) -> None:
    """Create a first webhooks.d/, hookctl.toml and CI workflow.

    With --recipe, the first webhook is one for a well-known target: with its request, limits, signs of errors, and
    what to set. In a directory that has webhook files, only this webhook is added. Existing files are not overwritten.
    """
    chosen = read_recipe(recipe) if recipe else None
    if chosen:
        _check_is_free(session, chosen)
    done = list(_write_all(session.directory, chosen))  # before any output: a closed pipe does not stop it half-way
    for line in done:
        echo(line)
    if chosen:
        _say_what_is_next(chosen, session.directory / f"{chosen.name}.yaml")
    else:
        has_example = any(line.endswith("first.yaml") for line in done)
        deliver = "\n".join(f"  {step:35}{what}" for step, what in DELIVER)
        echo(f"{NEXT}{EXPORT if has_example else ''}{TEST}{deliver}")


def _check_is_free(session: Session, recipe: Recipe) -> None:
    """Raises HookctlError if the recipe's file exists, or another file has a webhook with its name."""
    path = session.directory / f"{recipe.name}.yaml"
    if os.path.lexists(path):
        hint = "Nothing was written. Move the file away or rename it, and run the command again."
        raise HookctlError(f"{path} already exists, and is not overwritten", hint=hint)
    if recipe.webhook.casefold() in {name.casefold() for name in names_in_files(session)}:
        hint = "Nothing was written. Give that webhook another name, and run the command again."
        raise HookctlError(f"{session.directory}/ already has a webhook with the name {recipe.webhook!r}", hint=hint)


def _write_all(directory: Path, recipe: Recipe | None) -> Iterator[str]:
    """Write each file that is missing. Yields a line for each file that says what was done."""
    schema = schema_path(SCHEMA).read_text(encoding="utf-8")
    is_new = not any(directory.glob("**/*.y*ml"))
    if recipe:
        yield _write(directory / f"{recipe.name}.yaml", recipe.text)
        yield _write(directory / SCHEMA, schema)
        if not is_new:
            return
    elif is_new:
        yield _write(directory / "first.yaml", _first("webhook.yaml"))
        yield _write(directory / SCHEMA, schema)
    else:
        yield f"Kept   {directory}/, which already has webhook files"
    settings = _first("hookctl.toml")
    workflow = _first("workflow.yaml")
    if directory != Path(DIRECTORY):
        settings = settings.replace(f'# dir = "{DIRECTORY}"', f'dir = "{directory.as_posix()}"')
        workflow = workflow.replace(f"{DIRECTORY}/", f"{directory.as_posix()}/")
        workflow = workflow.replace('"events.d/', f'"{(directory.parent / "events.d").as_posix()}/')
    yield _write(Path(NAME), settings)
    yield _write(WORKFLOW, workflow)
    yield _ignore(Path(".gitignore"))


def _say_what_is_next(recipe: Recipe, path: Path) -> None:
    echo(f"\n{recipe.target}: {recipe.summary}. Set in {path}, and in the environment in which hookctl sends:")
    for setting in recipe.settings:
        echo(f"  {setting.name}{'' if setting.is_secret else ':'}\n    {setting.where}")
    echo(f"\n{recipe.repeats}")
    secrets = [setting.name for setting in recipe.settings if setting.is_secret]
    test = f'hookctl test "{recipe.webhook}"' if " " in recipe.webhook else f"hookctl test {recipe.webhook}"
    steps = [
        ("hookctl plan", "review the request and what would change"),
        *((f"export {name}=...", "") for name in secrets),
        (test, "send the mock event to the target"),
        ("hookctl apply", "apply it"),
        *DELIVER,
    ]
    width = max(len(step) for step, _ in steps) + 4
    echo("\n".join(["\nNext:", *(f"  {step:{width}}{what}".rstrip() for step, what in steps)]))


def _first(name: str) -> str:
    return (FIRST_FILES / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> str:
    if os.path.lexists(path):
        return f"Kept   {path}, which already exists"
    try:
        make_directory(path.parent)
        write_file(path, text, mode=SHARED)
    except FileError as error:
        raise HookctlError(f"{path} cannot be written: {error.message}", hint=NOT_WRITTEN) from error
    return f"Wrote  {path}"


def _ignore(path: Path) -> str:
    """Make git ignore the store, which contains what was sent and changes with every delivery."""
    try:
        text = read_file(path, Path(), limit=MAX_IGNORE_BYTES).decode() if os.path.lexists(path) else ""
        if IGNORED in text.splitlines():
            return f"Kept   {path}, which already lists {IGNORED}"
        gap = "\n" if text and not text.endswith("\n") else ""
        write_file(path, f"{text}{gap}{IGNORED}\n", mode=SHARED)
    except (FileError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, FileError) else "it is not UTF-8 text"
        raise HookctlError(f"{path} cannot be changed: {reason}", hint=f"Add {IGNORED} to it yourself.") from error
    return f"Added  {IGNORED} to {path}"
