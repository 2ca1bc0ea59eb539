"""The secrets of one delivery plan, resolved during its preparation."""

from __future__ import annotations

from hashlib import sha256
from typing import cast

from hookctl.delivery.attempt.failures import attributed_to, named
from hookctl.delivery.attempt.redact import without_scheme
from hookctl.errors import SecretError
from hookctl.model import DeliveryPlan, Json, PluginBlock, SecretReference
from hookctl.model.secret import plan_references, resolve_all
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import Settings


def secrets_digest(plan: DeliveryPlan, secrets: Secrets) -> bytes:
    """A digest of all secrets that a delivery of ``plan`` resolves, to notice changes; empty if there are none.

    Not keyed, so never to be written. May block. Raises SecretError or AttemptFailedError.
    """
    found = sorted({(one.scheme, one.key, secrets.text(one)) for one in plan_references(plan)})
    return sha256(repr(found).encode(errors="surrogatepass")).digest() if found else b""


class Secrets:
    """Resolves each reference once, and remembers the secrets."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self.resolved: dict[SecretReference, str] = {}

    def text(self, reference: SecretReference) -> str:
        """The secret for a reference. May block. Raises SecretError or AttemptFailedError."""
        if reference not in self.resolved:
            source = self._plugins.secret_sources.get(reference.scheme)
            if source is None:
                raise SecretError(f"no plugin resolves {reference}", hint="Install the plugin that adds the scheme.")
            with attributed_to(named(self._plugins, "secret source", reference.scheme)):
                secret = source.resolve(reference.key)
                if not isinstance(secret, str):
                    raise TypeError("a secret source must return text")
            self.resolved[reference] = secret
        return self.resolved[reference]

    def known(self) -> set[str]:
        """The texts to mask: each secret, complete and without its authentication scheme."""
        return {form for secret in self.resolved.values() for form in (secret, without_scheme(secret))}

    def settings(self, block: PluginBlock) -> Settings:
        """The settings of a plugin with references replaced by secrets. Raises AttemptFailedError."""
        with attributed_to("a secret"):
            return cast("dict[str, Json]", resolve_all(dict(block.settings), self.text))  # type: ignore[return-value]

    def value(self, reference: SecretReference) -> str:
        """As :meth:`text`, for literal text of a URL, a header or a body. Raises AttemptFailedError."""
        with attributed_to("a secret"):
            secret = self.text(reference)
            try:
                secret.encode()
            except UnicodeEncodeError:
                raise SecretError(f"{reference} is not valid Unicode text") from None
        return secret
