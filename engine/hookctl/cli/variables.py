"""The environment variables that hookctl reads, to find misspelled ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from hookctl.cli.formats import FormatOption

PREFIX = "HOOKCTL_"
PLAN_KEY = "HOOKCTL_PLAN_KEY"
"""The variable that the documentation uses for the key of saved plans. It is a secret, so no option reads it."""


def unknown_variables(ctx: click.Context, names: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each of ``names`` that begins with ``HOOKCTL_`` and sets no option, with the names that it may be meant for."""
    from hookctl.model.nearest import nearest

    root = ctx.find_root()
    known: set[str] = set()
    for name in sorted(name for name in names if name.startswith(PREFIX) and name != PLAN_KEY):
        known = known or {*_variables(root.command, root, PREFIX.rstrip("_"))}
        if name not in known:
            yield name, nearest(name, sorted(known), alike=0.8)[:1]


def _variables(command: click.Command, ctx: click.Context, prefix: str) -> Iterator[str]:
    """The variables of a command's options, and of the commands in it."""
    for option in command.params:
        if isinstance(option, click.Option):
            name = "format" if isinstance(option, FormatOption) else option.name or ""
            yield f"{prefix}_{name.upper()}"
            if isinstance(option.envvar, str):
                yield option.envvar
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            if inner is not None:
                yield from _variables(inner, ctx, f"{prefix}_{name.upper().replace('-', '_')}")
