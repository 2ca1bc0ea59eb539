"""Lists what auth adds to a request, for plans and previews. Reads no secret and sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from hookctl.errors import PluginError
from hookctl.model import Json, PluginBlock
from hookctl.model.secret import mask
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.interfaces import AuthType
from hookctl.plugin.raised import text_of


@dataclass(frozen=True, slots=True)
class Added:
    """The headers and parameters that a webhook's auth adds, as declared by its plugins."""

    headers: Mapping[str, tuple[str, PluginBlock]]
    """The value, with secrets as ``***``, and the plugin that adds it, by header name."""
    query: tuple[tuple[str, str, PluginBlock], ...]
    """Parameters of the URL: the name, the value with secrets as ``***``, and the plugin that adds it."""
    unsaid: tuple[PluginBlock, ...]
    """The blocks whose plugin does not declare what it adds, or is not installed."""

    def put_into(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """``headers`` followed by the headers of auth, which replace headers of the same name."""
        names = {name.lower() for name in self.headers}
        kept = tuple((name, value) for name, value in headers if name.lower() not in names)
        return kept + tuple((name, value) for name, (value, _) in self.headers.items())

    def put_into_url(self, url: str) -> str:
        """``url`` with the parameters of auth after its query. Asterisks are not escaped, so ``***`` stays readable."""
        added = "&".join(f"{quote(name, safe='*')}={quote(value, safe='*')}" for name, value, _ in self.query)
        return f"{url}{'&' if '?' in url else '?'}{added}" if added else url


def added_by(blocks: Iterable[PluginBlock], auth_types: Mapping[str, AuthType]) -> Added:
    """What the blocks of a webhook's ``auth`` add, in order. Raises PluginError when a plugin fails."""
    headers: dict[str, tuple[str, PluginBlock]] = {}
    query: list[tuple[str, str, PluginBlock]] = []
    unsaid: list[PluginBlock] = []
    for block in blocks:
        kind = auth_types.get(block.type)
        if kind is None or (kind.adds is None and kind.adds_query is None):
            unsaid.append(block)
            continue
        if kind.adds_query is not None:
            declared = _declared(kind.name, kind.adds_query, block)
            query += [(name, mask(value), block) for name, value in declared.items()]
        for name, value in (_declared(kind.name, kind.adds, block) if kind.adds else {}).items():
            for known in [known for known in headers if known.lower() == name.lower()]:
                del headers[known]
            headers[name] = mask(value), block
    return Added(headers, tuple(query), tuple(unsaid))


def _declared(
    name: str, adds: Callable[[Mapping[str, Json]], Mapping[str, str]], block: PluginBlock
) -> Mapping[str, str]:
    try:
        added = dict(adds(block.settings))
    except PluginError:  # a third-party plugin is contained, so the error names it already
        raise
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise _failed(name, f"{type(error).__name__}: {text_of(error)}") from error
    if not all(isinstance(text, str) for pair in added.items() for text in pair):
        raise _failed(name, f"it returned {added!r}, not names and values")
    return added


def _failed(name: str, how: str) -> PluginError:
    return PluginError(f"the auth {name!r} failed to list what it adds: {how}", hint="Fix or uninstall its plugin.")
