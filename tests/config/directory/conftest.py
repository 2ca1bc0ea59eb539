from __future__ import annotations

from collections.abc import Iterator

import pytest

from hookctl.config import directory as checking
from hookctl.config import file_results


@pytest.fixture(autouse=True, scope="module")
def small_directories_are_kept() -> Iterator[None]:
    """So that a directory of a few files shows what one of thousands would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "CACHED_FROM", 1)
        patch.setattr(file_results, "AT_ONCE", 2)
        yield
