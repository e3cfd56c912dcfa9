"""Which checkpoints are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eng.hooks.checkpoint_retention import retain


@given(st.lists(st.integers(0, 50), unique=True), st.integers(0, 50), st.integers(-1, 5))
def test_nothing_is_lost_and_no_more_than_asked_for_is_kept(
    kept: list[int], new: int, max_keep: int
) -> None:
    keep, remove = retain(kept, new, max_keep)
    assert keep[-1] == new
    assert [*remove, *keep] == [*(each for each in kept if each != new), new]
    assert len(keep) == min(len(remove) + len(keep), max_keep if max_keep > 0 else len(keep))
