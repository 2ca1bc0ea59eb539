"""The ``hookctl`` command: finds the command asked for and imports only that one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from hookctl.cli import exit_codes
from hookctl.cli.command_list import COMMANDS
from hookctl.cli.completion import complete, is_completing
from hookctl.cli.echo import echo
from hookctl.cli.failure import refuse_unreadable_text, report_click, report_error
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.streams import open_streams
from hookctl.errors import HookctlError, OutputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hookctl.plugin.calls import Plugins

EPILOG = """
\b
Examples:
  hookctl init                       start in an empty directory
  hookctl plan                       review what would change
  hookctl apply --auto-approve       apply it without a prompt, in CI
  hookctl test SiemAnomalies         send a mock event now
  hookctl send events.jsonl          deliver the events in a file
"""


EXPECTED = (click.ClickException, click.Abort, click.exceptions.Exit, KeyboardInterrupt, SystemExit, BrokenPipeError)
"""How a command may end, apart from hookctl's own errors."""
TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
"""Values of an environment variable that turn a flag on, as click reads them."""
_LOADED = "hookctl.plugins"
_USED = (("directory", "DIR"), ("config", "CONFIG"))
"""The options that decide which plugins there are, with their variables, which `--help` comes before."""


class LazyGroup(SuggestingGroup):
    """A group that imports a command when it runs, and not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands in the order in which they are used, then those of plugins."""
        plugins = _plugins(ctx)
        return [*COMMANDS, *sorted(plugins.commands if plugins else ())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None when there is none."""
        if cmd_name in COMMANDS:
            module = import_module(f"hookctl.cli.commands.{cmd_name}")
            command: click.Command = module.command
            return command
        plugins = _plugins(ctx)
        return plugins.commands.get(cmd_name) if plugins else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises HookctlError for an unexpected exception: a plugin's command failed, or hookctl has a bug.
        """
        try:
            return super().invoke(ctx)
        except (*EXPECTED, HookctlError) as error:
            is_own = ctx.invoked_subcommand in COMMANDS
            if is_own or not isinstance(error, click.ClickException) or _can_be_shown(error):
                raise
            raise _failed(ctx, error) from error
        except BaseException as error:
            if ctx.invoked_subcommand in COMMANDS and isinstance(error, OSError | MemoryError):
                raise  # the system is at fault: report_error shows its reason
            raise _failed(ctx, error) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without importing a built-in one."""
        with formatter.section("Commands"):
            formatter.write_dl(_summaries(ctx))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands that begin so, without importing a built-in one, and the options as click proposes them."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=text) for name, text in _summaries(ctx) if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]


def _failed(ctx: click.Context, error: BaseException) -> HookctlError:
    """The error to end with after an unexpected exception."""
    from hookctl.cli.debugging import unexpected

    name = ctx.invoked_subcommand or ""
    plugins = None if name in COMMANDS else _plugins(ctx)
    return unexpected(ctx.obj, error, name, plugins, debug=bool(ctx.params.get("debug")))


def _can_be_shown(error: click.ClickException) -> bool:
    """Whether an error of a plugin's command can be printed: click asks it, and its command, for the text."""
    try:
        error.format_message()
        context = getattr(error, "ctx", None)
        if context is not None:
            context.get_usage()
    except BaseException:  # noqa: BLE001  # it is the plugin's code
        return False
    return True


def _summaries(ctx: click.Context) -> list[tuple[str, str]]:
    """Each command and its line of help."""
    plugins = _plugins(ctx)
    added = [(name, plugins.short_help(name)) for name in sorted(plugins.commands)] if plugins else []
    return [*COMMANDS.items(), *added]


def _plugins(ctx: click.Context) -> Plugins | None:
    """Every plugin, loaded once for the context; None if only built-in ones exist, which add no commands."""
    if _LOADED not in ctx.meta:
        from hookctl.cli.session import open_session

        given: dict[str, str | None] = {
            name: ctx.params.get(name) or os.environ.get(f"HOOKCTL_{variable}") for name, variable in _USED
        }
        debug = bool(ctx.params.get("debug")) or os.environ.get("HOOKCTL_DEBUG", "").lower() in TRUE
        try:
            session = open_session(
                directory=given["directory"], config=given["config"], store=None, color="never", debug=debug
            )
        except HookctlError:
            return None  # there is no working directory, which the command itself reports
        session.tolerant = True
        if not session.may_have_plugins():
            return None
        ctx.meta[_LOADED] = session.loaded
    plugins: Plugins = ctx.meta[_LOADED]
    return plugins


def _variables(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> Mapping[str, str]:
    if not given:
        return {}
    from hookctl.cli.environment import read_variables

    try:
        return read_variables(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "HOOKCTL"},
)
@click.option(
    "--dir",
    "directory",
    metavar="DIR",
    envvar="HOOKCTL_DIR",
    help="The directory of the webhook files.  [default: webhooks.d]",
)
@click.option(
    "--store",
    metavar="URL",
    envvar="HOOKCTL_STORE",
    help="Where applied state and deliveries are stored.  [default: sqlite:///.hookctl/hookctl.db]",
)
@click.option(
    "--environment",
    metavar="NAME",
    envvar="HOOKCTL_ENVIRONMENT",
    help="The environment in hookctl.toml, which has its own state and variables.",
)
@click.option(
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    envvar="HOOKCTL_VAR",
    callback=_variables,
    help="The value for ${var:NAME} in webhook files; can be given several times.",
)
@click.option(
    "--config",
    metavar="FILE",
    envvar="HOOKCTL_CONFIG",
    help="The settings of this machine.  [default: hookctl.toml, if it exists]",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    envvar="HOOKCTL_COLOR",
    show_default=True,
    help="Color the output; NO_COLOR is respected.",
)
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    envvar="HOOKCTL_DEBUG",
    help="Show tracebacks of plugins and of hookctl, with secrets masked.",
)
@click.version_option(package_name="hookctl")
@click.pass_context
def hookctl(
    ctx: click.Context,
    *,
    directory: str | None,
    store: str | None,
    environment: str | None,
    variables: Mapping[str, str],
    config: str | None,
    color: str,
    debug: bool,
) -> None:
    """Outbound webhooks as code: write them in YAML, review the plan, apply it, deliver every event."""
    from hookctl.cli.session import open_session

    ctx.obj = open_session(
        directory=directory,
        store=store,
        config=config,
        color=color,
        debug=debug,
        environment=environment,
        variables=variables,
    )
    ctx.call_on_close(ctx.obj.close)
    if _LOADED in ctx.meta:
        ctx.obj.loaded = ctx.meta[_LOADED]


def main() -> None:
    """Run the command line; the console script. Exit codes as in ``hookctl.cli.exit_codes``."""
    os.environ.pop("SSLKEYLOGFILE", None)  # no transport, not even a plugin's, may write TLS session keys
    try:
        open_streams()
    except OutputError as error:
        sys.exit(report_error(error))
    sys.exit(complete(hookctl) if is_completing() else _exit_code())


def _exit_code() -> int:
    """Run the command. Whatever ends it becomes a message and an exit code."""
    try:
        refuse_unreadable_text()
        code = hookctl.main(standalone_mode=False)  # what a command passed to ctx.exit, or its return value
        sys.stdout.flush()
        return code if isinstance(code, int) else exit_codes.OK
    except click.ClickException as error:
        return report_click(error)
    except (click.Abort, KeyboardInterrupt):
        echo("Interrupted.", err=True)
        return exit_codes.INTERRUPTED
    except OutputError as error:
        if error.reader_left:
            return exit_codes.BROKEN_PIPE  # without a message, as other programs in a pipe end
        return report_error(error)
    except Exception as error:  # noqa: BLE001 - the one place where an unexpected exception becomes a message
        return report_error(error, debug=bool(os.environ.get("HOOKCTL_DEBUG")))
