"""Names of workers, which tell whether a process on this machine is alive.

A worker whose connection is lost may still be sending, so its claims stay its own until its lease ends. Only a process
that has certainly ended, because it was one of this machine, loses them at once.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path


def new_name() -> str:
    """A name for a worker of this process: where it runs, its number, when it started, and a random part."""
    return f"{_place()}.{os.getpid()}.{_started(os.getpid())}.{secrets.token_hex(4)}"


def has_ended(name: str) -> bool:
    """Whether the process of a worker ran here, as far as process numbers mean the same, and has ended."""
    place, _, rest = name.partition(".")
    pid, _, rest = rest.partition(".")
    started = rest.partition(".")[0]
    if place != _place() or not pid.isdecimal() or not started:
        return False
    return _started(int(pid)) != started


def _place() -> str:
    """A digest of the machine's boot and of the namespace of its process numbers; random if they cannot be read."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - what it is, not a path
    except OSError:
        return secrets.token_hex(6)
    return hashlib.sha256(f"{boot}{space}".encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """When the process with this number started, in ticks since the boot; empty if there is none."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in {"Z", "X"} else fields[19]
    return ""
