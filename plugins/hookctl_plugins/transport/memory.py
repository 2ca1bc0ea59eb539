"""What keeps thousands of connections small: how the C library hands out the buffers of libcurl and OpenSSL."""

from __future__ import annotations

import ctypes

LARGE_BYTES = 16 * 1024
"""A connection has three buffers that are larger (16, 16 and 64 KiB), and a request fills a small part of each."""
_M_MMAP_THRESHOLD, _M_TOP_PAD, _M_TRIM_THRESHOLD = -3, -2, -1


def keep_large_blocks_apart() -> None:
    """Have glibc give each large block pages of its own, for the whole process.

    Pages that are never touched cost nothing, and all go back when the block is freed.

    Carved out of the heap they lie on pages that were used before, and cost their full size. Other C libraries are left
    as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TOP_PAD, 4096)  # a heap with room at its end would give large blocks out of that
        mallopt(_M_TRIM_THRESHOLD, 16 * 1024 * 1024)  # setting the others ends glibc's own choice, which would be small
