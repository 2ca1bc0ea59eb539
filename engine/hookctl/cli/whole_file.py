"""Files that are written whole or not at all: a reader never sees half of one, and one that cannot be written keeps its old content."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600
"""For its owner alone."""
SHARED = 0o666
"""For whom the umask lets."""


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Put ``text`` in place of what ``path`` held, in UTF-8. A link keeps leading there; a pipe or a device is written to. Raises OSError."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    import secrets  # most commands write no file

    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")  # on the same disk
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
