"""Calls the code of plugins, and turns an exception into a finding so that the other checks still run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hookctl.config.check.notes import Notes
from hookctl.errors import PluginError
from hookctl.model import Pointer
from hookctl.model.rules.fields import PLUGIN_FAILED
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import text_of

T = TypeVar("T")


def guarded(
    notes: Notes, plugins: Plugins, pointer: Pointer, thing: tuple[str, str], call: Callable[[], T]
) -> T | None:
    """The result of ``call``; if it raises, None, and ``notes`` gets a finding.

    ``thing`` is the kind and name of what ``call`` runs, as in ``Plugins.origins``.
    """
    try:
        return call()
    except PluginError as error:  # from third-party code, and the message names it
        message = error.message
    except BaseException as error:
        if is_interrupt(error):
            raise
        kind, name = thing
        provider = plugins.origins.get(thing, "(unknown)")
        message = f"the plugin {provider} failed on the {kind} {name!r}: {type(error).__name__}: {text_of(error)}"
    notes.add(PLUGIN_FAILED, pointer, at_key=True, what=message)
    return None
