"""Groups of commands that suggest a command for a misspelled one."""

from __future__ import annotations

import click

INSTEAD = {
    "completion": "Shell completion: `hookctl explain cli`.",
    "help": "`hookctl --help` lists the commands.",
}
"""What to do instead of commands that other programs have, by name."""


class SuggestingGroup(click.Group):
    """A group that answers an unknown command with the most similar one, as click does for options."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The name, the command and the arguments after it. Raises click.UsageError for an unknown command."""
        name = args[0]
        is_option = name[:1] == "-"  # click reports it, or obeys a --help
        if not is_option and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            from difflib import get_close_matches

            near = get_close_matches(name.lower(), self.list_commands(ctx), n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            if ctx.parent is None and name in INSTEAD:
                meant = f" {INSTEAD[name]}"
            raise click.UsageError(f"No such command {name!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)
