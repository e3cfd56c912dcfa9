"""Casts and slices of sequences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eng.utils as u


@given(st.lists(st.integers(0, 5), max_size=6))
@settings(deadline=None)
def test_slices_join_again(lens):
    items = list(range(sum(lens)))
    assert u.concat_list(u.slice_list(items, lens)) == items


def test_casts_and_tuples():
    assert list(u.iter_cast(["1", "2"], int)) == [1, 2]
    assert u.list_cast((1, 2), str) == ["1", "2"]
    assert u.tuple_cast([1.5], int) == (1,)
    with pytest.raises(TypeError, match="iterable"):
        u.iter_cast(1, int)
    with pytest.raises(TypeError, match="valid type"):
        u.list_cast([1], "int")
    assert (u.to_1tuple(1), u.to_3tuple(1), u.to_4tuple("a")) == ((1,), (1, 1, 1), "a")
    assert u.to_ntuple(5)(None) == (None,) * 5
    assert u.to_2tuple([1, 2, 3]) == [1, 2, 3]
    assert u.is_str("a")
    assert not u.is_str(b"a")
    assert u.is_tuple_of((1, "a"), (int, str))
    assert not u.is_seq_of([1], int, seq_type=tuple)
    with pytest.raises(TypeError, match="seq_type"):
        u.is_seq_of([1], int, seq_type="list")
    assert u.slice_list([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
    for lens, error in ((3, ValueError), ([1, 2], ValueError), ("a", TypeError)):
        with pytest.raises(error):
            u.slice_list([1, 2, 3, 4], lens)
    assert u.has_method("a", "upper")
    assert not u.has_method("a", "__doc__")
