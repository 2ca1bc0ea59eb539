"""Arrays as PostgreSQL reads them: whatever the values are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.postgres_server import server

from hookctl.store.postgres.arrays import long_texts, numbers, texts, texts_or_null

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(['"', "\\", "NULL", "", "{}", ",", "a\0b"])
NUMBERS = st.lists(
    st.none() | st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-(2**53), 2**53)
)


@settings(max_examples=50)
@given(st.lists(TEXT), st.lists(st.none() | TEXT.filter(lambda text: text != "\1")), NUMBERS, st.lists(st.booleans()))
def test_values_come_back(
    plain: list[str], optional: list[str | None], figures: list[float | None], truths: list[bool]
) -> None:
    query = "SELECT %s::text[], %s::text[], %s::float8[], %s::bool[], %s::text[]"
    given_values = (texts(plain), texts_or_null(optional), numbers(figures), numbers(truths), long_texts(plain))
    (found,) = server().execute(query, given_values)
    shown = [None if one is None else one.replace("\0", "\ufffd") for one in [*plain, *optional]]
    assert [*found[0], *found[1]] == shown
    assert (found[2], found[3]) == (figures, truths)
    assert found[4] == found[0]
