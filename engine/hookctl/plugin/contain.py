"""Wraps all third-party code: a call returns a result, or raises an error that names the plugin.

Only the main thread receives signals, so Ctrl-C must always work there. A call on the main thread therefore runs on a
helper thread of the plugin, for a limited time. This keeps apart a real Ctrl-C and an exception of the plugin that
looks like one.

On any other thread, a call runs directly if it may wait, or if it must share a thread with other calls, as those of an
auth must: attempts have deadlines of their own. Every other call gets a helper thread, so a plugin that hangs does not
block a lane.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import CoroutineType
from typing import Any

from hookctl.errors import HookctlError, PluginError, SameNameError
from hookctl.plugin.raised import on_purpose, runs_no_code, text_of, trace_of

START_SECONDS = 30.0
"""Seconds for an import, a hook, a policy, or one secret that `doctor` reads; these may have much to load."""
CALL_SECONDS = 5.0
"""Seconds for any other call, because deliveries may be waiting for it."""

Tell = Callable[[str, str, frozenset[str]], None]
"""Receives a failure's message, its traceback, and the secrets that the traceback may contain."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A place where hookctl calls a plugin."""

    plugin: str
    """The plugin's name."""
    who: str
    """The part whose code runs, for messages: ``auth hmac of plugin acme``."""
    name: str
    """The function: ``build``."""
    bounded: bool = True
    """Whether the call gets a helper thread and a time limit on every thread, not only on the main thread."""
    at_start: bool = False
    """Whether the call may take :data:`START_SECONDS`."""
    repeats_text: bool = False
    """Whether messages may quote an exception's text, because the code received no secret."""
    errors: tuple[type[HookctlError], ...] = ()
    """What the call may raise on purpose, in addition to ``ON_PURPOSE``; a subclass comes before its base class."""


class BrokenContractError(Exception):
    """A plugin returned something that cannot be used.

    Raised by the checks of this package; its text is safe to show.
    """


def not_async(result: Any) -> Any:
    """What a plugin returned. Raises BrokenContractError, and closes it, if it is a coroutine that nobody awaits."""
    if type(result) is CoroutineType:
        result.close()  # otherwise Python warns that it was never awaited
        raise BrokenContractError("a coroutine, because it is an `async` function; hookctl awaits none")
    return result


class Containment:
    """Calls plugins. There is one for each set of loaded plugins, and it owns their helper threads."""

    def __init__(self, tell: Tell | None = None) -> None:
        """``tell`` receives each failure, for `--debug`. It must mask what it prints."""
        self.secrets: set[str] = set()
        """Every secret that this process has resolved, for masking."""
        self._tell = tell
        self._helpers: dict[tuple[str, int], _Helper] = {}
        """Helper threads by plugin and calling thread, so that a caller never waits for the calls of another."""
        self._hanging: dict[Hook, _Call] = {}

    def call(self, hook: Hook, function: Callable[..., Any], *args: Any, seconds: float = 0.0) -> Any:
        """The result of ``function(*args)``. ``seconds`` are added to the usual time limit.

        Raises the HookctlError that the plugin raised on purpose. Raises PluginError for every other exception, and for
        a call that does not return in time. Ctrl-C is raised where hookctl waits.
        """
        call = _Call(hook, function, args, traces=self._tell is not None)
        if hook.bounded or threading.current_thread() is threading.main_thread():
            self._make_on_helper(call, seconds + (START_SECONDS if hook.at_start else CALL_SECONDS))
        else:
            call.make()
        if call.error is None:
            return call.result
        if self._tell:
            self._tell(call.error.message, call.trace, frozenset(self.secrets.union(call.credentials)))
        raise call.error from call.raised

    def call_here(self, hook: Hook, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As :meth:`call`, but on this thread and without a time limit, for code that depends on its thread."""
        try:
            return not_async(function(*args, **kwargs))
        except BaseException as error:
            if is_interrupt(error):
                raise
            failure = _failure(hook, error)
            if self._tell:
                self._tell(failure.message, trace_of(error), frozenset(self.secrets))
            raise failure from (error if runs_no_code(error) else None)

    def _make_on_helper(self, call: _Call, seconds: float) -> None:
        hook = call.hook
        before = self._hanging.get(hook)
        if before is not None:
            if not before.is_over:
                raise _error(hook, f"an earlier call of {hook.name} has not returned")
            self._hanging.pop(hook, None)
        place = hook.plugin, threading.get_ident()
        helper = self._helpers.get(place)
        if helper is None:
            helper = self._helpers[place] = _Helper(hook.plugin)
        returned = False
        try:
            returned = helper.make(call, seconds)
        finally:
            if not returned:  # must also run after Ctrl-C
                self._hanging[hook] = call
                del self._helpers[place]  # its thread ends when the call does
        if not returned:
            raise _error(hook, f"{hook.name} did not return within {seconds:g} s")


def is_interrupt(error: BaseException) -> bool:
    """True for the exception with which Ctrl-C ends hookctl.

    Every other exception of third-party code counts as a failure of that code.
    """
    return issubclass(type(error), KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


@dataclass(slots=True)
class _Call:
    hook: Hook
    function: Callable[..., Any]
    args: tuple[Any, ...]
    traces: bool = False
    """Whether to format the traceback of a failure."""
    result: Any = None
    error: HookctlError | None = None
    raised: BaseException | None = None
    trace: str = ""
    credentials: frozenset[str] = frozenset()
    """The header values of requests among the arguments."""
    _running: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._running.acquire()

    def make(self) -> None:
        """Make the call. Never raises."""
        try:
            self.result = not_async(self.function(*self.args))
        except BaseException as error:  # noqa: BLE001  # whatever a plugin raises is the plugin's
            self.error = _failure(self.hook, error)
            self.raised = error if runs_no_code(error) else None
            if self.traces:  # here, because formatting may run the plugin's code
                self.trace, self.credentials = trace_of(error), _header_values(self.args)
        finally:
            self._running.release()

    @property
    def is_over(self) -> bool:
        return not self._running.locked()

    def wait(self, seconds: float) -> bool:
        """Wait until the call ends; False if it does not end within ``seconds``.

        A signal handler may raise during the wait.
        """
        return self._running.acquire(timeout=seconds)


class _Helper:
    """A thread that makes one call after another while this object exists."""

    def __init__(self, plugin: str) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        threading.Thread(target=_work, args=(self._calls,), name=f"hookctl-plugin-{plugin}", daemon=True).start()

    def __del__(self) -> None:
        self._calls.put(None)

    def make(self, call: _Call, seconds: float) -> bool:
        self._calls.put(call)
        return call.wait(seconds)


def _work(calls: SimpleQueue[_Call | None]) -> None:
    while (call := calls.get()) is not None:
        call.make()
        del call  # without this, the arguments would stay in memory until the next call


def _failure(hook: Hook, error: BaseException) -> HookctlError:
    """The error to raise for an exception from a plugin. The exception's own methods may raise, too."""
    if not runs_no_code(error):
        return _error(hook, f"{hook.name} raised an exception that cannot be read")
    if type(error) is BrokenContractError:  # a subclass that a plugin defines may contain any text
        return _error(hook, f"{hook.name} returned {text_of(error)}")
    if (type(error) is PluginError or type(error) is SameNameError) and error.plugin == hook.plugin:
        return error  # from hookctl's own code, which registers the plugin in the same call
    if own := on_purpose(error, hook.errors):
        return own
    text = text_of(error) if hook.repeats_text else ""
    return _error(hook, f"{hook.name} raised {type(error).__name__}" + (f": {text}" if text else ""))


def _error(hook: Hook, what: str) -> PluginError:
    hint = "Fix or uninstall the plugin; `hookctl --debug` shows where it fails."
    return PluginError(f"{hook.who}: {what}", hint=hint, plugin=hook.plugin)


def _header_values(args: tuple[Any, ...]) -> frozenset[str]:
    """The header values of requests among the arguments; an auth puts its credentials there."""
    found: set[str] = set()
    with suppress(BaseException):  # a plugin may have put anything into a request
        for arg in args:
            headers = getattr(arg, "headers", None) or {}
            for _, value in headers.items() if hasattr(headers, "items") else headers:
                if isinstance(value, str):
                    found |= {str.__str__(value), str.__str__(value).rpartition(" ")[2]}  # also without the scheme
    return frozenset(found)
