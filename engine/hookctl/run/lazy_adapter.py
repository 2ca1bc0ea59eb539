"""The adapter that auth plugins send with: built when one sends for the first time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter


class LazyAdapter(BaseAdapter):
    """Stands for the adapter that ``build`` makes; most auths never send anything."""

    def __init__(self, build: Callable[[], BaseAdapter]) -> None:
        super().__init__()
        self._build = build
        self._adapter: BaseAdapter | None = None
        self._lock = Lock()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send as the adapter behind does."""
        with self._lock:
            if self._adapter is None:
                self._adapter = self._build()
            adapter = self._adapter
        return adapter.send(request, *args, **kwargs)

    def close(self) -> None:
        """Close the adapter behind, if there is one; a later request gets another."""
        with self._lock:
            adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.close()
