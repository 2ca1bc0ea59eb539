"""``${file:PATH}``: the text of a file, as container platforms mount secrets."""

from __future__ import annotations

import os
import stat

from hookctl.errors import LocalError, SecretError
from hookctl.network.shortage import HINT, shortage_of

MAX_BYTES = 64 * 1024
"""Larger than any credential; a wrong path must not fill the memory."""


def read_file(path: str) -> str:
    """The text of a regular file without its last line break; a relative path counts from the working directory.

    Raises:
        SecretError: it cannot be read, is not a regular file, is empty, is too large or is not UTF-8 text.
        LocalError: this machine has no file descriptor or memory left to read it with.
    """
    try:
        content = _read_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        if lack := shortage_of(error):
            raise LocalError(f"the secret file {path} cannot be read: {lack}", hint=HINT) from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretError(
            f"the secret file {path} cannot be read: {reason}",
            hint=f"Check the path in ${{file:{path}}} and who may read it.",
        ) from None
    if content is None:
        raise SecretError(
            f"the secret file {path} is not a regular file",
            hint=f"Name a file that contains the secret in ${{file:{path}}}.",
        )
    if len(content) > MAX_BYTES:
        raise SecretError(
            f"the secret file {path} is larger than {MAX_BYTES} bytes", hint="A secret is short: check the path."
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(
            f"the secret file {path} is not UTF-8 text", hint="Write the secret as text, in Base64 for instance."
        ) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise SecretError(f"the secret file {path} is empty", hint="Write the secret into it.")
    return text


def _read_regular(path: str) -> bytes | None:
    """At most one byte more than a secret may have; None for a directory, a pipe or a device."""
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
