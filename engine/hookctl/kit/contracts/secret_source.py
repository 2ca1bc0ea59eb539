"""The contract of a secret source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from hookctl.errors import SecretError
from hookctl.kit.contracts.conduct import NETWORK, THREADS, WAITING, at_once, watched
from hookctl.kit.contracts.part import CONTROL, PartContract

STRANGE = ("", " ", "/", "../../x", "a" * 10_000, "\x00", "\u00e9\u20ac", "%00", "a;b|c")
"""Keys that a webhook file could contain, or nearly; none of them is the key of a secret."""


class SecretSourceContract(PartContract):
    """The tests of a secret source. Set ``name`` to its scheme, ``known`` and ``unknown``.

    Prepare what it reads in an autouse fixture of your class, such as a variable or a server.
    """

    hook = "hookctl_secret_sources"
    what = "secret source"
    known: ClassVar[Mapping[str, str]]
    """Secrets by key; at least one."""
    unknown: ClassVar[Sequence[str]]
    """Keys without a secret; at least one."""

    def test_it_resolves(self) -> None:
        """Each key in ``known`` has its secret, each time."""
        assert self.known, "list at least one key with its secret in `known`"
        for key, secret in self.known.items():
            for _ in range(2):
                found = self.part.resolve(key)
                assert isinstance(found, str), f"resolve({key!r}) returned {type(found).__name__}, not text"
                assert found == secret, f"resolve({key!r}) returned another text than `known` says"

    def test_unknown_keys_are_refused(self) -> None:
        """A key without a secret is a SecretError, whose hint says what to do."""
        assert self.unknown, "list at least one key without a secret in `unknown`"
        for key in self.unknown:
            error = self._refusal(key)
            assert error is not None, f"resolve({key!r}) returned a text, but `unknown` lists the key"
            assert error.hint, f"the SecretError about {key!r} has no hint; say what to do"
            assert not CONTROL.search(error.message), f"the message has control characters: {error.message!r}"

    def test_strange_keys_are_refused(self) -> None:
        """A key that cannot exist is a SecretError, and no other exception."""
        for key in STRANGE:
            self._refusal(key)

    def test_errors_contain_no_secret(self) -> None:
        """No error repeats a secret of another key."""
        for key in (*self.unknown, *STRANGE):
            error = self._refusal(key)
            text = f"{error} {error.hint}" if error else ""
            assert not [secret for secret in self.known.values() if secret in text], (
                f"the error about {key!r} contains a secret"
            )

    def test_description_contains_no_secret(self) -> None:
        """What a description shows is in `hookctl plugins`."""
        shown = repr(self.part)
        assert not [secret for secret in self.known.values() if secret in shown], "its description shows a secret"

    def test_blocking_is_declared(self) -> None:
        """With ``blocking=False`` the source runs on the runner's thread: it needs no disk, network or process."""
        if self.part.blocking:
            return
        for key in self.known:
            self.part.resolve(key)  # what it imports is not counted
            with watched((*NETWORK, *WAITING)) as called:
                self._refusal(key)
            assert not called, f"it declares blocking=False, but calls {called[0]}"

    def test_threads_may_share_it(self) -> None:
        """Several threads ask for secrets at the same time."""
        keys = [*self.known] * THREADS
        found = at_once([partial(self.part.resolve, key) for key in keys])
        assert found == [self.known[key] for key in keys], "threads that ask at the same time get other secrets"

    def _refusal(self, key: str) -> SecretError | None:
        """The error about a key; None if there is a secret. Raises AssertionError for any other exception."""
        try:
            self.part.resolve(key)
        except SecretError as error:
            return error
        except Exception as error:  # noqa: BLE001  # whatever it is, hookctl reports a failure of the plugin
            raise AssertionError(f"resolve({key[:40]!r}) raises {type(error).__name__}; raise SecretError") from None
        return None
