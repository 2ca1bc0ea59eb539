"""Calls plugins' code so that one that raises is a finding, and the other findings are still made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hookctl.config.check.notes import Notes
from hookctl.errors import PluginError
from hookctl.model import Pointer
from hookctl.model.rules.fields import PLUGIN_FAILED
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import is_interrupt, text_of

T = TypeVar("T")


def guarded(
    notes: Notes, plugins: Plugins, pointer: Pointer, thing: tuple[str, str], call: Callable[[], T]
) -> T | None:
    """What ``call`` returns; None, and a finding, when it raises.

    ``thing`` is the kind and the name of the plugin's part that ``call`` runs, as in ``Plugins.origins``.
    """
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
    notes.add(PLUGIN_FAILED, pointer, at_key=True, what=message)
    return None
