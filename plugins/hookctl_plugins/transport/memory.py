"""Limits the memory of thousands of connections by settings of the C library's allocator."""

from __future__ import annotations

import ctypes

LARGE_BYTES = 16 * 1024
"""The block size from which glibc maps separate pages. The three buffers of a connection are larger (16, 16 and 64
KiB), and a request fills a small part of each.
"""
_M_MMAP_THRESHOLD, _M_TOP_PAD, _M_TRIM_THRESHOLD = -3, -2, -1


def keep_large_blocks_apart() -> None:
    """Make glibc map separate pages for each large block, for the whole process.

    Untouched pages cost nothing, and all pages are returned when the block is freed. Blocks from the heap would use
    pages that were touched before, and cost their full size. With other C libraries, this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_M_TOP_PAD, 4096)  # a heap with free room at its end would otherwise provide large blocks
        # setting the other options turns off glibc's own choice, so this one must be set as well
        mallopt(_M_TRIM_THRESHOLD, 16 * 1024 * 1024)
