"""``${file:PATH}``: the text of a file, as container platforms mount secrets."""

from __future__ import annotations

import os
import stat

from hookctl.errors import LocalError, SecretError
from hookctl.network.shortage import HINT, shortage_of

MAX_BYTES = 64 * 1024
"""The maximum size in bytes: larger than any credential, but a wrong path cannot fill the memory."""


def read_file(path: str) -> str:
    """The text of a regular file without its last line break. A relative path starts at the working directory.

    Raises:
        SecretError: The file cannot be read, is not a regular file, is empty, is too large, or is not UTF-8 text.
        LocalError: This machine has no file descriptor or memory left to read it.
    """
    try:
        content = _read_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a path that contains NUL
        if lack := shortage_of(error):
            raise LocalError(f"the secret file {path} cannot be read: {lack}", hint=HINT) from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretError(
            f"the secret file {path} cannot be read: {reason}",
            hint=f"Check the path in ${{file:{path}}} and its permissions.",
        ) from None
    if content is None:
        raise SecretError(
            f"the secret file {path} is not a regular file",
            hint=f"Name a file that contains the secret in ${{file:{path}}}.",
        )
    if len(content) > MAX_BYTES:
        raise SecretError(
            f"the secret file {path} is larger than {MAX_BYTES} bytes", hint="Check the path: secrets are short."
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(
            f"the secret file {path} is not UTF-8 text", hint="Write the secret as text, for example in Base64."
        ) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise SecretError(f"the secret file {path} is empty", hint="Write the secret into it.")
    return text


def _read_regular(path: str) -> bytes | None:
    """At most one byte more than a secret may have; None for a directory, a pipe or a device."""
    # Without O_NONBLOCK, opening a pipe without a writer would wait forever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
