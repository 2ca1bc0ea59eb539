"""A project in a temporary directory, whose commands run in the process of the test."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hookctl.testing.receiver import Receiver


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str
    stdout_bytes: bytes

    def json(self) -> Any:
        """Standard output as JSON. Raises ValueError if it is not JSON."""
        return json.loads(self.stdout)


@dataclass
class Project:
    """A directory with files, and commands of hookctl that run in it.

    Commands see no ``HOOKCTL_*`` variable of the outside, a cache of their own, and the receiver in place of the hosts
    ``siem.example.com`` and ``login.example.com``. Their output goes to pipes, so it has no color.
    """

    root: Path
    receiver: Receiver
    """Answers the requests of the project's webhooks, and records them."""
    plugins: Sequence[object] = ()
    """Modules with hooks that need not be installed."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment variables of every command."""

    def write(self, files: Mapping[str, str]) -> Path:
        """Write files, by their paths in the project. Returns the project's directory."""
        self.root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self.root

    def run(self, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> CommandResult:
        """Run ``hookctl`` with these arguments. ``env`` are variables of this command only."""
        variables = {"XDG_CACHE_HOME": str(self.root.parent / "cache"), **self._network(), **self.env, **(env or {})}
        with registered(self.plugins), pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HOOKCTL_")]:
                patch.delenv(name)
            return run_command(*args, cwd=self.root, env=variables, stdin=stdin)

    def mock_event(self, event_type: str) -> dict[str, Any]:
        """The mock event of an event type, to send with ``run("send", "-", stdin=json.dumps(event))``.

        Raises KeyError if there is no such event type.
        """
        from hookctl.config.events import read_event_types, with_defined
        from hookctl.kit.loading import is_installed
        from hookctl.plugin.host import load_plugins

        plugins = load_plugins([plugin for plugin in self.plugins if not is_installed(plugin)])
        defined = read_event_types(self.root / "webhooks.d", plugins)
        return dict(with_defined(plugins, defined.types).event_types[event_type].mock)

    def _network(self) -> dict[str, str]:
        address = f"{self.receiver.address}:{self.receiver.port}"
        entries = " ".join(f"{host}:443:{address}" for host in self.receiver.connect_to)
        return {"HOOKCTL_CONNECT_TO": entries, "HOOKCTL_CACERT": self.receiver.ca_file}


def run_command(
    *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str = ""
) -> CommandResult:
    """Run hookctl's ``main`` with its own arguments, streams, environment and directory, and put back all of them."""
    from hookctl.cli.main import main

    out, err = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["hookctl", *args])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8", write_through=True))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding="utf-8", write_through=True))
        patch.delenv("SSLKEYLOGFILE", raising=False)  # main takes it out, and here it is put back
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        if cwd is not None:
            patch.chdir(cwd)
        code = _exit_code(main)
        return CommandResult(code, out.getvalue().decode(), err.getvalue().decode(), out.getvalue())


def _exit_code(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


@contextmanager
def registered(plugins: Sequence[object]) -> Iterator[None]:
    """Let hookctl find these modules by entry points meanwhile, as it finds installed ones, which are left out.

    The entry points are those of a distribution ``plugins-under-test`` in a temporary directory.
    """
    from hookctl.kit.loading import is_installed

    new = {str(getattr(one, "__name__", type(one).__name__)): one for one in plugins if not is_installed(one)}
    if not new:
        yield
        return
    with TemporaryDirectory(prefix="hookctl-plugins-") as folder, pytest.MonkeyPatch.context() as patch:
        information = Path(folder, "plugins_under_test-0.dist-info")
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins-under-test\nVersion: 0\n")
        entries = "".join(f"{name} = {name}\n" for name in new)
        (information / "entry_points.txt").write_text(f"[hookctl]\n{entries}", encoding="utf-8")
        for name, module in new.items():
            patch.setitem(sys.modules, name, module)
        patch.setattr(sys, "path", [folder, *sys.path])
        yield
