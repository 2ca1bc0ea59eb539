"""JSON values for property tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | st.text(max_size=3)


@pytest.fixture(scope="session")
def values() -> st.SearchStrategy[Any]:
    """Small values, in which 0, 1, 0.0, 1.0, false and true are frequent."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        max_leaves=10,
    )
