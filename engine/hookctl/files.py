"""Opens every file whose path the content of a repository can influence.

The author of a repository can put anything at a path: a link to another file of this machine, a pipe, a device, or an
endless file. hookctl therefore reads only regular files of a limited size that are inside a directory after all links
are resolved, and never writes through a link.

There are two kinds of paths: paths inside a ``root`` (:func:`resolve`), and paths from the person who runs hookctl
(:func:`resolve_given`). A relative path of the second kind must stay in the working directory, which may be a checkout.
A path that is absolute, or begins with ``..``, is used as it is.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from hookctl.errors import FileError, FileMissingError, FileOutsideError, FileTooLargeError

PRIVATE = 0o600
"""Readable only by its owner."""
SHARED = 0o666
"""Readable by everyone, as far as the umask allows."""
_BLOCK = 8192
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
"""Avoids waiting for a writer if a pipe replaces the file at the last moment."""
_DATABASE = b"SQLite format 3\0"
"""How a store begins."""
_STREAM = re.compile(r"/dev/(?:(stdout)|(stderr)|fd/(\d{1,4}))|/proc/self/fd/(\d{1,4})")


def read_file(path: str | Path, root: str | Path, *, limit: int) -> bytes:
    """The content of a regular file inside ``root``, at most ``limit`` bytes. Raises FileError."""
    return read_plain(resolve(path, root), limit)


def read_given(path: str | Path, *, limit: int) -> bytes:
    """The content of a file that the user named, at most ``limit`` bytes. It may be a pipe. Raises FileError."""
    with open_given(path) as file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise _error(error) from error
    return _within(data, limit)


def open_given(path: str | Path) -> BinaryIO:
    """A file that the user named, open for reading. Raises FileError."""
    try:
        if _is_whole(path):
            return Path(path).open("rb")
        real = resolve_given(path)
        file = open(path, "rb", opener=lambda _, flags: os.open(real, flags | _READ))  # noqa: SIM115 - Path.open() has no opener; the caller closes it
    except (OSError, ValueError) as error:
        raise _error(error) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _not_regular()
    return file


def read_plain(path: str, limit: int) -> bytes:
    """The content of a regular file that is not a link, at most ``limit`` bytes.

    For paths that are resolved already. Raises FileError; FileOutsideError for a link.
    """
    try:
        descriptor = os.open(path, _READ)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _not_regular()
            data = os.read(descriptor, _BLOCK)
            if len(data) == _BLOCK:  # most files are small: a buffer of the full limit would cost more than the read
                while len(data) <= limit and (more := os.read(descriptor, len(data))):
                    data += more
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise _error(error) from error
    return _within(data, limit)


def resolve(path: str | Path, root: str | Path) -> str:
    """The path without links, inside ``root``. It need not exist.

    A link must not lead to a hidden directory or file either: in CI, .git contains a token. It may lead to names that
    begin with two dots, because Kubernetes mounts configuration that way.

    Raises:
        FileOutsideError: It lies elsewhere. The message does not say where, to reveal nothing about the machine's
            links.
    """
    try:
        real, inside = os.path.realpath(path), os.path.realpath(root)
    except (OSError, ValueError) as error:
        raise _error(error) from error
    _refuse_outside(real, inside)
    hidden = {part for part in Path(os.path.relpath(real, inside)).parts if part[0] == "." and part[:2] != ".."}
    if hidden - {*Path(path).parts}:
        raise FileOutsideError("a link points to a hidden file", hint="Put a regular file or directory there.")
    return real


def _refuse_outside(real: str, inside: str) -> None:
    if real != inside and not real.startswith(inside.rstrip(os.sep) + os.sep):
        raise FileOutsideError("it points outside its directory", hint="Put a regular file or directory there.")


def resolve_given(path: str | Path) -> str:
    """The path without links of a file that the user named.

    Raises FileOutsideError if a link leads a relative path out of the working directory.
    """
    try:
        real, inside = os.path.realpath(path), os.path.realpath(os.curdir)
    except (OSError, ValueError) as error:
        raise _error(error) from error
    if not _is_whole(path):
        _refuse_outside(real, inside)
    return real


def make_directory(path: str | Path) -> None:
    """Make a directory that the user named, and its parents. Raises FileError."""
    try:
        Path(resolve_given(path)).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _error(error) from error


def write_file(path: str | Path, content: str | bytes, *, mode: int) -> None:
    """Replace the content of a file, completely or not at all. Text is written as UTF-8.

    Pipes and devices are written to directly. So are /dev/stdout, /dev/stderr and /dev/fd/N, as this process has them.

    Raises:
        FileError: The file cannot be written, is a directory, a link or a database, or a link leads out of the working
            directory.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if stream := _STREAM.fullmatch(os.fspath(path)):
            _write_all(_descriptor(stream), data)
            return
        parent, name = os.path.split(os.fspath(path))
        place = Path(resolve_given(parent or os.curdir), name)
        kind = _kind(place)
        if kind == stat.S_IFLNK:
            raise FileOutsideError("it is a link", hint="Remove the link, or name the file that it points to.")
        if kind in {None, stat.S_IFREG}:
            _refuse_database(place)
            replace_file(place, data, mode)
        else:
            descriptor = os.open(place, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                _write_all(descriptor, data)
            finally:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        raise _error(error) from error


def create_file(path: str | Path, *, mode: int) -> BinaryIO:
    """A file that the user named, emptied or new, open for writing while a command runs.

    Raises FileError if it cannot be written, is a link or a database, or if a link leads out of the working directory.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if stream := _STREAM.fullmatch(os.fspath(path)):
            return os.fdopen(os.dup(_descriptor(stream)), "wb")
        parent, name = os.path.split(os.fspath(path))
        place = Path(resolve_given(parent or os.curdir), name)
        _refuse_database(place)
        return os.fdopen(os.open(place, flags, mode), "wb")
    except (OSError, ValueError) as error:
        raise _error(error) from error


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Replace the content of a file, completely or not at all: a reader sees the old content or the new.

    Raises OSError.

    For paths that hookctl itself makes; :func:`write_file` takes paths that others can influence.
    """
    import secrets  # imported here, because most commands write no files

    # a rename is atomic only on the same file system
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _refuse_database(place: Path) -> None:
    """Raise FileError if it is a SQLite database: no command means to replace one, and it may be the store."""
    try:
        if _kind(place) != stat.S_IFREG:
            return
        descriptor = os.open(place, _READ)
        try:
            start = os.read(descriptor, len(_DATABASE))
        finally:
            os.close(descriptor)
    except OSError:
        return  # it cannot be read, which says nothing about writing
    if start == _DATABASE:
        raise FileError("it is a database, perhaps the store", hint="Name another file.")


def _is_whole(path: str | Path) -> bool:
    """True for a path that leaves the working directory: it is absolute, or begins with ``..``."""
    return Path(os.path.normpath(path)).parts[:1] in {(os.sep,), ("//",), (os.pardir,)}


def _within(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise FileTooLargeError(f"larger than {limit} bytes", hint="Name a smaller file.")
    return data


def _not_regular() -> FileError:
    return FileError("not a regular file", hint="Put a regular file there.")


def _error(error: OSError | ValueError) -> FileError:
    hint = "Check that it exists and that you have permission to use it."
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return FileOutsideError(error.strerror or "a link", hint="Put a regular file there.")
    if isinstance(error, FileNotFoundError):
        return FileMissingError(error.strerror or "missing", hint=hint)
    if isinstance(error, OSError):
        return FileError(error.strerror or str(error), hint=hint)
    return FileError("not a path", hint="A path cannot contain a NUL character.")


def _kind(path: Path) -> int | None:
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        return None


def _descriptor(stream: re.Match[str]) -> int:
    stdout, stderr, *numbers = stream.groups()
    return 1 if stdout else 2 if stderr else int(numbers[0] or numbers[1])


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
