"""Calls plugins' code so that one that raises is a finding, and the other findings are still made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hookctl.config.check.notes import Notes
from hookctl.errors import PluginError
from hookctl.model import Pointer
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt, text_of

T = TypeVar("T")


def guarded(
    notes: Notes, plugins: Plugins, pointer: Pointer, thing: tuple[str, str], call: Callable[[], T]
) -> T | None:
    """What ``call`` gives, which runs code behind ``thing``, a kind and a name as in ``Plugins.origins``; None, and a finding, when it raises."""
    try:
        return call()
    except PluginError as error:  # a third party's: the message names it
        message = error.message
    except BaseException as error:
        if is_interrupt(error):
            raise
        kind, name = thing
        provider = plugins.origins.get(thing, "that it comes from")
        message = f"the plugin {provider} failed on the {kind} {name!r}: {type(error).__name__}: {text_of(error)}"
    notes.add("plugin-failed", message, "Update or uninstall the plugin, or tell its author.", pointer, at_key=True)
    return None
