"""Lists the headers that auth adds to a request, for plans and previews. Reads no secret and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hookctl.errors import PluginError
from hookctl.model import Json, PluginBlock
from hookctl.model.secret import mask
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import AuthType
from hookctl.plugin.raised import text_of


@dataclass(frozen=True, slots=True)
class Added:
    """The headers that a webhook's auth adds, as declared by its plugins."""

    headers: Mapping[str, tuple[str, PluginBlock]]
    """The value, with secrets as ``***``, and the plugin that adds it, by header name."""
    unsaid: tuple[PluginBlock, ...]
    """The blocks whose plugin does not declare its headers, or is not installed."""

    def put_into(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """``headers`` followed by the headers of auth, which replace headers of the same name."""
        names = {name.lower() for name in self.headers}
        kept = tuple((name, value) for name, value in headers if name.lower() not in names)
        return kept + tuple((name, value) for name, (value, _) in self.headers.items())


def added_by(blocks: Iterable[PluginBlock], auth_types: Mapping[str, AuthType]) -> Added:
    """The headers that the blocks of a webhook's ``auth`` add, in order. Raises PluginError when a plugin fails."""
    headers: dict[str, tuple[str, PluginBlock]] = {}
    unsaid: list[PluginBlock] = []
    for block in blocks:
        kind = auth_types.get(block.type)
        if kind is None or kind.adds is None:
            unsaid.append(block)
            continue
        for name, value in _declared(kind.name, kind.adds, block).items():
            for known in [known for known in headers if known.lower() == name.lower()]:
                del headers[known]
            headers[name] = mask(value), block
    return Added(headers, tuple(unsaid))


def _declared(
    name: str, adds: Callable[[Mapping[str, Json]], Mapping[str, str]], block: PluginBlock
) -> Mapping[str, str]:
    try:
        headers = dict(adds(block.settings))
    except PluginError:  # a third-party plugin is contained, so the error names it already
        raise
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise _failed(name, f"{type(error).__name__}: {text_of(error)}") from error
    if not all(isinstance(text, str) for pair in headers.items() for text in pair):
        raise _failed(name, f"it returned {headers!r}, not names and values of headers")
    return headers


def _failed(name: str, how: str) -> PluginError:
    return PluginError(f"the auth {name!r} failed to list what it adds: {how}", hint="Fix or uninstall its plugin.")
